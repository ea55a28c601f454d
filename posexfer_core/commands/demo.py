"""`posexfer demo`: one synthetic person and one real photo in new poses, as images on disk."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from ..body.depth_flip import order_change_mask
from ..body.model import BodyModel
from ..body.params import HumanParams
from ..body.view import BodyView
from ..errors import ConfigError
from ..files.atomic import make_folder
from ..files.images import from_pil, load_image, save_image, save_pil, to_pil
from ..geometry.camera import project_perspective
from ..render.contact_sheet import Cell, contact_sheet
from ..render.control_maps import paint_openpose
from ..render.overlay import overlay_body
from ..transfer.staging import Stage, stage
from .drawing import Artist, add_drawing_options
from .estimate import fit_person
from .options import index, print_line

HELP = "Draw a synthetic person and a real photo in new poses; leaves images and one sheet."
ASSETS = Path(__file__).parents[1] / "assets" / "demo"
SKIER = Path("..") / "shared" / "data"
"""A folder beside the checkout with a photo of a skier and its keypoints, where there is one."""
POSES = {
    "arm_in_front": "right arm in front",
    "arm_behind": "its depth twin: arm behind",
    "walking": "walking, turned 60°",
    "from_behind": "from behind",
}
TWINS = ("arm_in_front", "arm_behind")
PHOTO_POSES = {"arms_raised": "arms raised", "striding": "striding"}
PAPER = 0.85


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("out/demo"),
        help="folder for the images; made if new (default: out/demo)",
    )
    parser.add_argument(
        "--photo",
        type=Path,
        help="a photo of one person, with --keypoints; default: ../shared/data/skier.jpg where "
        "there is one, else the astronaut of scikit-image (public domain, NASA)",
    )
    parser.add_argument(
        "--keypoints", type=Path, metavar="FILE.json", help="the 2D keypoints of --photo"
    )
    parser.add_argument(
        "--person", type=index, default=0, help="which person of --keypoints, from 0 (default: 0)"
    )
    add_drawing_options(parser)


def run(options: argparse.Namespace) -> None:
    """Draw both halves and lay them out on one sheet."""
    if (options.photo is None) != (options.keypoints is None):
        raise ConfigError("--photo and --keypoints belong together; give both or neither.")
    make_folder(options.out)
    artist, body = Artist.open(options), BodyModel.bundled()
    rows = synthetic_rows(artist, body, options.out)
    rows.append(photo_row(artist, body, options))
    sheet = options.out / "contact_sheet.png"
    save_pil(contact_sheet(rows, title="posexfer: one image, one 3D body, a new pose"), sheet)
    print_line(f"contact sheet: {sheet}")


def synthetic_rows(artist: Artist, body: BodyModel, out: Path) -> list[list[Cell]]:
    """Draw the synthetic person in four poses; compare the depth twins with the truth."""
    image = load_image(ASSETS / "source.png")
    source = HumanParams.load(ASSETS / "source.npz")
    drawings = {
        name: draw(artist, image, source, HumanParams.load(ASSETS / f"{name}.npz"), body)
        for name in POSES
    }
    truths = {name: load_image(ASSETS / f"{name}.png") for name in POSES}
    save_image(image, out / "synthetic_source.png")
    for name, drawing in drawings.items():
        drawing.save(out, f"synthetic_{name}")
    twins = [drawings[name] for name in TWINS]
    print_twins(twins, [truths[name] for name in TWINS])
    save_pil(contact_sheet([twins_row(image, twins)]), out / "twins.png")
    overlay = overlay_body(image, BodyView.of(source, body))
    return [
        [cell(image, "source"), *(d.body_cell(POSES[name]) for name, d in drawings.items())],
        [cell(overlay, "its body"), *(cell(d.result, "output") for d in drawings.values())],
        [Cell(image=None), *(cell(truth, "truth") for truth in truths.values())],
    ]


def twins_row(image: Float[Tensor, "1 3 height width"], twins: Sequence["Drawing"]) -> list[Cell]:
    """The source, the 2D skeleton of both depth twins, and each twin's body and result."""
    skeleton = 2.0 * paint_openpose(twins[0].staged.target) - 1.0
    row = [cell(image, "source"), cell(skeleton, "the same 2D skeleton")]
    for label, twin in zip(("arm in front", "arm behind"), twins, strict=True):
        row += [twin.body_cell(label), cell(twin.result, "output")]
    return row


