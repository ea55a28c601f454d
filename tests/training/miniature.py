"""DeepFashion In-shop in miniature, of synthetic people: its names, lists and oddities."""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.render.openpose import keypoints18
from training.data.deepfashion import renamed
from training.synthetic.clothed_pairs import make_clothed_pair

FULL = (1101, 750)
"""Height and width of the pictures, pixels."""
FILES = ("01_1_front.jpg", "01_2_side.jpg")
CATEGORIES = ("MEN/Jackets_Vests", "WOMEN/Denim")


def make_deepfashion(
    root: Path, body: BodyModel, *, people: int, split: str = "train", seed: int = 11
) -> list[list[str]]:
    """Write two pictures of each person, lists, and parameters of every first picture.

    Returns:
        The renamed pictures of each person. Keypoints of all pictures are in the list.
    """
    names, rows, pairs = [], [], []
    for number in range(people):
        row = make_clothed_pair(seed, number, body).row
        folder = Path(f"img_highres/{CATEGORIES[number % 2]}/id_{seed + number:08d}")
        (root / folder).mkdir(parents=True, exist_ok=True)
        own = []
        for role, file in zip(("source", "target"), FILES, strict=True):
            picture = Image.fromarray(row[role])
            picture.resize((FULL[1], FULL[0]), Image.Resampling.BICUBIC).save(root / folder / file)
            name = renamed(folder / file)
            params = _params(row, role, FULL)
            if role == "source":
                (root / "bodies").mkdir(exist_ok=True)
                params.save(root / "bodies" / f"{Path(name).stem}.npz")
            rows.append(f"{name}:{_keypoints(_params(row, role, (256, 176)), body)}")
            own.append(name)
        names.append(own)
        pairs += [(own[0], own[1]), (own[1], own[0])]
    lines = ["from,to", *(f"{source},{target}" for source, target in pairs)]
    (root / f"fasion-resize-pairs-{split}.csv").write_text("\n".join(lines) + "\n")
    lines = ["name:keypoints_y:keypoints_x", *rows]
    (root / f"fasion-resize-annotation-{split}.csv").write_text("\n".join(lines) + "\n")
    return names


def make_flawed_deepfashion(root: Path, body: BodyModel) -> list[list[str]]:
    """Write three people: one has a broken picture, one a picture of which nothing is known.

    Of the two pairs that are left, one picture has no parameters: its keypoints are fitted.
    """
    names = make_deepfashion(root, body, people=3)
    broken = picture_of(root, names[0][1])
    broken.write_bytes(broken.read_bytes()[:4000])
    path = root / "fasion-resize-annotation-train.csv"
    rows = [row for row in path.read_text().splitlines() if not row.startswith(names[1][1])]
    path.write_text("\n".join(rows))
    return names


def picture_of(root: Path, name: str) -> Path:
    """Find a picture by its renamed form."""
    return next(p for p in root.rglob("*.jpg") if renamed(p.relative_to(root)) == name)


def _params(row: dict[str, np.ndarray], role: str, size: tuple[int, int]) -> HumanParams:
    """The body in the picture at another size, which stretches it."""
    height, width = row[role].shape[:2]
    factors = np.array([size[1] / width, size[0] / height, 1.0])[:, None]
    return HumanParams.single(
        pose=torch.from_numpy(row[f"{role}_pose"]),
        betas=torch.from_numpy(row["betas"]),
        transl=torch.from_numpy(np.asarray(row[f"{role}_transl"], np.float32)),
        intrinsics=torch.from_numpy((row["intrinsics"] * factors).astype(np.float32)),
        image_size=size,
    )


def _keypoints(params: HumanParams, body: BodyModel) -> str:
    """Write a row as OpenPose's: whole pixels of 256x176, y before x, -1 outside."""
    view = BodyView.of(params, body)
    places = keypoints18(view)[0, :, :2].numpy()
    inside = np.all((places >= 0) & (places < [view.size[1], view.size[0]]), axis=1)
    whole = np.where(inside[:, None], np.floor(places), -1).astype(int)
    return f"{json.dumps(whole[:, 1].tolist())}:{json.dumps(whole[:, 0].tolist())}"
