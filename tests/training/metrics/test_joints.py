import pytest
import torch

from posexfer_core.geometry.rotations import axis_angle_to_matrix
from tests.benchmarks.random_people import aligned_error_mm
from training.metrics.joints import aligned_error_m, pelvis_error_m


def test_a_similarity_is_forgiven_and_a_mirror_is_not(generator):
    joints = torch.randn(3, 24, 3, generator=generator)
    turn = axis_angle_to_matrix(torch.tensor([0.5, 1.0, -0.3]))
    assert float(aligned_error_m(1.7 * joints @ turn.mT + 2.0, joints).max()) < 1e-5
    assert float(aligned_error_m(joints * torch.tensor([-1.0, 1.0, 1.0]), joints).min()) > 0.1


def test_alignment_agrees_with_the_plain_one(generator):
    found, true = torch.randn(2, 3, 24, 3, generator=generator)
    errors = aligned_error_m(found, true)
    for row in range(3):
        wanted = aligned_error_mm(found[row].double().numpy(), true[row].double().numpy())
        assert float(errors[row]) * 1000.0 == pytest.approx(wanted, rel=1e-5)


def test_only_the_pelvis_is_laid_on_the_pelvis():
    true = torch.zeros(1, 24, 3)
    found = true.clone()
    found[:, 1:] += torch.tensor([3.0, 0.0, 4.0])
    assert float(pelvis_error_m(found + 7.0, true)) == pytest.approx(5.0 * 23 / 24)
