"""How noise is added and taken away for networks trained here."""

from diffusers.schedulers.scheduling_ddim import DDIMScheduler

TRAINING_STEPS = 1000


def make_scheduler() -> DDIMScheduler:
    """Build the schedule of the `tiny` preset, for training and for sampling.

    Betas rise from 0.00085 to 0.012, linearly in their square roots, as in latent diffusion
    (arXiv:2112.10752). The network predicts v = sqrt(a) noise - sqrt(1 - a) latents
    (arXiv:2202.00512). Sampling spaces its steps backwards from the last one ("trailing",
    arXiv:2305.08891), so that it starts at the noisiest level that was trained: 20 steps visit
    999, 949, ..., 49.
    """
    return DDIMScheduler(
        num_train_timesteps=TRAINING_STEPS,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=False,
    )
