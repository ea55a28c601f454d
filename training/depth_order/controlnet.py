"""An example of an adapter: a ControlNet of diffusers draws the twins.

`python -m training.depth_order.controlnet --twins FOLDER --base SD15 --controlnet NET --kind depth
--out IMAGES`, then `python -m training.depth_order --twins FOLDER --images controlnet=IMAGES`.
Models are folders on this machine; nothing is downloaded.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from tqdm import tqdm

from posexfer_core.body.view import BodyView
from posexfer_core.files.images import save_pil, to_pil

from ..console import command_parser, run_command
from .export import control_images
from .files import TwinRow, read_twins, the_body

KINDS = ("skeleton", "mask", "depth", "normal")


def main(arguments: list[str] | None = None) -> int:
    """Draw both poses of every twin."""
    parser = command_parser(__doc__, "training.depth_order.controlnet")
    parser.add_argument("--twins", type=Path, required=True, help="folder of twins")
    parser.add_argument("--each", type=int, help="twins of each subset (default: all)")
    parser.add_argument("--base", type=Path, required=True, help="a diffusers folder")
    parser.add_argument("--controlnet", type=Path, required=True, help="a diffusers folder")
    parser.add_argument("--kind", choices=KINDS, required=True, help="of the control image")
    parser.add_argument("--out", type=Path, required=True, help="folder for the images")
    parser.add_argument("--steps", type=int, default=30, help="sampling steps (default 30)")
    parser.add_argument("--strength", type=float, default=0.9, help="of noise on the source")
    parser.add_argument("--seed", type=int, default=0, help="of the noise, the same for all")
    chosen = parser.parse_args(arguments)
    return run_command(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    from diffusers.models.controlnets.controlnet import ControlNetModel
    from diffusers.pipelines.controlnet.pipeline_controlnet_img2img import (
        StableDiffusionControlNetImg2ImgPipeline,
    )

    net = ControlNetModel.from_pretrained(chosen.controlnet, local_files_only=True)
    pipeline = StableDiffusionControlNetImg2ImgPipeline.from_pretrained(
        chosen.base, controlnet=net, safety_checker=None, local_files_only=True
    )
    if torch.cuda.is_available():
        pipeline.to("cuda")
    rows = list(read_twins(chosen.twins, each=chosen.each))
    draw_with(
        pipeline,
        rows,
        chosen.out,
        kind=chosen.kind,
        steps=chosen.steps,
        strength=chosen.strength,
        seed=chosen.seed,
    )


def draw_with(
    pipeline: Any,
    rows: list[TwinRow],
    folder: Path,
    *,
    kind: str,
    steps: int,
    strength: float,
    seed: int,
) -> None:
    """Call a pipeline of image and control image for both poses, with the same noise."""
    folder.mkdir(parents=True, exist_ok=True)
    for row in tqdm(rows, desc="twins", disable=None):
        source: Image.Image = to_pil(row.images["source"][None])
        for name in ("a", "b"):
            control = control_images(BodyView.of(row.params(name), the_body()))[kind]
            drawn = pipeline(
                prompt="a person",
                image=source,
                control_image=to_pil(control),
                strength=strength,
                num_inference_steps=steps,
                generator=torch.Generator().manual_seed(seed),
            ).images[0]
            save_pil(drawn, folder / f"{row.number:04d}_{name}.png")


if __name__ == "__main__":
    sys.exit(main())
