"""Pictures of one clothed person in many poses in one place, with parameters and masks, as files.

What somebody has who photographs one person: `python -m training.synthetic.one_person --out photos
--count 40 --seed 1` makes a folder to try `training/configs/own_photos.toml` on.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.files.images import save_pil

from ..console import command_parser, run_command
from .clothed_pairs import clothe, draw_distance, draw_in_pose, draw_surroundings
from .pairs import target_yaw
from .portrait import Portrait
from .wardrobe import draw_clothed_person


class Picture(NamedTuple):
    """One picture and the body in it."""

    shown: Portrait
    params: HumanParams


def main(arguments: list[str] | None = None) -> int:
    """Write the folder."""
    parser = command_parser(__doc__, "training.synthetic.one_person")
    parser.add_argument("--out", type=Path, required=True, help="folder, made if missing")
    parser.add_argument("--count", type=int, required=True, help="pictures")
    parser.add_argument("--seed", type=int, required=True, help="decides person and place")
    parser.add_argument("--start", type=int, default=0, help="number of the first (default 0)")
    chosen = parser.parse_args(arguments)
    return run_command(lambda: _run(chosen.out, chosen.seed, chosen.start, chosen.count))


def _run(out: Path, seed: int, start: int, count: int) -> None:
    out.mkdir(parents=True, exist_ok=True)
    numbers = range(start, start + count)
    pictures = one_person(seed, numbers, BodyModel.bundled())
    for number, picture in zip(numbers, tqdm(pictures, total=count), strict=True):
        save_pil(Image.fromarray(picture.shown.image), out / f"{number:03d}.png")
        save_pil(Image.fromarray(picture.shown.coverage), out / f"{number:03d}_mask.png")
        picture.params.save(out / f"{number:03d}.npz")


def one_person(seed: int, numbers: range, body: BodyModel) -> Iterator[Picture]:
    """Draw pictures of the person of a seed, turned any way, 256x176 pixels.

    Args:
        seed: decides person, clothes, camera, light and background.
        numbers: each decides a pose, whatever others are drawn.
        body: the bundled one.
    """
    rng, camera, wall = (np.random.default_rng([seed, part]) for part in range(3))
    person = clothe(draw_clothed_person(rng), body)
    around = draw_surroundings(camera, wall)
    distance = draw_distance(rng, person, around)
    for number in numbers:
        own = np.random.default_rng([seed, number, 3])
        shown, pose, transl = draw_in_pose(own, person, body, around, distance, target_yaw(own))
        params = HumanParams.single(
            pose=torch.from_numpy(pose),
            betas=torch.from_numpy(person.dressed.person.betas),
            transl=torch.from_numpy(np.asarray(transl, np.float32)),
            intrinsics=torch.from_numpy(around.intrinsics),
            image_size=(shown.image.shape[0], shown.image.shape[1]),
        )
        yield Picture(shown, params)


if __name__ == "__main__":
    sys.exit(main())
