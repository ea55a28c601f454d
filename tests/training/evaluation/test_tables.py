from training.evaluation.scoring import LEGACY, METRICS, means
from training.evaluation.tables import report, table


def test_columns_without_a_number_are_left_out_and_gaps_are_dashes():
    scores = {"a": {"psnr": 20.123, "ssim": 0.5}, "b": {"psnr": 21.0}}
    lines = table(scores, METRICS).splitlines()
    assert lines[0] == "| | PSNR, dB ↑ | SSIM ↑ |"
    assert lines[2:] == ["| a | 20.12 | 0.5000 |", "| b | 21.00 | – |"]
    assert "SSIM_256" not in table(scores, LEGACY)


def test_published_numbers_stand_beside_ours_on_deepfashion_alone():
    ours = {"psnr": 17.0, "lpips_alex": 0.2, "legacy_ssim_256": 0.7, "legacy_fid": 9.5, "fid": 30.0}
    page = report({"model": ours}, title="t", notes=["a\nb"], deepfashion=True)
    assert "| CASD | ECCV 2022 | 13.137 | 0.1781 | 0.7224 | 17.88 |" in page
    assert "| PATN | CVPR 2019 | 20.728 | 0.2533 | 0.6714 | – |" in page
    assert "| **this model** | | 9.500 | 0.2000 | 0.7000 | 17.00 |" in page
    assert page.endswith("- a b\n")
    assert "CASD" not in report({"model": ours}, title="t", notes=[])


def test_scores_are_averaged_over_the_pairs_that_have_them():
    assert means([{"a": 1.0, "b": 2.0}, {"a": 3.0}]) == {"a": 2.0, "b": 2.0}
