from dataclasses import replace

import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.errors import ParamsError
from posexfer_core.geometry.camera import project_perspective
from posexfer_core.render.maps import depth_map, mask_map
from tests.posexfer_core.body.sample_params import facing_params, random_params


def test_a_person_facing_the_camera_stands_upright(body: BodyModel):
    view = BodyView.of(facing_params(), body)
    head, ankle, left_wrist = view.joints[0, 15], view.joints[0, 7], view.joints[0, 20]
    pelvis = view.joints[0, 0]
    assert head[1] < pelvis[1] < ankle[1]  # y points down
    assert left_wrist[0] > pelvis[0]  # the person's left is on the image's right
    nose = view.vertices[0, view.keypoint_vertices["nose"]]
    assert nose[2] < head[2]  # and looks at the camera


@pytest.mark.parametrize(
    ("transl", "words"),
    [
        ([0.0, 0.0, -4.0], "behind its camera or in it: its pelvis is -"),
        ([0.0, 0.0, 0.0], "behind its camera or in it"),
        ([50.0, 0.0, 4.0], "Nothing of the target's body"),
        ([1e38, 1e38, 4.0], "not finite"),
    ],
)
def test_a_body_that_the_camera_does_not_see_is_refused(
    body: BodyModel, transl: list[float], words: str
):
    params = facing_params()
    BodyView.of(params, body).check_seen("target")
    moved = replace(params, transl=torch.tensor([[transl]]))
    if words == "not finite":
        moved = replace(moved, camera_from_world=10 * moved.camera_from_world)
    with pytest.raises(ParamsError, match=words):
        BodyView.of(moved, body).check_seen("target")


def test_the_camera_moves_the_body(body: BodyModel):
    params = facing_params()
    turned = torch.tensor(
        [[0.0, 0.0, 1.0, 0.1], [0.0, 1.0, 0.0, 0.2], [-1.0, 0.0, 0.0, 0.3], [0.0, 0.0, 0.0, 1.0]]
    )
    moved = BodyView.of(replace(params, camera_from_world=turned[None]), body)
    x, y, z = BodyView.of(params, body).vertices.unbind(-1)
    expected = torch.stack([z + 0.1, y + 0.2, -x + 0.3], dim=-1)
    torch.testing.assert_close(moved.vertices, expected)


@pytest.mark.parametrize(
    ("frame", "person", "batch"),
    [(0, 0, 1), (1, 1, 1), (None, 0, 3), (0, None, 2), (None, None, 6)],
)
def test_frames_and_persons_run_along_the_batch(
    body: BodyModel, frame: int | None, person: int | None, batch: int
):
    view = BodyView.of(random_params(frames=3, persons=2), body, frame=frame, person=person)
    assert len(view) == batch
    assert view.joints.shape == (batch, 24, 3)
    assert view.intrinsics.shape == (batch, 3, 3)


def test_the_batch_holds_what_single_views_hold(body: BodyModel):
    params = random_params(frames=2, persons=2)
    singles = [BodyView.of(params, body, frame=f, person=p) for f in (0, 1) for p in (0, 1)]
    together = BodyView.of(params, body, frame=None, person=None)
    stacked = BodyView.stack(singles)
    torch.testing.assert_close(together.vertices, stacked.vertices)
    torch.testing.assert_close(together.intrinsics, stacked.intrinsics)
    torch.testing.assert_close(mask_map(together)[2], mask_map(singles[2])[0])


def test_visibility_is_rasterised_once(body: BodyModel):
    view = BodyView.of(facing_params(), body)
    assert view.visibility is view.visibility


def test_a_crop_shows_the_same_pixels(body: BodyModel):
    view = BodyView.of(facing_params(), body)
    crop = view.reframed((30.0, 40.0), 1.0, (100, 90))
    torch.testing.assert_close(
        depth_map(crop), depth_map(view)[..., 40:140, 30:120], atol=1e-4, rtol=0
    )


def test_a_resize_scales_positions_about_the_corner(body: BodyModel):
    view = BodyView.of(facing_params(), body)
    resized = view.reframed((-10.0, 20.0), 2.0, (500, 400))
    before = project_perspective(view.joints, view.intrinsics)
    after = project_perspective(resized.joints, resized.intrinsics)
    torch.testing.assert_close(after, 2.0 * (before - torch.tensor([-10.0, 20.0])))
    assert mask_map(resized).shape == (1, 1, 500, 400)


def test_betas_of_another_body_are_refused(body: BodyModel):
    with pytest.raises(ParamsError, match="'smpl', this body is 'posexfer'"):
        BodyView.of(facing_params().with_neutral_betas("smpl"), body)


def test_a_frame_that_is_not_there_is_refused(body: BodyModel):
    with pytest.raises(ParamsError, match="no frame 5"):
        BodyView.of(facing_params(), body, frame=5, person=None)
