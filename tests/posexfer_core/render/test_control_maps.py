import math

import pytest
import torch

from posexfer_core.body.joints import OPENPOSE18
from posexfer_core.body.model import BodyModel
from posexfer_core.body.orbit import seen_from
from posexfer_core.body.view import BodyView
from posexfer_core.render.control_maps import (
    MAPS,
    MapStyle,
    grey_depth,
    limb_radius,
    paint_maps,
    paint_normal,
    paint_openpose,
    paint_parts,
)
from posexfer_core.render.openpose import COLOURS, keypoints18
from tests.posexfer_core.body.sample_params import facing_params, random_params
from tests.posexfer_core.render.test_maps import square_view

PLAIN = MapStyle()


@pytest.fixture
def view(body: BodyModel) -> BodyView:
    return BodyView.of(facing_params(), body)


def turned(body: BodyModel, yaw_deg: float, size: tuple[int, int] = (512, 320)) -> BodyView:
    """See the person from the side: at +90 degrees from the person's own left."""
    yaw = math.radians(yaw_deg)
    camera = {
        "position": {"x": 3.0 * math.sin(yaw), "y": 1.0, "z": 3.0 * math.cos(yaw)},
        "target": {"x": 0.0, "y": 1.0, "z": 0.0},
    }
    return BodyView.of(seen_from(facing_params(), body, camera, size), body)


def drawn_keypoints(view: BodyView, style: MapStyle = PLAIN) -> set[str]:
    """Name the keypoints whose dot has its own colour in the image."""
    image = paint_openpose(view, style)[0]
    found = set()
    for name, colour, place in zip(OPENPOSE18, COLOURS, keypoints18(view)[0], strict=True):
        pixel = image[:, int(place[1]), int(place[0])]
        if torch.allclose(pixel, torch.tensor(colour) / 255.0, atol=0.02):
            found.add(name)
    return found


def test_depth_is_even_in_inverse_distance_and_white_where_near():
    near, far = (square_view(z).visibility.depth for z in (2.0, 4.0))
    disparity = 1.0 / torch.stack([near, far])
    body, scene = (grey_depth(disparity, greys) for greys in ("body", "scene"))
    middle = (slice(None), 0, 10, 10)
    # 1/2 and 1/4 per metre: white and the farthest grey; or white and half of it
    assert body[middle].tolist() == pytest.approx([1.0, 0.25])
    assert scene[middle].tolist() == pytest.approx([1.0, 0.5])
    assert not body[:, :, 0, 0].any() and not scene[:, :, 0, 0].any()
    between = torch.tensor([[[[1 / 2, 3 / 8, 1 / 4]]]])
    assert grey_depth(between)[0, 0, 0].tolist() == pytest.approx([1.0, 0.625, 0.25])


def test_depth_of_nobody_is_black():
    assert not grey_depth(torch.zeros(1, 1, 4, 4)).any()


def test_a_wall_that_faces_the_camera_is_blue_in_both_normal_conventions():
    for axes in ("red left", "red right"):
        painted = paint_normal(square_view(2.0), MapStyle(normal_axes=axes))
        torch.testing.assert_close(painted[0, :, 10, 10], torch.tensor([0.5, 0.5, 1.0]))
        torch.testing.assert_close(painted[0, :, 0, 0], torch.tensor([0.5, 0.5, 1.0]))


def test_normals_are_red_left_green_up_blue_front(view: BodyView):
    head = view.visibility.mask[0] & (torch.arange(256)[:, None] < 60)
    rows, columns = head.nonzero().unbind(1)
    middle = columns.float().median()
    colour = paint_normal(view)[0]
    left, right = (
        colour[0][rows[side], columns[side]].mean()
        for side in (columns < middle - 4, columns > middle + 4)
    )
    assert left > 0.55 and right < 0.45
    other = paint_normal(view, MapStyle(normal_axes="red right"))[0]
    torch.testing.assert_close(other[0], 1.0 - colour[0])
    top = rows == rows.min()
    assert (colour[1][rows[top], columns[top]] > 0.6).all()
    assert float(colour[2][view.visibility.mask[0]].mean()) > 0.75


@pytest.mark.parametrize(
    ("size", "standard", "wide"),
    [
        ((512, 512), 4.0, 8.0),
        ((768, 512), 4.0, 8.0),
        ((1024, 1024), 8.0, 12.0),
        ((256, 176), 1.375, 4.0),
        ((64, 64), 1.0, 4.0),
        ((2048, 1024), 8.0, 16.0),
    ],
)
def test_limbs_are_as_wide_as_in_the_training_images(size, standard, wide):
    assert limb_radius(size, "standard") == pytest.approx(standard)
    assert limb_radius(size, "wide") == pytest.approx(wide)


