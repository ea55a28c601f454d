from pathlib import Path

import pytest
import torch

from posexfer_core.body.joints import JOINT_NAMES, MIRRORED_JOINTS
from posexfer_core.body.model import pose_joints
from training.config import RegressorTraining
from training.data.people import People, RestJoints, load_people
from training.data.shards import ShardDataset
from training.data.views import View, mirror_people
from training.sample_random import SampleRandom
from training.tasks.regressor import targets

NEAR = RegressorTraining(turn_deg=8.0, zoom_low=0.9, zoom_high=1.0, shift=0.03)


@pytest.fixture
def people(shards: Path, body) -> People:
    return load_people(ShardDataset(shards), (64, 48), body)


def test_a_mirrored_body_of_even_sides_is_the_mirror_of_its_joints(people, body):
    """The bundled body is the same left and right, so its bones can wear the mirrored pose."""
    mirrored = mirror_people(people)
    posed = pose_joints(mirrored.rotations, RestJoints(body)(people.betas))[1]
    wanted = mirrored.joints - mirrored.joints[:, :1]
    torch.testing.assert_close(posed - posed[:, :1], wanted, rtol=0, atol=2e-3)


def test_bodies_of_other_views_are_posed_by_their_rotations(people, body):
    view = View.draw(RegressorTraining(), SampleRandom.seeded(0, range(len(people))))
    seen = view.people(people)
    posed = pose_joints(seen.rotations, RestJoints(body)(seen.betas))[1]
    wanted = seen.joints - seen.joints[:, :1]
    torch.testing.assert_close(posed - posed[:, :1], wanted, rtol=0, atol=2e-3)


def test_a_mark_in_the_image_moves_with_the_joint(people):
    """Paint a soft spot at a knee, change the view, and find it where the knee is then."""
    size = (64, 48)
    knee = JOINT_NAMES.index("l_knee")
    before = targets(people, torch.zeros(len(people), 2))["pixels"][:, knee]
    y, x = torch.meshgrid(torch.arange(64) + 0.5, torch.arange(48) + 0.5, indexing="ij")
    half = torch.tensor([size[1] / 2.0, size[0] / 2.0])
    spot = (before + 1.0) * half
    far = (x - spot[:, 0, None, None]).square() + (y - spot[:, 1, None, None]).square()
    painted = (-far / 8.0).exp()[:, None].expand(-1, 3, -1, -1)
    view = View.draw(NEAR, SampleRandom.seeded(0, range(len(people))))
    moved = view.images(painted)[:, 0]
    found = torch.stack([(moved * x).sum((1, 2)), (moved * y).sum((1, 2))], -1)
    found = found / moved.sum((1, 2))[:, None]
    after = targets(view.people(people), view.shift)["pixels"]
    joint = torch.where(view.mirror, MIRRORED_JOINTS[knee], knee)
    wanted = (after[torch.arange(len(people)), joint] + 1.0) * half
    inside = (wanted > 6).all(-1) & (wanted < torch.tensor([42.0, 58.0])).all(-1)
    assert inside.sum() >= 4 and view.mirror.any() and not view.mirror.all()
    torch.testing.assert_close(found[inside], wanted[inside], rtol=0, atol=0.3)


def test_the_same_view_changes_nothing(people):
    count = len(people)
    view = View(
        turn=torch.eye(2).repeat(count, 1, 1),
        zoom=torch.ones(count),
        shift=torch.zeros(count, 2),
        mirror=torch.zeros(count, dtype=torch.bool),
    )
    images = people.images.float()
    torch.testing.assert_close(view.images(images), images, rtol=0, atol=0.02)
    assert torch.equal(view.people(people).joints, people.joints)
