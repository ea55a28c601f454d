"""The numbers and folders that several rooms share; each stands here and nowhere else."""

from pathlib import Path

JOINT_COUNT = 24
"""Joints of SMPL's kinematic tree."""
BETA_COUNT = 10
"""Shape directions of every body; files with more are cut, files with fewer are padded."""
DEPTH_LIMIT_M = 1.5
"""Root-relative depth z_rel is clipped to ± this, metres; maps span it from black to white."""
TRAINING_STEPS = 1000
"""Timesteps of the noise schedule."""
NOISE_BETA_START, NOISE_BETA_END = 0.00085, 0.012
"""The schedule's betas, linear in their square roots, as in latent diffusion (arXiv:2112.10752)."""

ASSETS = Path(__file__).parent / "assets"
"""The weights that ship."""
DEMO = ASSETS / "demo"
"""The people and poses that ship."""
ANNY = Path("anny")
"""Stands for the body of the package anny where a body file is asked for."""
