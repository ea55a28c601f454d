"""What the warp is worth on people never fitted to: `python -m tests.benchmarks.warp`.

Clothed synthetic pairs at 512x352, skirts and long hair among them, with true bodies and masks.
Scored on the target's clothed person: PSNR from the mean squared error of all pairs of a row, mean
SSIM, and a perceptual distance where the package of its features is installed. Rows go by the share
of the target's body that the source shows.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.files.images import save_image
from posexfer_core.warp.warp_to_pose import WarpedPhoto, pose_source, prepare_source
from training.metrics.perceptual import perceptual_distance
from training.synthetic.clothed_pairs import make_clothed_pair

ROWS = ((0.4, "front"), (0.2, "side"), (0.0, "back"))
STEPS = 10
Draw = Callable[[Tensor, tuple[BodyView, ...], WarpedPhoto], Tensor]


def main() -> None:
    """Print a line for each way and row."""
    parser = argparse.ArgumentParser(description="Score the warp on synthetic pairs.")
    parser.add_argument("--count", type=int, default=48, help="pairs (default: 48)")
    parser.add_argument("--seed", type=int, default=9000, help="of the pairs (default: 9000)")
    parser.add_argument("--weights", type=Path, help="of a network to draw over the warp")
    parser.add_argument("--out", type=Path, help="folder for the images, if wanted")
    options = parser.parse_args()
    body = BodyModel.bundled()
    network = None if options.weights is None else _network(options.weights)
    scores = defaultdict(list)
    seconds = defaultdict(float)
    for index in range(options.count):
        images, views, masks = _pair(options.seed, index, body)
        ways: dict[str, Tensor] = {"copy": images[0]}
        for name, mask in (("without mask", None), ("warp", masks[0])):
            start = time.process_time()
            warp = pose_source(prepare_source(images[0], views[0], mask), views[1])
            seconds[name] += time.process_time() - start
            ways[name] = warp.image
        if network is not None:
            ways["network"] = network(images[0], views, warp)
        shown = float(warp.visible.sum() / warp.body.sum())
        row = next(name for least, name in ROWS if shown >= least)
        for way, image in ways.items():
            scores[row, way].append(_score(image, images[1], masks[1]))
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            sheet = torch.cat([*ways.values(), images[1]], 3)
            save_image(sheet, options.out / f"{index:03d}_{row}.png")
    for row in [name for _, name in ROWS] + ["all"]:
        for way in dict.fromkeys(name for _, name in scores):
            found = [
                one
                for (at, name), many in scores.items()
                if name == way
                for one in many
                if row in (at, "all")
            ]
            errors, similar, distance = np.array(found or [(np.nan,) * 3]).T
            sys.stdout.write(
                f"{row:5s} {way:12s} {len(found):3d} pairs  "
                f"PSNR {-10 * np.log10(errors.mean()):5.2f} dB  SSIM {similar.mean():.3f}  "
                f"perceptual {distance.mean():.4f}\n"
            )
    for way, total in seconds.items():
        sys.stdout.write(f"{way}: {total / options.count:.2f} CPU s a pair\n")


def _network(weights: Path) -> Draw:
    from posexfer_core.diffusion.pipeline import PoseTransferPipeline

    pipeline = PoseTransferPipeline.from_bundle(weights)
    pipeline.set_progress_bar_config(disable=True)

    def draw(image: Tensor, views: tuple[BodyView, ...], warp: WarpedPhoto) -> Tensor:
        return pipeline(
            image,
            views[0],
            views[1],
            warped=warp.planes,
            num_inference_steps=STEPS,
            generator=torch.Generator().manual_seed(0),
            output_type="pt",
        ).images

    return draw


def _pair(
    seed: int, index: int, body: BodyModel
) -> tuple[list[Tensor], tuple[BodyView, ...], list[Tensor]]:
    """Make a pair: images, bare bodies, and masks of the clothed person."""
    row = make_clothed_pair(seed, index, body, scale=2).row
    images, views, masks = [], [], []
    for role in ("source", "target"):
        image = torch.from_numpy(row[role]).permute(2, 0, 1)[None]
        images.append(image.float() / 127.5 - 1.0)
        masks.append(torch.from_numpy(row[f"{role}_coverage"])[None, None].float() / 255.0)
        params = HumanParams.single(
            pose=torch.from_numpy(row[f"{role}_pose"]),
            betas=torch.from_numpy(row["betas"]),
            transl=torch.from_numpy(np.asarray(row[f"{role}_transl"], np.float32)),
            intrinsics=torch.from_numpy(row["intrinsics"]),
            image_size=(image.shape[-2], image.shape[-1]),
        )
        views.append(BodyView.of(params, body))
    return images, tuple(views), masks


def _score(image: Tensor, wanted: Tensor, person: Tensor) -> tuple[float, float, float]:
    """Mean squared error, of a range of 1, SSIM and perceptual distance on the person's pixels."""
    found, right = (
        ((one[0].permute(1, 2, 0).clamp(-1, 1) + 1) / 2).double().numpy() for one in (image, wanted)
    )
    where = person[0, 0].numpy() > 0.5
    compared: Any = structural_similarity(
        right, found, data_range=1.0, channel_axis=2, gaussian_weights=True, sigma=1.5, full=True
    )
    similar = compared[1]
    distance = perceptual_distance(image, wanted, person)
    error = float(((found - right)[where] ** 2).mean())
    return error, float(similar[where].mean()), float(distance)


if __name__ == "__main__":
    main()
