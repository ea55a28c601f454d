import pytest
import torch

from posexfer_core.body.depth_flip import (
    depth_twins,
    flip_limb_depth,
    order_change_mask,
)
from posexfer_core.body.joints import LIMB_CHAINS, PARENTS
from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.errors import ParamsError
from posexfer_core.geometry.camera import project_perspective
from posexfer_core.render.part_labels import parts_map
from tests.posexfer_core.body.sample_params import facing_params, random_params


def crossed_arm() -> HumanParams:
    """Hold the left forearm across the chest: upper arm down and forward, elbow bent inwards."""
    return facing_params(joint_16=(0.59, -0.88, -1.18), joint_18=(0.0, -1.67, 0.0))


def bone_lengths(joints: torch.Tensor) -> torch.Tensor:
    return (joints[:, 1:] - joints[:, list(PARENTS[1:])]).norm(dim=-1)


def test_a_flip_keeps_2d_joints_and_bones_and_changes_depth(body: BodyModel):
    found = 0
    for seed in range(6):
        params = random_params(seed=seed)
        before = BodyView.of(params, body)
        for limb, chain in LIMB_CHAINS.items():
            twin = flip_limb_depth(params, body, limb)
            if twin is None:
                continue
            found += 1
            after = BodyView.of(twin, body)
            moved = project_perspective(after.joints, after.intrinsics) - project_perspective(
                before.joints, before.intrinsics
            )
            assert moved.norm(dim=-1).max() < 0.01
            lengths = bone_lengths(after.joints) - bone_lengths(before.joints)
            assert lengths.abs().max() < 1e-5
            depth = (after.joints - before.joints)[0, :, 2].abs()
            assert depth[chain[2]] >= 0.05
            still = [joint for joint in range(24) if joint not in chain[1:]]
            assert depth[still].max() < 1e-5
    assert found >= 12


def test_a_flip_holds_before_a_turned_camera(body: BodyModel):
    params = crossed_arm()
    turn = torch.eye(4)
    angle = torch.tensor(-0.3)
    turn[0, 0], turn[0, 2] = angle.cos(), angle.sin()
    turn[2, 0], turn[2, 2] = -angle.sin(), angle.cos()
    turn[:3, 3] = torch.tensor([0.9, 0.0, 0.1])
    params = params.with_camera(params.intrinsics, params.image_size, turn[None])
    twin = flip_limb_depth(params, body, "left_arm")
    assert twin is not None
    before, after = BodyView.of(params, body), BodyView.of(twin, body)
    pixels = [project_perspective(view.joints, view.intrinsics) for view in (before, after)]
    torch.testing.assert_close(pixels[0], pixels[1], atol=0.01, rtol=0)


def test_only_the_limb_turns(body: BodyModel):
    params = crossed_arm()
    twin = flip_limb_depth(params, body, "left_arm")
    assert twin is not None
    still = [joint for joint in range(24) if joint not in LIMB_CHAINS["left_arm"][:3]]
    torch.testing.assert_close(twin.pose[:, :, still], params.pose[:, :, still])
    assert torch.equal(twin.betas, params.betas)


def test_flipping_both_ways_gives_the_pose_back(body: BodyModel):
    params = crossed_arm()
    joints = BodyView.of(params, body).joints
    back = [
        BodyView.of(again.params, body).joints
        for twin in depth_twins(params, body, "left_arm")
        for again in depth_twins(twin.params, body, "left_arm")
    ]
    assert min(float((other - joints).abs().max()) for other in back) < 1e-4


def test_a_forearm_before_the_chest_goes_behind_it(body: BodyModel):
    params = crossed_arm()
    twin = flip_limb_depth(params, body, "left_arm")
    assert twin is not None
    before, after = BodyView.of(params, body), BodyView.of(twin, body)
    changed = order_change_mask(before, after)
    assert int(changed.sum()) >= 80
    trunk = torch.tensor([0, 3, 6, 9])
    shown = parts_map(after)[0][changed[0]]
    assert torch.isin(shown, trunk).float().mean() > 0.5
    assert int(order_change_mask(before, before).sum()) == 0
    assert int(changed.sum()) == int(order_change_mask(after, before).sum(dim=(1, 2)))


def test_an_elbow_still_bends_like_a_hinge(body: BodyModel):
    before = crossed_arm().pose[0, 0, 18]
    for twin in depth_twins(crossed_arm(), body, "left_arm"):
        after = twin.params.pose[0, 0, 18]
        cosine = torch.cosine_similarity(before, after, dim=0)
        assert cosine > 0.99  # the same axis, the same way round


def test_a_limb_in_the_image_plane_has_no_twin(body: BodyModel):
    assert flip_limb_depth(facing_params(), body, "left_arm", minimum_m=0.5) is None


def test_order_change_counts_each_image_of_a_batch(body: BodyModel):
    params = crossed_arm()
    twin = flip_limb_depth(params, body, "left_arm")
    assert twin is not None
    one, other = BodyView.of(params, body), BodyView.of(twin, body)
    counts = order_change_mask(BodyView.stack([one, one]), BodyView.stack([one, other])).sum(
        dim=(1, 2)
    )
    assert counts.tolist() == [0, int(order_change_mask(one, other).sum())]


def test_several_people_are_refused(body: BodyModel):
    with pytest.raises(ParamsError, match="2 person"):
        flip_limb_depth(random_params(persons=2), body, "left_arm")
