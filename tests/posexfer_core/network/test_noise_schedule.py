import pytest
import torch

from posexfer_core.network.noise_schedule import alpha_bar_at


def test_the_schedule_is_that_of_diffusers():
    schedule = pytest.importorskip("posexfer_core.diffusion.schedule").make_scheduler()
    torch.testing.assert_close(
        alpha_bar_at(torch.arange(1000)), schedule.alphas_cumprod, atol=1e-6, rtol=1e-4
    )


def test_a_schedule_without_signal_at_its_end_is_that_of_diffusers():
    """diffusers has exactly 0 at the end, where ours is 4.9e-8."""
    make = pytest.importorskip("posexfer_core.diffusion.schedule").make_scheduler
    ours = alpha_bar_at(torch.arange(1000), zero_terminal_snr=True)
    theirs = make(zero_terminal_snr=True).alphas_cumprod
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)
    assert float(ours[0]) == pytest.approx(1.0 - 0.00085, abs=1e-6)
    assert float(ours[999]) == pytest.approx(4.9e-8) and ours.log().isfinite().all()


def test_the_ends_and_what_lies_between_two_steps():
    first, last = alpha_bar_at(torch.tensor([0, 999])).tolist()
    assert first == pytest.approx(1.0 - 0.00085, abs=1e-6)
    assert last == pytest.approx(0.00466, abs=1e-5)
    below, middle, above = alpha_bar_at(torch.tensor([41.0, 41.5, 42.0]))
    assert float(middle) == pytest.approx(float((below * above).sqrt()), rel=1e-5)
