"""Draw the gallery: `python -m training.make_gallery` writes the images of `docs/gallery.md`.

A photo in several poses, twins, a motion, and unseen people. Nobody is chosen by eye: the twins are
the first ones of every subset; the people are all scored by perceptual distance on the person, and
the best, the middle and the worst are shown, the worst as failures.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm import tqdm

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.commands.demo import (
    ASTRONAUT,
    ASTRONAUT_KEYPOINTS,
    ASTRONAUT_MASK,
    body_alone,
    cell,
    draw,
    fit_photo,
)
from posexfer_core.conventions import DEMO
from posexfer_core.diffusion.pipeline import PoseTransferPipeline
from posexfer_core.files.animations import save_animation
from posexfer_core.files.atomic import make_folder
from posexfer_core.files.images import save_pil, to_pil
from posexfer_core.render.contact_sheet import Cell, contact_sheet
from posexfer_core.render.control_maps import paint_openpose
from posexfer_core.render.overlay import overlay_body
from posexfer_core.transfer.staging import stage
from posexfer_core.warp.warp_to_pose import WarpedPhoto, pose_source, prepare_source

from .console import command_parser, print_line, run_command
from .data.shards import Pair, ShardDataset
from .depth_order.files import TEST_SEED, TwinRow, row_of
from .depth_order.methods import warp
from .depth_order.overlaps import SUBSETS
from .depth_order.twins import make_twin
from .evaluation.unseen_pairs import TEST_SEED as PEOPLE_SEED
from .make_synthetic import ClothedPairs, make_shards
from .metrics.perceptual import perceptual_distance

PHOTO_POSES = ("striding", "arms_raised", "walking", "from_behind", "arm_in_front", "arm_behind")
MOTION_SIDE = 384
SHOWN = 3
"""People shown of each the best, the middle and the worst."""

Image = Float[Tensor, "1 3 height width"]


def main(arguments: list[str] | None = None) -> int:
    """Draw every part into a folder."""
    parser = command_parser(__doc__, "training.make_gallery")
    parser.add_argument("--out", type=Path, default=Path("docs/gallery"), help="folder")
    parser.add_argument("--people", type=int, default=24, help="unseen people (default 24)")
    chosen = parser.parse_args(arguments)
    return run_command(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> None:
    make_folder(chosen.out)
    body = BodyModel.bundled()
    image, fit, mask = fit_photo(ASTRONAUT, ASTRONAUT_KEYPOINTS, ASTRONAUT_MASK, body)
    rows = _photo_rows(image, fit.params, mask, body)
    save_pil(contact_sheet(rows), chosen.out / "photo.jpg")
    _save_motion(image, fit.params, mask, body, chosen.out / "motion.webp")
    save_pil(contact_sheet(list(_twin_rows(body)), height=192), chosen.out / "twins.jpg")
    people = _people_rows(chosen.people, body)
    for name, few in zip(("best", "middle", "worst"), people, strict=True):
        save_pil(contact_sheet(few, height=352), chosen.out / f"people_{name}.jpg")


def _photo_rows(
    image: Image, person: HumanParams, mask: Tensor | None, body: BodyModel
) -> list[list[Cell]]:
    """Lay out the bodies wanted, below each the result; the photo and its body come first."""
    bodies = [cell(overlay_body(image, BodyView.of(person, body)), "its body")]
    results = [cell(image, "photo")]
    for name in tqdm(PHOTO_POSES, desc="photo", disable=None):
        target = HumanParams.load(DEMO / f"{name}.npz")
        drawing = draw(stage(image, person, target, body, size=None, mask=mask, outside="crop"))
        bodies.append(cell(drawing.body, name.replace("_", " ")))
        results.append(cell(drawing.result, "output"))
    return [bodies, results]


def _save_motion(
    image: Image, person: HumanParams, mask: Tensor | None, body: BodyModel, path: Path
) -> None:
    """Animate the photo, with the body that moves it beside it."""
    target = HumanParams.load(DEMO / "motion.npz")
    staged = stage(
        image, person, target, body, size=None, mask=mask, outside="crop", longest=MOTION_SIDE
    )
    frames = (
        to_pil(torch.cat([body_alone(staged.target.at(number)), moved.image], 3))
        for number, moved in enumerate(tqdm(staged.warps(), desc="motion", disable=None))
    )
    save_animation(frames, path, float(target.frame_rate or 12.0))


def _twin_rows(body: BodyModel) -> Iterator[list[Cell]]:
    """Lay out the first twins of every subset: both outputs beside both truths."""
    draw_both = warp(factor=1)
    for subset in SUBSETS:
        row = TwinRow(number=0, subset=subset, arrays=row_of(make_twin(TEST_SEED, subset, 0, body)))
        drawn = draw_both(row)
        views = [BodyView.of(row.params(name), body) for name in ("a", "b")]
        skeleton = 2.0 * paint_openpose(views[0]) - 1.0
        cells = [cell(row.images["source"][None], subset), cell(skeleton, "the same 2D skeleton")]
        for name, view, output in zip(("a", "b"), views, (drawn.a, drawn.b), strict=True):
            cells += [
                cell(body_alone(view), f"body {name}"),
                cell(output[None], "output"),
                cell(row.images[name][None], "truth"),
            ]
        yield cells


@dataclass(frozen=True, kw_only=True)
class _Moved:
    """One unseen person, moved by the warp."""

    pair: Pair
    views: tuple[BodyView, BodyView]
    warp: WarpedPhoto
    distance: float
    """Perceptual distance of the warp on the person."""

    @classmethod
    def of(cls, data: ShardDataset, index: int, body: BodyModel) -> "_Moved":
        """Warp the source of a pair, and compare."""
        pair = data.pair(index)
        views = BodyView.of(pair.source, body), BodyView.of(pair.target, body)
        masks = [
            data.coverage(index, role)[None, None].float() / 255.0 for role in ("source", "target")
        ]
        warped = pose_source(prepare_source(pair.source_image[None], views[0], masks[0]), views[1])
        distance = perceptual_distance(warped.image, pair.target_image[None], masks[1])
        return cls(pair=pair, views=views, warp=warped, distance=float(distance))

    def row(self, network: PoseTransferPipeline) -> list[Cell]:
        """Lay out source, body, the warp, what the network draws over it, and the truth."""
        source, target = self.views
        image = self.pair.source_image[None]
        painted = network(
            image,
            source,
            target,
            warped=self.warp.planes,
            generator=torch.Generator().manual_seed(0),
            output_type="pt",
        ).images
        return [
            cell(image, f"person {self.pair.index}"),
            cell(body_alone(target), "body"),
            cell(self.warp.image, f"output ({self.distance:.2f})"),
            cell(painted, "the small network over it"),
            cell(self.pair.target_image[None], "truth"),
        ]


def _people_rows(count: int, body: BodyModel) -> list[list[list[Cell]]]:
    """Score the warp on unseen people; lay out the best, the middle and the worst."""
    with tempfile.TemporaryDirectory() as folder:
        make_shards(
            Path(folder), maker=ClothedPairs(scale=2), count=count, seed=PEOPLE_SEED, workers=1
        )
        data = ShardDataset(Path(folder))
        numbers = tqdm(range(count), desc="people", disable=None)
        people = sorted(
            (_Moved.of(data, index, body) for index in numbers), key=lambda one: one.distance
        )
    distances = ", ".join(f"{one.distance:.2f}" for one in people)
    print_line(f"perceptual distances on the person: {distances}")
    middle = (count - SHOWN) // 2
    shown = people[:SHOWN], people[middle : middle + SHOWN], people[-SHOWN:]
    network = PoseTransferPipeline.from_bundle()
    network.set_progress_bar_config(disable=True)
    return [[one.row(network) for one in few] for few in shown]


if __name__ == "__main__":
    sys.exit(main())
