import json

import pytest
import torch

from posexfer_core.errors import ConfigError
from training.data.shards import ShardDataset
from training.evaluation.fid_scores import fid_scores, reference_pictures
from training.evaluation.methods import Batch
from training.evaluation.run import Results, draw_and_score
from training.evaluation.scoring import Judges
from training.processes import ALL, Part

CPU = torch.device("cpu")


@pytest.fixture
def results(tmp_path) -> Results:
    found = Results(folder=tmp_path / "out", settings={"weights": "a", "pairs": 5})
    found.open()
    return found


def evaluate(data, results, drawn, part=ALL):
    """Draw the targets themselves, a level darker."""

    def draw(batch: Batch):
        drawn.extend(batch.indices)
        return batch.target_image - 2.0 / 255.0

    draw_and_score(
        data,
        {"darker": draw},
        Judges(),
        results,
        count=5,
        batch_size=2,
        part=part,
        device=CPU,
    )


@pytest.mark.slow
def test_pairs_are_done_once_in_parts_and_after_a_cut(shards, results):
    data, drawn = ShardDataset(shards), []
    evaluate(data, results, drawn, Part(0, 2))
    assert drawn == [0, 2, 4]
    lines = results.folder / "pairs-1-of-2.jsonl"
    lines.write_text(lines.read_text()[:-20])  # cut off within the last line
    drawn.clear()
    evaluate(data, results, drawn, Part(0, 2))
    assert drawn == [4]
    drawn.clear()
    evaluate(data, results, drawn)
    assert drawn == [1, 3]
    done = results.read()
    assert sorted(done) == [0, 1, 2, 3, 4]
    assert done[3]["darker"]["psnr"] == pytest.approx(48.1, abs=0.3)
    images = torch.cat(list(results.images("darker", [0, 1, 2], size=2)))
    wanted = torch.stack([data.target_bytes(i) for i in range(3)]).permute(0, 3, 1, 2)
    assert (images * 255 - wanted + 1).abs().max() < 1.01


def test_results_of_other_weights_are_not_mixed_in(results):
    other = Results(folder=results.folder, settings={"weights": "b", "pairs": 5})
    with pytest.raises(ConfigError, match="weights differ"):
        other.open()
    assert json.loads((results.folder / "settings.json").read_text())["weights"] == "a"


def test_what_fid_lacks_is_said(shards, results, tmp_path):
    data = ShardDataset(shards)
    wanted = {"judges": tmp_path, "reference": None, "device": CPU}
    scores, notes = fid_scores(data, results, ["darker"], [0, 1], **wanted)
    assert scores == {"darker": {}} and len(notes) == 2
    assert "pt_inception" in notes[0] and "inception_v3_google" in notes[1]
    assert fid_scores(data, results, [], [0], **wanted)[1] == ["FID needs two pairs or more."]


def test_the_reference_is_the_training_split_where_there_is_its_list(tmp_path):
    folder = tmp_path / "img_highres/MEN/Denim/id_00000080"
    folder.mkdir(parents=True)
    for name in ("01_1_front.jpg", "01_2_side.jpg", "01_3_back.jpg"):
        (folder / name).touch()
    assert len(reference_pictures(tmp_path)) == 3
    names = ["fashionMENDenimid0000008001_1front.jpg", "fashionMENDenimid0000008001_3back.jpg"]
    (tmp_path / "train.lst").write_text("\n".join(names))
    assert [path.name[:4] for path in reference_pictures(tmp_path)] == ["01_1", "01_3"]
