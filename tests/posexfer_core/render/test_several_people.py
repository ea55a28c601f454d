"""Maps of several people in one image: the nearer one is in front."""

from dataclasses import replace

import pytest
import torch

from posexfer_core.body.view import BodyView
from posexfer_core.render.control_maps import MAPS, MapStyle, paint_maps, paint_openpose
from posexfer_core.render.openpose import COLOURS, keypoints18
from tests.posexfer_core.body.sample_params import facing_params
from tests.posexfer_core.render.test_maps import square_view


def standing(body, across_m: float, depth_m: float) -> BodyView:
    params = facing_params()
    return BodyView.of(replace(params, transl=torch.tensor([[[across_m, 0.1, depth_m]]])), body)


def test_a_square_at_2_m_lies_before_one_at_4_m_whoever_is_named_first():
    near, far = square_view(2.0), square_view(4.0)
    near = replace(near, vertices=near.vertices + torch.tensor([1.0, 0.0, 0.0]))
    for first, second in ((near, far), (far, near)):
        maps = paint_maps(first, ["depth", "mask"], MapStyle(depth_greys="scene"), beside=[second])
        # the near one covers columns 10 to 19 of rows 5 to 14, the far one 7 to 11 of rows 8 to 12
        row = maps["depth"][0, 0, 10].tolist()
        assert row[10:20] == pytest.approx([1.0] * 10)
        assert row[7:10] == pytest.approx([0.5] * 3) and row[:7] == [0.0] * 7
        assert float(maps["mask"][0, 0].sum()) == 100 + 3 * 5


def test_every_map_shows_both_and_the_nearer_one_in_front(body):
    near, far = standing(body, 0.15, 3.0), standing(body, -0.15, 4.0)
    alone, hidden = (paint_maps(one, MAPS) for one in (near, far))
    both = paint_maps(far, MAPS, beside=[near])
    front = alone["mask"][0, 0] > 0
    behind = (hidden["mask"][0, 0] > 0) & ~front
    assert int((front & (hidden["mask"][0, 0] > 0)).sum()) > 200 and int(behind.sum()) > 200
    for name in ("normal", "parts", "canonical", "mask"):
        for where, one in ((front, alone), (behind, hidden)):
            torch.testing.assert_close(
                both[name][0][:, where], one[name][0][:, where], atol=1e-5, rtol=0.0
            )
    assert float(both["depth"][0, 0][front].min()) > float(both["depth"][0, 0][behind].max())
    assert bool(((both["limbs"][0] > 0).any(0) | (alone["limbs"][0] == 0).all(0)).all())


def test_skeletons_of_all_are_drawn_and_who_is_hidden_is_left_out(body):
    near, far = standing(body, 0.0, 2.5), standing(body, 0.9, 4.0)
    nose = keypoints18(far)[0, 0]
    assert nose[0] < 176, "the far one is in the image"
    image = paint_maps(near, ["openpose"], beside=[far])["openpose"][0]
    for view in (near, far):
        x, y, _ = keypoints18(view)[0, 0].tolist()
        torch.testing.assert_close(
            image[:, int(y), int(x)], torch.tensor(COLOURS[0]) / 255.0, atol=0.02, rtol=0.0
        )
    behind = standing(body, 0.0, 3.5)
    style = MapStyle(openpose_hides="everything")
    whole = BodyView.together([near, behind])
    drawn = [paint_openpose(whole, style, people).sum() for people in ([behind], [near])]
    assert float(drawn[0]) < 0.7 * float(paint_openpose(behind, style).sum())
    assert torch.equal(drawn[1], paint_openpose(near, style).sum())
