"""What warps are worth on people never fitted to: `python -m tests.benchmarks.warp`.

Synthetic pairs at 512x352 with true bodies and true masks of the source. Scored where the target's
clothed person is: PSNR from the mean squared error of all pairs of a row, mean SSIM. Rows go by the
share of the body that the source shows.
"""

import argparse
import sys
import time
from collections import defaultdict
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
from posexfer_core.geometry.rasterize import rasterize
from posexfer_core.transfer.inputs import body_points
from posexfer_core.warp.exemplar_fill import fill_with_texture
from posexfer_core.warp.warp_to_pose import pose_source, prepare_source
from posexfer_core.warp.warped_source import warp_source
from training.synthetic import pairs

SIZE = (512, 352)
ROWS = ((0.6, "front"), (0.2, "side"), (0.0, "back"))
POINTS = 512


def main() -> None:
    """Print a line for each way and row."""
    parser = argparse.ArgumentParser(description="Compare warps on synthetic pairs.")
    parser.add_argument("--count", type=int, default=48, help="pairs (default: 48)")
    parser.add_argument("--seed", type=int, default=9000, help="of the pairs (default: 9000)")
    parser.add_argument("--out", type=Path, help="folder for the images, if wanted")
    options = parser.parse_args()
    body = BodyModel.bundled()
    pairs.IMAGE_SIZE = SIZE
    scores = defaultdict(list)
    seconds = defaultdict(float)
    for index in range(options.count):
        images, views, masks = _pair(options.seed, index, body)
        ways: dict[str, Tensor] = {"copy": images[0]}
        start = time.process_time()
        old = warp_source(images[0], *views, body_points(views[1], POINTS))
        seconds["today"] += time.process_time() - start
        ways["today"] = old[:, :3]
        views = tuple(view.reframed((0.0, 0.0), 1.0, SIZE) for view in views)  # drawn anew
        start = time.process_time()
        prepared = prepare_source(images[0], views[0], masks[0][:, None].float())
        new = pose_source(prepared, views[1])
        seconds["new, hole filled with texture"] += time.process_time() - start
        start = time.process_time()
        fill_with_texture(images[0], prepared.unknown)
        seconds["the texture alone"] += time.process_time() - start
        ways["new"] = new.image
        shown = float(old[:, 3].sum() / views[1].visibility.mask.sum())
        row = next(name for least, name in ROWS if shown >= least)
        for way, image in ways.items():
            scores[row, way].append(_score(image, images[1], masks[1][0]))
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            sheet = torch.cat([images[0], ways["today"], ways["new"], images[1]], 3)
            save_image(sheet, options.out / f"{index:03d}_{row}.png")
    for _, row in ROWS:
        for way in ("copy", "today", "new"):
            errors, similar = np.array(scores[row, way] or [(np.nan, np.nan)]).T
            psnr = -10 * np.log10(errors.mean())
            sys.stdout.write(
                f"{row:5s} {way:5s} {len(errors):3d} pairs  PSNR {psnr:5.2f} dB  "
                f"SSIM {similar.mean():.3f}\n"
            )
    for way, total in seconds.items():
        sys.stdout.write(f"{way}: {total / options.count:.2f} CPU s a pair\n")


def _pair(
    seed: int, index: int, body: BodyModel
) -> tuple[list[Tensor], tuple[BodyView, ...], list[Tensor]]:
    """Make a pair: images, bare bodies, and masks of the clothed person."""
    row = pairs.make_pair(seed, index, body)
    dressed = pairs.dress(pairs.draw_person(np.random.default_rng([seed, index])), body)
    intrinsics = torch.from_numpy(row["intrinsics"])
    images, views, masks = [], [], []
    for role in ("source", "target"):
        transl = torch.from_numpy(row[f"{role}_transl"])
        params = HumanParams.single(
            pose=torch.from_numpy(row[f"{role}_pose"]),
            betas=torch.from_numpy(row["betas"]),
            transl=transl,
            intrinsics=intrinsics,
            image_size=SIZE,
        )
        views.append(BodyView.of(params, body))
        worn = pairs.pose_dressed(dressed, body, row[f"{role}_pose"]) + transl
        masks.append(rasterize(worn[None], body.faces, intrinsics[None], SIZE).mask)
        image = torch.from_numpy(row[role]).permute(2, 0, 1)[None]
        images.append(image.float() / 127.5 - 1.0)
    return images, tuple(views), masks


def _score(image: Tensor, wanted: Tensor, person: Tensor) -> tuple[float, float]:
    """Mean squared error, of a range of 1, and SSIM over the person's pixels."""
    found, right = (
        ((one[0].permute(1, 2, 0).clamp(-1, 1) + 1) / 2).double().numpy() for one in (image, wanted)
    )
    where = person.numpy()
    compared: Any = structural_similarity(
        right, found, data_range=1.0, channel_axis=2, gaussian_weights=True, sigma=1.5, full=True
    )
    similar = compared[1]
    return float(((found - right)[where] ** 2).mean()), float(similar[where].mean())


if __name__ == "__main__":
    main()
