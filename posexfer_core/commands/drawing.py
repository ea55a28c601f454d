"""Drawing staged people: by their own pixels alone, or by the network on top of them."""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from ..errors import ConfigError
from ..files.images import to_pil
from ..network.guidance import Guidance
from ..network.weights import BUNDLED_WEIGHTS
from ..transfer.staging import Stage
from ..warp.filters import dilate, gaussian_blur
from ..warp.skirt import Skirt
from ..warp.warp_to_pose import Leftovers, WarpedPhoto, pose_picture
from .options import between, count, seed

ImageTensor = Float[Tensor, "1 3 height width"]
Sampler = Callable[[Stage, WarpedPhoto | None], ImageTensor]
"""From framed images and bodies, and the warp of one to the other, to an image in [-1, 1]; one
seed draws one image."""
METHODS = ("warp", "network")
STEPS = 20
NETWORK_OPTIONS = (
    "weights",
    "base",
    "base_vae",
    "image_encoder",
    "steps",
    "seed",
    "guidance_pose",
    "guidance_identity",
)


def add_drawing_options(parser: argparse.ArgumentParser) -> None:
    """Add what becomes of things held, the weights, the sampler's settings and the switches."""
    parser.add_argument(
        "--leftovers",
        choices=get_args(Leftovers),
        default="keep",
        help="things in the mask that are neither body nor clothes, such as poles and bags, stay "
        "where they were or go (default: keep)",
    )
    parser.add_argument(
        "--skirt",
        choices=get_args(Skirt),
        default="auto",
        help="where a skirt or dress ends; auto finds one by its hem, or where it goes down to the "
        "feet or stands far off both legs (default: auto)",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE.safetensors",
        help="of the network; default: the bundled tiny weights",
    )
    parser.add_argument(
        "--base",
        type=Path,
        metavar="PATH",
        help="model of the SD 1.5 or SDXL family that the weights are an adapter of: a folder of "
        "diffusers or a .safetensors checkpoint",
    )
    parser.add_argument(
        "--base-vae", type=Path, metavar="PATH", help="another VAE than the base's own"
    )
    parser.add_argument(
        "--image-encoder",
        type=Path,
        metavar="FOLDER",
        help="CLIP's vision model, where the folder of the base has none",
    )
    parser.add_argument("--steps", type=count, help=f"sampling steps (default: {STEPS})")
    parser.add_argument("--seed", type=seed, help="seed of the noise (default: 0)")
    scale = between(0.0, 100.0, "a scale from 0 to 100")
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
        help="let the network draw without the source's pixels, warped along the body's surface",
    )


def speaks_of_network(options: argparse.Namespace) -> bool:
    """Tell whether an option was given that only the network has."""
    given = any(getattr(options, name) is not None for name in NETWORK_OPTIONS)
    return given or options.no_prior or options.no_warp


def draw_by_warp(staged: Stage, leftovers: Leftovers, skirt: Skirt) -> Iterator[Image.Image]:
    """Draw every frame of a stage by its own pixels."""
    prepared, targets = staged.prepared(leftovers=leftovers, skirt=skirt), staged.target
    del staged  # masks of a large photo fill the memory
    for number in range(len(targets)):
        yield pose_picture(prepared, targets.at(number))


def draw_by_network(
    staged: Stage,
    sample: Sampler,
    leftovers: Leftovers,
    skirt: Skirt,
    original: ImageTensor | None,
) -> Iterator[Image.Image]:
    """Draw every frame of a stage by a sampler, and put it back into an original, if there is one.

    What the warp leaves as it is stays as it is in the original.
    """
    warps = staged.warps(leftovers=leftovers, skirt=skirt)
    for number in range(len(staged.target)):
        warp = next(warps)
        result = sample(replace(staged, target=staged.target.at(number)), warp)
        if original is not None:
            changed = gaussian_blur(dilate(~warp.background[:, 0], 2)[:, None].float(), 1.0)
            onto = original.clone() if len(staged.target) > 1 else original
            result = staged.framing.paste(result, onto, changed=changed)
            del onto
        yield to_pil(result)
        del result, warp  # large ones beside the next fill the memory


def open_sampler(options: argparse.Namespace) -> Sampler:
    """Load the weights that the options name; what is returned draws with their settings.

    Raises:
        CheckpointError: the weights are missing, damaged or something else.
        ConfigError: diffusers is not installed.
    """
    try:
        from ..diffusion.base_files import BaseFiles
        from ..diffusion.pipeline import PoseTransferPipeline
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"Drawing needs the package {error.name}: pip install 'posexfer[diffusion]'."
        ) from error
    if options.base is None:
        if options.base_vae or options.image_encoder:
            raise ConfigError("--base-vae and --image-encoder belong to a --base; name that, too.")
        pipeline = PoseTransferPipeline.from_bundle(options.weights or BUNDLED_WEIGHTS)
    else:
        files = BaseFiles(
            model=options.base, vae=options.base_vae, image_encoder=options.image_encoder
        )
        pipeline = PoseTransferPipeline.from_base(files, _adapter(options))
    pipeline.set_progress_bar_config(desc="drawing", unit="step", leave=False)
    guidance = Guidance.usual(
        pipeline.network.config, pose=options.guidance_pose, identity=options.guidance_identity
    )

    def draw(staged: Stage, warp: WarpedPhoto | None) -> Tensor:
        drawn = pipeline(
            staged.image,
            staged.source,
            staged.target,
            warped=None if warp is None else warp.planes,
            num_inference_steps=options.steps or STEPS,
            guidance=guidance,
            generator=torch.Generator().manual_seed(options.seed or 0),
            output_type="pt",
            prior=not options.no_prior,
            warp=not options.no_warp,
        ).images
        assert isinstance(drawn, Tensor)
        return drawn

    return draw


def _adapter(options: argparse.Namespace) -> Path:
    """Name the weights that sit on the base that the options name."""
    if options.weights is None:
        raise ConfigError(
            f"--base {options.base} alone draws no poses.\nExpected --weights, an adapter that was "
            "trained for this family; none is bundled.\nTrain one, or leave --base out."
        )
    return options.weights