def photo_row(artist: Artist, body: BodyModel, options: argparse.Namespace) -> list[Cell]:
    """Fit the body to a real photo, then draw that person in two poses."""
    image, keypoints, person = real_photo(options)
    fit = fit_person(keypoints, (image.shape[-2], image.shape[-1]), body, person)
    print_line(f"photo: mean reprojection error: {fit.reprojection_px:.2f} px")
    overlay = overlay_body(image, BodyView.of(fit.params, body), keypoints=True)
    save_image(image, options.out / "photo_source.png")
    save_image(overlay, options.out / "photo_overlay.png")
    row = []
    for name, label in PHOTO_POSES.items():
        drawing = draw(artist, image, fit.params, HumanParams.load(ASSETS / f"{name}.npz"), body)
        drawing.save(options.out, f"photo_{name}")
        pasted = drawing.staged.paste_back(drawing.result, image)
        save_image(pasted, options.out / f"photo_{name}_pasted.png")
        if not row:
            framed = drawing.staged.framing.apply(overlay)
            row += [cell(drawing.staged.image, "photo"), cell(framed, "fitted body")]
        row += [drawing.body_cell(label), cell(drawing.result, "output")]
    return row


def real_photo(options: argparse.Namespace) -> tuple[Float[Tensor, "1 3 height width"], Path, int]:
    """Find the photo to use: the user's, the skier's, or the astronaut's."""
    if options.photo is not None:
        return load_image(options.photo), options.keypoints, options.person
    skier = SKIER / "skier.jpg", SKIER / "skier_coco_wholebody.json"
    if all(path.is_file() for path in skier):
        return load_image(skier[0]), skier[1], 0
    try:
        from skimage.data import astronaut
    except ModuleNotFoundError as error:
        raise ConfigError(
            "The demo takes its photo from scikit-image: pip install scikit-image, or give --photo."
        ) from error
    return from_pil(Image.fromarray(astronaut())), ASSETS / "astronaut_keypoints.json", 0


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A result and what it was drawn from."""

    staged: Stage
    result: Float[Tensor, "1 3 height width"]

    @property
    def body(self) -> Float[Tensor, "1 3 height width"]:
        """The target body alone, on plain paper."""
        return overlay_body(torch.full_like(self.result, PAPER), self.staged.target, opacity=1.0)

    def body_cell(self, label: str) -> Cell:
        """The target body with its name."""
        return cell(self.body, label)

    def save(self, out: Path, name: str) -> None:
        """Write the result and the body it was asked for."""
        save_image(self.result, out / f"{name}.png")
        save_image(self.body, out / f"{name}_body.png")


def draw(
    artist: Artist,
    image: Float[Tensor, "1 3 height width"],
    source: HumanParams,
    target: HumanParams,
    body: BodyModel,
) -> Drawing:
    """Draw one person in one pose."""
    staged = stage(image, source, target, body)
    return Drawing(staged=staged, result=artist.draw(staged))


def cell(image: Float[Tensor, "1 3 height width"], label: str) -> Cell:
    """Put an image on the sheet."""
    return Cell(image=to_pil(image), label=label)


def print_twins(drawings: Sequence[Drawing], truths: Sequence[Tensor]) -> None:
    """Tell how alike two depth twins are in 2D, and whether each has the right limb in front.

    A pixel counts as right when the output's colour is nearer to its own truth than to its twin's;
    only pixels count where the twins disagree about who is in front.
    """
    views = [drawing.staged.target for drawing in drawings]
    first, second = (project_perspective(view.joints, view.intrinsics) for view in views)
    disputed = order_change_mask(*views)[0]
    shares = []
    for drawing, own, other in zip(drawings, truths, reversed(truths), strict=True):
        nearer = (drawing.result - own).norm(dim=1) < (drawing.result - other).norm(dim=1)
        shares.append(f"{float(nearer[0][disputed].float().mean()):.0%}")
    apart = float((first - second).norm(dim=-1).max())
    print_line(
        f"depth twins: 2D joints at most {apart:.3f} px apart; {int(disputed.sum())} px disputed"
    )
    print_line(f"of those, the right limb is in front in {' and '.join(shares)}")
