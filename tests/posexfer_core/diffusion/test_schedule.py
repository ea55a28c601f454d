import torch

from posexfer_core.diffusion.schedule import make_scheduler


def test_sampling_starts_at_the_noisiest_trained_level():
    scheduler = make_scheduler()
    scheduler.set_timesteps(20)
    assert scheduler.timesteps.tolist() == list(range(999, 0, -50))
    scheduler.set_timesteps(1)
    assert scheduler.timesteps.tolist() == [999]


def test_sampling_ends_without_noise():
    assert make_scheduler().final_alpha_cumprod == 1.0


def test_betas_rise_linearly_in_their_roots():
    betas = make_scheduler().betas
    roots = betas.sqrt()
    torch.testing.assert_close(betas[[0, -1]], torch.tensor([0.00085, 0.012]))
    torch.testing.assert_close(roots.diff(), roots.diff().mean().expand(999), atol=1e-7, rtol=1e-2)


def test_the_true_velocity_leads_back_to_the_latents(generator):
    scheduler = make_scheduler()
    scheduler.set_timesteps(10)
    clean = torch.randn(2, 4, 3, 3, generator=generator)
    noise = torch.randn(2, 4, 3, 3, generator=generator)
    first = scheduler.alphas_cumprod[999]
    latents = first.sqrt() * clean + (1.0 - first).sqrt() * noise
    for step in scheduler.timesteps:
        alpha_bar = scheduler.alphas_cumprod[step]
        velocity = alpha_bar.sqrt() * noise - (1.0 - alpha_bar).sqrt() * clean
        latents = scheduler.step(velocity, int(step), latents, return_dict=False)[0]
    final = scheduler.final_alpha_cumprod
    expected = final.sqrt() * clean + (1.0 - final).sqrt() * noise
    torch.testing.assert_close(latents, expected, atol=1e-5, rtol=1e-4)
