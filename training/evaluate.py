"""Score a bundle on unseen synthetic people, beside baselines without a network.

`python -m training.evaluate --weights W.safetensors` makes its own pairs from a seed range that no
training uses, and prints mean PSNR and SSIM of the model with and without warp and prior, of two
baselines, and of the autoencoder alone, which bounds the model.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm import tqdm

from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.diffusion.pipeline import PoseTransferPipeline
from posexfer_core.files.images import save_image
from posexfer_core.files.weights import add_to_recipe
from posexfer_core.network.guidance import Guidance
from posexfer_core.network.weights import BUNDLED_WEIGHTS
from posexfer_core.transfer.inputs import warp_images
from posexfer_core.warp.restore_detail import restore_detail

from .console import print_line, run_command, scoring_parser
from .data.shards import Pair, ShardDataset
from .data.textures import photo_textures
from .make_synthetic import make_shards
from .metrics.baselines import mean_of, paste_warp
from .metrics.images import psnr, ssim

TEST_SEED = 900_001
Images = Float[Tensor, "batch 3 height width"]


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = scoring_parser(__doc__, BUNDLED_WEIGHTS, count=256, counted="pairs")
    parser.add_argument("--data", type=Path, help="folder for the test pairs; default: temporary")
    parser.add_argument("--steps", type=int, default=20, help="sampling steps")
    parser.add_argument("--batch", type=int, default=8, help="pairs at a time")
    parser.add_argument("--guidance-pose", type=float, help="default: the network's")
    parser.add_argument("--guidance-identity", type=float, help="default: the network's")
    parser.add_argument("--out", type=Path, help="folder for a sheet of the first pairs")
    parser.add_argument("--json", type=Path, help="file for the scores")
    chosen = parser.parse_args(arguments)
    return run_command(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    with unseen_pairs(chosen.data, chosen.count) as data:
        scores = _evaluate(data, chosen)
    if chosen.record:
        add_to_recipe(chosen.weights, scores=scores)
    if chosen.json:
        chosen.json.write_text(json.dumps(scores, indent=1))


@contextmanager
def unseen_pairs(folder: Path | None, count: int) -> Iterator[ShardDataset]:
    """Make pairs that no training uses, in a folder or in a temporary one."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = folder or Path(temporary)
        make_shards(folder, count=count, seed=TEST_SEED, workers=2)
        yield ShardDataset(folder)


def _evaluate(data: ShardDataset, chosen: argparse.Namespace) -> dict[str, dict[str, float]]:
    pipeline = PoseTransferPipeline.from_bundle(chosen.weights)
    pipeline.set_progress_bar_config(disable=True)
    guidance = Guidance.usual(
        pipeline.network.config, pose=chosen.guidance_pose, identity=chosen.guidance_identity
    )

    def model(
        *, warp: bool = True, prior: bool = True, detail: bool = True
    ) -> Callable[[Batch], Images]:
        def draw(batch: Batch) -> Images:
            return pipeline(
                batch.source_image,
                batch.source,
                batch.target,
                num_inference_steps=chosen.steps,
                guidance=guidance,
                generator=torch.Generator().manual_seed(0),
                output_type="pt",
                warp=warp,
                prior=prior,
                detail=detail,
            ).images

        return draw

    def with_detail(batch: Batch) -> Images:
        assert batch.drawn is not None, "the model has drawn before its detail is put back"
        return restore_detail(batch.drawn, batch.warped)

    def keep(batch: Batch) -> Images:
        batch.drawn = model(detail=False)(batch)
        return batch.drawn

    methods: dict[str, Callable[[Batch], Images]] = {
        "copy the source": lambda batch: batch.source_image,
        "paste the warp": _paste,
        "warp, holes filled": lambda batch: batch.warped[:, :3],
        "model, no detail": keep,
        "model": with_detail,
        "model, no warp": model(warp=False),
        "model, no prior": model(prior=False),
        "autoencoder alone": lambda batch: pipeline.vae(batch.target_image),
    }
    scores: dict[str, dict[str, float]] = {}
    batches = list(_batches(data, min(chosen.count, len(data)), chosen.batch))
    sheet = [[b.source_image for b in batches[:1]], [b.target_image for b in batches[:1]]]
    for name, draw in methods.items():
        begin, values = time.perf_counter(), {"psnr": [], "ssim": []}
        for number, batch in enumerate(tqdm(batches, desc=name, leave=False, disable=None)):
            with torch.no_grad():
                drawn = draw(batch)
            for image, wanted in zip(drawn, batch.target_image, strict=True):
                values["psnr"].append(psnr(image, wanted))
                values["ssim"].append(ssim(image, wanted))
            if number == 0:
                sheet.append([drawn])
        scores[name] = {measure: mean_of(entries) for measure, entries in values.items()}
        scores[name]["seconds_per_picture"] = (time.perf_counter() - begin) / len(values["psnr"])
        print_line(
            f"{name:20s} PSNR {scores[name]['psnr']:6.2f} dB   SSIM {scores[name]['ssim']:.4f}"
        )
    textures = photo_textures(32, 192, torch.Generator().manual_seed(TEST_SEED))
    with torch.no_grad():
        rebuilt = pipeline.vae(textures)
    photo = mean_of([psnr(a, b) for a, b in zip(rebuilt, textures, strict=True)])
    scores["autoencoder on photo-like noise"] = {"psnr": photo}
    print_line(f"autoencoder on photo-like noise: PSNR {photo:.2f} dB")
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        rows = [torch.cat(list(torch.cat(row)), -1) for row in sheet]
        save_image(torch.cat(rows, -2)[None], chosen.out / "evaluation.png")
    return scores


class Batch:
    """Pairs with their views."""

    def __init__(self, pairs: list[Pair], body: BodyModel) -> None:
        self.source_image = torch.stack([pair.source_image for pair in pairs])
        self.target_image = torch.stack([pair.target_image for pair in pairs])
        self.source = BodyView.stack([BodyView.of(pair.source, body) for pair in pairs])
        self.target = BodyView.stack([BodyView.of(pair.target, body) for pair in pairs])
        self.drawn: Images | None = None
        """What the model drew, before the warp's fine detail was put back."""

    @cached_property
    def warped(self) -> Float[Tensor, "batch 6 height width"]:
        """The warped source, its masks and the clothed body's."""
        return warp_images(self.source_image, self.source, self.target)


def _batches(data: ShardDataset, count: int, size: int) -> Iterator[Batch]:
    body = BodyModel.bundled()
    for start in range(0, count, size):
        yield Batch([data.pair(i) for i in range(start, min(start + size, count))], body)


def _paste(batch: Batch) -> Images:
    masks = batch.target.visibility.mask
    return torch.stack([paste_warp(d, m) for d, m in zip(batch.warped, masks, strict=True)])


if __name__ == "__main__":
    sys.exit(main())
