"""Options of the commands that sample images, and the pipeline that they open."""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigError
from ..network.guidance import Guidance
from ..network.weights import BUNDLED_WEIGHTS
from ..transfer.staging import Stage
from .options import between, count, seed

Sampler = Callable[[Stage], Float[Tensor, "1 3 height width"]]
"""From framed images and bodies to an image in [-1, 1]; one seed draws one image."""


def add_drawing_options(parser: argparse.ArgumentParser) -> None:
    """Add the weights, the sampler's settings and the switches."""
    parser.add_argument(
        "--weights",
        type=Path,
        default=BUNDLED_WEIGHTS,
        metavar="FILE.safetensors",
        help="default: the bundled tiny weights",
    )
    parser.add_argument("--steps", type=count, default=20, help="sampling steps (default: 20)")
    parser.add_argument("--seed", type=seed, default=0, help="seed of the noise (default: 0)")
    parser.add_argument(
        "--guidance-pose",
        type=scale,
        metavar="SCALE",
        help="guidance towards the pose; 1 is none (default: what suits the weights; 1 for the "
        "bundled ones)",
    )
    parser.add_argument(
        "--guidance-identity",
        type=scale,
        metavar="SCALE",
        help="guidance towards the person's looks; likewise",
    )
    parser.add_argument(
        "--no-prior", action="store_true", help="draw without any rendered map of the target"
    )
    parser.add_argument(
        "--no-warp",
        action="store_true",
        help="draw without the source image warped along the body's surface",
    )


def scale(text: str) -> float:
    """Read a guidance scale."""
    return between(0.0, 100.0, "a scale from 0 to 100", text)


def open_sampler(options: argparse.Namespace) -> Sampler:
    """Load the weights that the options name; what is returned draws with their settings.

    Raises:
        CheckpointError: the weights are missing, damaged or something else.
        ConfigError: diffusers is not installed.
    """
    try:
        from ..diffusion.pipeline import PoseTransferPipeline
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"Drawing needs the package {error.name}: pip install 'posexfer[diffusion]'."
        ) from error
    pipeline = PoseTransferPipeline.from_bundle(options.weights)
    pipeline.set_progress_bar_config(desc="drawing", unit="step", leave=False)
    guidance = Guidance.usual(
        pipeline.network.config, pose=options.guidance_pose, identity=options.guidance_identity
    )

    def draw(staged: Stage) -> Tensor:
        drawn = pipeline(
            staged.image,
            staged.source,
            staged.target,
            num_inference_steps=options.steps,
            guidance=guidance,
            generator=torch.Generator().manual_seed(options.seed),
            output_type="pt",
            prior=not options.no_prior,
            warp=not options.no_warp,
        ).images
        assert isinstance(drawn, Tensor)
        return drawn

    return draw
