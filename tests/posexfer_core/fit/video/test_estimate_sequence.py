import numpy as np
import pytest
import torch

from posexfer_core.errors import KeypointsError
from posexfer_core.fit.video.estimate_sequence import fit_sequence, regress_sequence
from posexfer_core.keypoints.detections import read_keypoints
from posexfer_core.keypoints.input_sequence import InputSequence
from posexfer_core.keypoints.layouts import COCO17, FEET6
from tests.benchmarks.random_motions import random_motion
from tests.benchmarks.random_people import FOCAL_PX, IMAGE_PX

FRAMES = 3


@pytest.fixture(scope="module")
def sequence(body) -> InputSequence:
    motion = random_motion(
        np.random.default_rng(3), body, poses=2, missing=0.0, names=COCO17 + FEET6
    )
    people = [np.c_[one.xy, one.confidence][None] for one in motion.keypoints[:FRAMES]]
    return InputSequence(
        image_size=(IMAGE_PX, IMAGE_PX),
        keypoints=read_keypoints(np.stack(people)),
        focal_px=FOCAL_PX,
    )


def test_without_smoothing_every_frame_has_its_own_shape(sequence, body):
    done: list[int] = []
    alone = fit_sequence(
        sequence, range(FRAMES), person=0, body=body, strength=0.0, progress=done.append
    )
    assert sum(done) == len(alone) == FRAMES
    assert not torch.equal(alone[0].params.betas, alone[-1].params.betas)
    (last,) = fit_sequence(sequence, [FRAMES - 1], person=0, body=body, strength=1.0)
    torch.testing.assert_close(last.params.transl, alone[-1].params.transl, rtol=0.0, atol=0.01)


def test_with_smoothing_one_shape_holds_for_all_frames(sequence, body):
    fits = fit_sequence(sequence, range(FRAMES), person=0, body=body, strength=1.0)
    assert all(torch.equal(one.params.betas, fits[0].params.betas) for one in fits)


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_a_person_that_is_not_there_is_said_with_the_number_of_the_frame(sequence, body, strength):
    with pytest.raises(KeypointsError, match="Frame 1: person 4 was asked for, but there are 1"):
        fit_sequence(sequence, [1, 2], person=4, body=body, strength=strength)


@pytest.mark.slow
def test_bodies_are_regressed_image_by_image(body):
    images = torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(0)) * 2.0 - 1.0
    done: list[int] = []
    params = regress_sequence(images, body=body, focal_px=80.0, strength=0.0, progress=done.append)
    assert (params.frames, params.image_size, sum(done)) == (2, (64, 48), 2)
    assert float(params.intrinsics[0, 0, 0]) == 80.0
