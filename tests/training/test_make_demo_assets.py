import pytest
import torch

from posexfer_core.body.depth_flip import order_change_mask
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.commands.demo import PHOTO_POSES, POSES, TWINS
from posexfer_core.conventions import DEMO
from posexfer_core.files.images import load_image
from posexfer_core.geometry.camera import project_perspective
from training.make_demo_assets import FRAMES_BETWEEN, MOTION, MOTION_STOPS, make_assets


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The assets, made anew."""
    folder = tmp_path_factory.mktemp("assets")
    make_assets(folder)
    return folder


def test_the_shipped_assets_are_what_the_script_makes(made):
    for name in ("source", MOTION, *POSES, *PHOTO_POSES):
        shipped, again = (HumanParams.load(folder / f"{name}.npz") for folder in (DEMO, made))
        torch.testing.assert_close(shipped.rotations, again.rotations, atol=1e-4, rtol=0)
        torch.testing.assert_close(shipped.transl, again.transl, atol=1e-4, rtol=0)
        torch.testing.assert_close(shipped.betas, again.betas, atol=1e-4, rtol=0)


def test_the_shipped_images_are_what_the_script_makes(made):
    for name in ("source", *POSES):
        shipped, again = (load_image(folder / f"{name}.png") for folder in (DEMO, made))
        assert (shipped - again).abs().mean() < 0.01


def test_the_twins_share_their_joints_but_not_who_is_in_front(body):
    views = [BodyView.of(HumanParams.load(DEMO / f"{name}.npz"), body) for name in TWINS]
    front, behind = (project_perspective(view.joints, view.intrinsics) for view in views)
    torch.testing.assert_close(front, behind, atol=0.02, rtol=0)
    assert order_change_mask(*views).sum() > 150


def test_the_motion_passes_through_its_poses():
    motion = HumanParams.load(DEMO / f"{MOTION}.npz")
    assert motion.frames == 1 + FRAMES_BETWEEN * (len(MOTION_STOPS) - 1)
    for number, name in enumerate(MOTION_STOPS):
        stop = HumanParams.load(DEMO / f"{name}.npz")
        torch.testing.assert_close(
            motion.rotations[FRAMES_BETWEEN * number], stop.rotations[0], atol=1e-4, rtol=0
        )
    turns = motion.rotations[1:].mT @ motion.rotations[:-1]
    cosine = (turns.diagonal(dim1=-2, dim2=-1).sum(-1) - 1.0) / 2.0
    assert float(cosine.min()) > 0.5, "no joint jumps by more than 60 degrees"
