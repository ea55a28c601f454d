import pytest
import torch

from training.sample_random import SampleRandom, sample_order


def drawn(rng: SampleRandom) -> list[torch.Tensor]:
    """Small and large draws, and draws for some samples, interleaved."""
    some = rng.take(rng.uniform() < 0.5).normal(2)
    return [rng.normal(3), rng.uniform(100, 2), rng.integers(7, 5), rng.normal(), some.sum()]


def test_a_sample_draws_the_same_in_any_batch():
    whole = drawn(SampleRandom.seeded(3, range(8)))
    halves = [drawn(SampleRandom.seeded(3, range(start, start + 4))) for start in (0, 4)]
    for value, first, second in zip(whole[:4], *(half[:4] for half in halves), strict=True):
        assert torch.equal(value, torch.cat([first, second]))
    torch.testing.assert_close(whole[4], halves[0][4] + halves[1][4])


def test_samples_and_seeds_differ():
    first, second = (SampleRandom.seeded(seed, range(4)).normal(3) for seed in (0, 1))
    assert len(torch.cat([first, second]).unique()) == 24


@pytest.mark.parametrize("shape", [(), (2,), (2, 3)])
def test_numbers_are_distributed_as_their_names_say(shape: tuple[int, ...]):
    rng = SampleRandom.seeded(5, range(2000))
    uniform, normal, integers = rng.uniform(*shape), rng.normal(*shape), rng.integers(3, *shape)
    assert uniform.shape == normal.shape == integers.shape == (2000, *shape)
    assert uniform.min() >= 0.0 and uniform.max() < 1.0 and abs(uniform.mean() - 0.5) < 0.03
    assert abs(normal.mean()) < 0.1 and abs(normal.std() - 1.0) < 0.1
    assert set(integers.unique().tolist()) == {0, 1, 2}


def test_a_batch_may_have_no_sample():
    assert SampleRandom.seeded(0, []).normal(2, 3).shape == (0, 2, 3)


def test_every_epoch_is_a_permutation_of_its_own():
    epochs = [sample_order(5, 1, range(start, start + 5)) for start in (0, 5, 10)]
    assert all(sorted(epoch) == list(range(5)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1
    assert sample_order(5, 1, range(3, 8)) == epochs[0][3:] + epochs[1][:3]
