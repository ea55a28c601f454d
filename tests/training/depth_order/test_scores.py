"""Methods whose scores are known beforehand, on frozen twins."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from posexfer_core.files.images import load_image, save_image
from training.depth_order import methods, painters
from training.depth_order.controlnet import draw_with
from training.depth_order.export import export_inputs
from training.depth_order.files import TwinsError
from training.depth_order.judges import lean, least_contrast, pooled
from training.depth_order.measures import Drawn, score_twin
from training.depth_order.report import Scored, markdown, summary, told_by_source


def scored(name, method, twins) -> Scored:
    scores = [score_twin(row, method(row), perceptual=False, least_px=20) for row in twins]
    return Scored(name=name, scores=scores)


@pytest.fixture(scope="module")
def exact(twins) -> Scored:
    return scored("truth", painters.truth(4), twins)


@pytest.fixture(scope="module")
def copy(twins) -> Scored:
    return scored("copy", painters.copy_source(4), twins)


def test_an_image_leans_to_the_one_that_it_is_like():
    first, second = torch.ones(3, 4, 4), -torch.ones(3, 4, 4)
    weight = torch.zeros(1, 4, 4)
    weight[..., :2] = 1.0
    assert lean(first, first, second, weight) == pytest.approx(1.0)
    assert lean(second, first, second, weight) == pytest.approx(-1.0)
    assert lean(0.0 * first, first, second, weight) == pytest.approx(0.0)


def test_a_judge_that_is_wrong_on_true_images_judges_from_where_it_is_not():
    truths = [(0.05, False), (0.15, True), (0.25, False), (0.35, True), (0.45, True)]
    assert least_contrast(truths) == 0.3
    assert least_contrast([(2.0, False)]) is None


def test_the_truth_is_right_its_twin_is_wrong_and_a_copy_is_right_half_the_time(twins, exact, copy):
    def swapped(row):
        return Drawn(a=pooled(row.images["b"], 4), b=pooled(row.images["a"], 4))

    wrong = scored("swapped", swapped, twins)
    found = {
        each.name: summary(each, exact, 0.0, told_by_source(exact)) for each in (exact, wrong, copy)
    }
    assert found["truth"]["order"]["all"]["share"] == 1.0
    assert found["truth"]["flip_cosine"] == pytest.approx(1.0)
    assert found["swapped"]["order"]["all"]["share"] == 0.0
    assert found["swapped"]["flip_cosine"] == pytest.approx(-1.0)
    assert found["copy"]["order"]["all"]["share"] == 0.5 and found["copy"]["response"] == 0.0
    assert found["truth"]["person"]["ssim"] == pytest.approx(1.0, abs=1e-4)
    table = markdown(found, "truth")
    assert table.count("\n") == 5 and "100.0 %" in table


def test_a_wrong_limb_in_front_costs_the_whole_image_little(twins):
    """A twin scores well by PSNR: that is why order is measured."""
    wrong = [Drawn(a=row.images["b"], b=row.images["a"]) for row in twins[:1]]
    score = score_twin(twins[0], wrong[0], perceptual=False, least_px=20)
    assert score.closeness["whole"]["psnr"] > score.closeness["overlap"]["psnr"] + 10.0


def test_mirrored_depth_is_counted_where_the_winner_changes(twins):
    row = twins[0]
    a, b = row.images["a"], row.images["b"]
    turned = score_twin(row, Drawn(a=a, b=b, mirrored=(b, a)), perceptual=False, least_px=20)
    assert all(trial.winner_changes for trial in turned.trials)
    held = score_twin(row, Drawn(a=a, b=b, mirrored=(a, b)), perceptual=False, least_px=20)
    assert not any(trial.winner_changes for trial in held.trials)


def test_flat_painters_beat_a_copy_and_know_the_outline(twins, copy):
    makers = (painters.one_colour, painters.colour_per_part)
    psnr = []
    for found in (copy, *(scored("", make(4), twins) for make in makers)):
        entry = summary(found, found, None, told_by_source(found))
        psnr.append(entry["person"]["psnr"])
    assert psnr[0] < psnr[1] < psnr[2] + 2.0


def test_images_of_others_are_judged_from_a_folder(twins, tmp_path):
    row = twins[0]
    for name in ("a", "b"):
        save_image(row.images[name][None], tmp_path / f"0000_{name}.png")
    drawn = methods.folder_of_images(tmp_path)(row)
    assert all(
        trial.lean > 0.99 for trial in score_twin(row, drawn, perceptual=False, least_px=20).trials
    )
    with pytest.raises(TwinsError, match=r"0001_a\.png"):
        methods.folder_of_images(tmp_path)(twins[1])


def test_control_images_of_twins_agree_in_the_skeleton_alone(twins, tmp_path: Path):
    export_inputs(twins[:1], tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"0000_source.png", "0000_a_skeleton.png", "0000_b_depth.png", "0000_a.npz"} <= names
    apart = {
        kind: (
            load_image(tmp_path / f"0000_a_{kind}.png")
            - load_image(tmp_path / f"0000_b_{kind}.png")
        )
        for kind in ("skeleton", "depth")
    }
    assert apart["skeleton"].abs().mean() < 1e-3 < apart["depth"].abs().mean()


def test_a_controlnet_is_given_source_and_control_image_and_the_same_noise(twins, tmp_path):
    calls = []

    def pipeline(**given):
        calls.append(given)
        return SimpleNamespace(images=[given["control_image"]])

    draw_with(pipeline, twins[:1], tmp_path, kind="depth", steps=3, strength=0.9, seed=4)
    assert [call["image"].size for call in calls] == [(176, 256)] * 2
    noises = [torch.randn(2, generator=call["generator"]) for call in calls]
    assert torch.equal(noises[0], noises[1])
    drawn = methods.folder_of_images(tmp_path)(twins[0])
    assert not torch.equal(drawn.a, drawn.b)


def test_images_of_any_size_are_judged_at_the_size_of_the_arms(twins, tmp_path):
    for name in ("a", "b"):
        large = torch.nn.functional.interpolate(twins[0].images[name][None], scale_factor=2.0)
        save_image(large, tmp_path / f"0000_{name}.png")
    drawn = methods.folder_of_images(tmp_path, 4)(twins[0])
    torch.testing.assert_close(drawn.a, pooled(twins[0].images["a"], 4), atol=0.01, rtol=0)


def test_untrained_points_bring_the_right_part_to_the_front(twins, monkeypatch):
    monkeypatch.setattr(methods, "CARRYING", replace(methods.CARRYING, points=768))
    drawn = methods.carried(4)(twins[0])
    trials = score_twin(twins[0], drawn, perceptual=False, least_px=20).trials
    assert trials and all(trial.right_part for trial in trials)
    assert drawn.a.shape == (3, 64, 44) and not torch.equal(drawn.a, drawn.b)


def test_only_overlaps_that_the_source_tells_apart_count_as_told(exact):
    told = told_by_source(exact)
    assert len(told) == len(exact.trials()) and told[::2] == told[1::2]
    entry = summary(exact, exact, None, told)
    assert entry["order_told"]["count"] == sum(told)
    assert entry["order_of_parts"] is None
