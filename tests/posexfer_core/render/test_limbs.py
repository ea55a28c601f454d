from dataclasses import replace

import pytest
import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.geometry.camera import project_perspective
from posexfer_core.render.limbs import LIMB_COLOURS, RADIUS_M, paint_limbs
from tests.posexfer_core.body.sample_params import facing_params


@pytest.fixture
def view(body: BodyModel) -> BodyView:
    view = BodyView.of(facing_params(), body)
    return view.reframed((0.0, 0.0), 3.0, (768, 528))


def pixel_of(view: BodyView, *joints: str) -> tuple[int, int]:
    """Row and column of the middle between joints."""
    middle = torch.stack([view.joints[:, JOINT_INDEX[name]] for name in joints]).mean(0)
    x, y = project_perspective(middle[:, None], view.intrinsics)[0, 0].tolist()
    return int(y), int(x)


def test_every_limb_has_its_hue_in_its_middle(view: BodyView):
    image = paint_limbs([view], [view])[0]
    for limb in (("r_knee", "r_ankle"), ("l_elbow", "l_wrist"), ("r_shoulder", "r_elbow")):
        found = image[(..., *pixel_of(view, *limb))]
        wanted = torch.tensor(LIMB_COLOURS[limb]) / 300.0 + 0.15
        assert int(found.argmax()) == int(wanted.argmax()), limb
        assert float(found.max()) > 0.6
    assert not image[:, 0, 0].any()


def test_a_cylinder_is_as_wide_as_its_radius_says(view: BodyView):
    image = paint_limbs([view], [view])[0]
    row, column = pixel_of(view, "r_knee", "r_ankle")
    along = view.joints[0, JOINT_INDEX["r_ankle"]] - view.joints[0, JOINT_INDEX["r_knee"]]
    depth = float(view.joints[0, JOINT_INDEX["r_knee"], 2])
    expected = 2 * RADIUS_M * float(view.intrinsics[0, 0, 0]) / depth
    expected *= float(along.norm() / along[1])  # cut by a row, aslant
    covered = int((image[:, row, column - 30 : column + 30].amax(0) > 0).sum())
    assert covered == pytest.approx(expected, abs=1.6)


def test_the_nearer_limb_hides_the_other(view: BodyView):
    joints = view.joints.clone()
    for name in ("shoulder", "elbow", "wrist"):  # the left arm onto the right one, 20 cm nearer
        joints[0, JOINT_INDEX[f"l_{name}"]] = joints[0, JOINT_INDEX[f"r_{name}"]]
        joints[0, JOINT_INDEX[f"l_{name}"]] *= 0.9
    crossed = replace(view, joints=joints)
    colour = paint_limbs([crossed], [crossed])[0][(..., *pixel_of(crossed, "l_elbow", "l_wrist"))]
    assert float(colour[2]) > float(colour[0]), "blue is the left forearm, orange the right"


def test_a_person_farther_away_is_darker(body: BodyModel):
    near, far = facing_params(), facing_params()
    far.transl[..., 2] += 2.0
    views = [BodyView.of(params, body) for params in (near, far)]
    images = [paint_limbs([one], views) for one in views]
    light = [float(image.sum() / (image > 0).sum()) for image in images]
    assert light[1] < 0.9 * light[0]
