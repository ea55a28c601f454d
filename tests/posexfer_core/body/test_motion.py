from dataclasses import replace

import pytest
import torch

from posexfer_core.body.motion import join_frames, resample, resample_to_rate, slice_frames
from posexfer_core.errors import ParamsError
from tests.posexfer_core.body.sample_params import facing_params, random_params
from tests.posexfer_core.body.test_pose_editing import turned_camera


def test_joined_frames_follow_each_other():
    parts = [random_params(1, seed=seed) for seed in range(3)]
    joined = join_frames(parts)
    assert joined.frames == 3
    torch.testing.assert_close(joined.pose[2], parts[2].pose[0])
    with pytest.raises(ParamsError, match="cannot be joined"):
        join_frames([random_params(1), random_params(1, persons=2)])


def test_slices_keep_every_second_frame_and_halve_the_rate():
    params = replace(random_params(6), frame_rate=30.0)
    kept = slice_frames(params, 1, 6, 2)
    torch.testing.assert_close(kept.pose, params.pose[1:6:2])
    assert kept.frame_rate == 15.0
    torch.testing.assert_close(slice_frames(params, -2).pose, params.pose[-2:])


def test_resampling_to_the_same_number_changes_nothing():
    params = replace(random_params(4), frame_rate=30.0)
    same = resample(params, 4)
    torch.testing.assert_close(same.pose, params.pose)
    assert same.frame_rate == pytest.approx(30.0)


def test_new_frames_lie_half_way():
    motion = join_frames([facing_params(), facing_params(joint_18=(0.0, -1.0, 0.0))])
    motion = replace(
        motion, frame_rate=10.0, transl=motion.transl + torch.tensor([0.0, 2.0])[:, None, None]
    )
    three = resample(motion, 3)
    torch.testing.assert_close(three.pose[1, 0, 18], torch.tensor([0.0, -0.5, 0.0]))
    torch.testing.assert_close(three.transl[1], motion.transl[0] + 1.0)
    assert three.frame_rate == pytest.approx(20.0), "it lasts as long"


def test_angles_beyond_half_a_turn_go_the_short_way():
    motion = join_frames(
        [facing_params(joint_12=(0.0, 3.0, 0.0)), facing_params(joint_12=(0.0, -3.0, 0.0))]
    )
    middle = resample(motion, 3).pose[1, 0, 12]
    assert float(middle.norm()) == pytest.approx(torch.pi, abs=1e-3)


def test_a_moving_camera_turns_and_its_place_goes_straight():
    motion = join_frames([facing_params(), facing_params()])
    camera = torch.cat([torch.eye(4)[None], turned_camera(1)])
    middle = resample(replace(motion, camera_from_world=camera), 3).camera_from_world
    torch.testing.assert_close(middle[[0, 2]], camera)
    rotation = middle[1, :3, :3]
    torch.testing.assert_close(rotation @ rotation.mT, torch.eye(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(rotation @ rotation, camera[1, :3, :3], atol=1e-5, rtol=0)
    places = [-(one[:3, :3].mT @ one[:3, 3]) for one in (camera[1], middle[1])]
    torch.testing.assert_close(places[1], places[0] / 2)


def test_another_frame_rate_lasts_as_long():
    params = replace(random_params(31), frame_rate=30.0)
    slow = resample_to_rate(params, 10.0)
    assert slow.frames == 11 and slow.frame_rate == 10.0
    torch.testing.assert_close(slow.pose, params.pose[::3])
    assert resample_to_rate(params, 60.0).frames == 61


def test_bad_numbers_get_a_sentence():
    params = random_params(3)
    with pytest.raises(ParamsError, match="none of the 3"):
        slice_frames(params, 5)
    with pytest.raises(ParamsError, match="step is 0"):
        slice_frames(params, step=0)
    with pytest.raises(ParamsError, match="frames is 0"):
        resample(params, 0)
    with pytest.raises(ParamsError, match="not known"):
        resample_to_rate(params, 24.0)
    with pytest.raises(ParamsError, match="frame_rate is -1"):
        resample_to_rate(replace(params, frame_rate=30.0), -1.0)