def test_a_limb_is_measured_eight_pixels_wide_at_512(body: BodyModel):
    image = paint_openpose(turned(body, 0.0, (768, 512)), PLAIN)[0]
    keypoints = keypoints18(turned(body, 0.0, (768, 512)))[0]
    knee, ankle = (keypoints[OPENPOSE18.index(name), :2] for name in ("r_knee", "r_ankle"))
    row = int((knee[1] + ankle[1]) / 2)
    column = int((knee[0] + ankle[0]) / 2)
    covered = image[:, row, column - 12 : column + 12].amax(dim=0).sum()
    along = (ankle - knee) / (ankle - knee).norm()
    colour = 0.6  # the limb's brightest channel is 255 * 0.6
    assert float(covered) * float(along[1]) / colour == pytest.approx(8.0, rel=0.08)


def test_a_person_seen_from_behind_has_ears_and_no_face(body: BodyModel):
    shown = drawn_keypoints(turned(body, 180.0))
    assert not shown & {"nose", "l_eye", "r_eye"}
    assert {"l_ear", "r_ear", "neck", "l_wrist", "r_wrist", "l_ankle"} <= shown


def test_a_profile_shows_the_near_half_of_the_face(body: BodyModel):
    left = drawn_keypoints(turned(body, 90.0))
    assert {"nose", "l_eye", "l_ear"} <= left
    assert not left & {"r_eye", "r_ear"}


def test_the_whole_face_is_seen_from_the_front_and_when_nothing_may_hide(body: BodyModel):
    face = {"nose", "l_eye", "r_eye", "l_ear", "r_ear"}
    assert face <= drawn_keypoints(turned(body, 0.0))
    assert face <= drawn_keypoints(turned(body, 180.0), MapStyle(openpose_hides="nothing"))


def test_joints_behind_the_body_are_left_out_only_when_asked(body: BodyModel):
    side = turned(body, 90.0)
    assert "r_elbow" not in drawn_keypoints(side, MapStyle(openpose_hides="everything"))
    everything, face = (
        paint_openpose(side, MapStyle(openpose_hides=hides)) for hides in ("everything", "face")
    )
    assert float(everything.sum()) < float(face.sum())


@pytest.mark.parametrize("size", [(1, 1), (33, 21), (64, 128)])
@pytest.mark.parametrize("frames", [1, 2])
def test_any_size_and_batch_gives_colours_from_0_to_1(body: BodyModel, size, frames):
    view = BodyView.of(random_params(frames=frames), body, frame=None)
    view = view.reframed((0.0, 0.0), size[0] / view.size[0], size)
    for name, image in paint_maps(view, MAPS).items():
        assert image.shape == (frames, 3, *size), name
        assert 0.0 <= float(image.min()) <= float(image.max()) <= 1.0, name


def test_a_part_has_the_same_colour_from_every_side(body: BodyModel):
    colours = [
        {tuple(colour) for colour in paint_parts(turned(body, yaw))[0].flatten(1).T.tolist()}
        for yaw in (0.0, 180.0)
    ]
    assert colours[0] == colours[1]
    assert len(colours[0]) == 25  # 24 parts and the background


def test_frames_are_painted_alone_but_for_what_distance_makes_dark(body: BodyModel):
    params = random_params(frames=2)
    together = paint_maps(BodyView.of(params, body, frame=None), MAPS)
    nearer = together["depth"].amax(dim=(1, 2, 3))
    assert float(nearer.max()) == 1.0 and float(nearer.min()) < 0.999
    for frame in range(2):
        alone = paint_maps(BodyView.of(params, body, frame=frame), MAPS)
        assert float(alone["depth"].max()) == 1.0
        for name in set(MAPS) - {"depth", "limbs"}:
            torch.testing.assert_close(together[name][frame], alone[name][0], atol=2e-3, rtol=0)


def test_only_the_maps_asked_for_are_painted_and_every_frame_is_told(body: BodyModel):
    done: list[int] = []
    view = BodyView.of(random_params(frames=3), body, frame=None)
    assert paint_maps(view, ["mask", "normal"], progress=done.append).keys() == {"mask", "normal"}
    assert done == [1, 1, 1]
