"""`posexfer demo`: a photo and a synthetic person in new poses, as images and one sheet."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from ..body.depth_flip import order_change_mask
from ..body.model import BodyModel
from ..body.params import HumanParams
from ..body.view import BodyView
from ..conventions import DEMO
from ..errors import ConfigError
from ..files.atomic import make_folder
from ..files.images import load_image, load_mask, save_image, save_pil, to_pil
from ..fit.fit import FitResult
from ..geometry.camera import project_perspective
from ..render.contact_sheet import Cell, contact_sheet
from ..render.control_maps import paint_openpose
from ..render.overlay import overlay_body
from ..transfer.staging import Stage, stage
from ..warp.warp_to_pose import WarpedPhoto
from .drawing import ImageTensor, Sampler, add_drawing_options, open_sampler
from .estimate import fit_person, open_people, shown_over
from .options import index, print_line

HELP = "Draw a photo and a synthetic person in new poses; leaves images and one sheet."
POSES = {
    "arm_in_front": "right arm in front",
    "arm_behind": "its depth twin: arm behind",
    "walking": "walking, turned 60°",
    "from_behind": "from behind",
}
TWINS = ("arm_in_front", "arm_behind")
PHOTO_POSES = {"striding": "striding", "arms_raised": "arms raised"}
PAPER = 0.85
ASTRONAUT, ASTRONAUT_KEYPOINTS, ASTRONAUT_MASK = (
    DEMO / f"astronaut{end}" for end in (".jpg", "_keypoints.json", "_mask.png")
)

MaskTensor = Float[Tensor, "1 1 height width"]


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
        help="a photo of one person, with --keypoints (default: NASA's portrait of the astronaut "
        "Eileen Collins, public domain, with keypoints set by hand)",
    )
    parser.add_argument(
        "--keypoints", type=Path, metavar="FILE.json", help="the 2D keypoints of --photo"
    )
    parser.add_argument(
        "--mask", type=Path, metavar="FILE", help="the mask of the person in --photo, if known"
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
    sample, body = open_sampler(options), BodyModel.bundled()
    rows = [photo_row(body, options), *synthetic_rows(sample, body, options.out)]
    sheet = options.out / "contact_sheet.png"
    save_pil(contact_sheet(rows, title="posexfer: one image, one 3D body, a new pose"), sheet)
    print_line(f"contact sheet: {sheet}")


def synthetic_rows(sample: Sampler, body: BodyModel, out: Path) -> list[list[Cell]]:
    """Draw the synthetic person in four poses; compare the depth twins with the truth."""
    image, source = load_image(DEMO / "source.png"), HumanParams.load(DEMO / "source.npz")
    stages = {
        name: stage(image, source, HumanParams.load(DEMO / f"{name}.npz"), body) for name in POSES
    }
    warped = {name: draw(staged) for name, staged in stages.items()}
    sampled = {name: sample(one.staged, one.warp) for name, one in warped.items()}
    truths = {name: load_image(DEMO / f"{name}.png") for name in POSES}
    save_image(image, out / "synthetic_source.png")
    for name in POSES:
        warped[name].save(out, f"synthetic_{name}")
        save_image(sampled[name], out / f"synthetic_{name}_network.png")
    twins = [warped[name] for name in TWINS]
    print_twins(twins, [truths[name] for name in TWINS])
    save_pil(contact_sheet([twins_row(image, twins)]), out / "twins.png")
    overlay = overlay_body(image, BodyView.of(source, body))
    empty = Cell(image=None)
    return [
        [cell(image, "source"), *(cell(d.body, POSES[name]) for name, d in warped.items())],
        [cell(overlay, "its body"), *(cell(d.result, "output") for d in warped.values())],
        [empty, *(cell(image, "the small network's") for image in sampled.values())],
        [empty, *(cell(truth, "truth") for truth in truths.values())],
    ]


def twins_row(image: ImageTensor, twins: Sequence["Drawing"]) -> list[Cell]:
    """Lay out the source, the 2D skeleton of both depth twins, and each twin's body and result."""
    skeleton = 2.0 * paint_openpose(twins[0].staged.target) - 1.0
    row = [cell(image, "source"), cell(skeleton, "the same 2D skeleton")]
    for label, twin in zip(("arm in front", "arm behind"), twins, strict=True):
        row += [cell(twin.body, label), cell(twin.result, "output")]
    return row


def photo_row(body: BodyModel, options: argparse.Namespace) -> list[Cell]:
    """Fit the body to a photo, then show that person in two poses, by the photo's own pixels."""
    given = options.mask or (ASTRONAUT_MASK if options.photo is None else None)
    image, fit, mask = fit_photo(
        options.photo or ASTRONAUT,
        options.keypoints or ASTRONAUT_KEYPOINTS,
        given,
        body,
        options.person,
    )
    print_line(f"photo: mean reprojection error: {fit.reprojection_px:.2f} px")
    overlay = shown_over(image, BodyView.of(fit.params, body))
    picture = to_pil(image)
    save_pil(picture, options.out / "photo_source.png")
    save_image(overlay, options.out / "photo_overlay.png")
    row = [Cell(image=picture, label="photo"), cell(overlay, "fitted body")]
    for name, label in PHOTO_POSES.items():
        target = HumanParams.load(DEMO / f"{name}.npz")
        staged = stage(image, fit.params, target, body, size=None, mask=mask, outside="crop")
        drawing = draw(staged)
        drawing.save(options.out, f"photo_{name}")
        row += [cell(drawing.body, label), cell(drawing.result, "output")]
    return row


def fit_photo(
    photo: Path, keypoints: Path, mask: Path | None, body: BodyModel, person: int = 0
) -> tuple[ImageTensor, FitResult, MaskTensor | None]:
    """Read a photo, its keypoints and its mask, and fit the body to one person."""
    image = load_image(photo)
    shown = None if mask is None else load_mask(mask)[None, None]
    people = open_people(keypoints, (image.shape[-2], image.shape[-1]), photo.name)
    return image, fit_person(people.person(person), body, shown), shown


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A result and what it was drawn from."""

    staged: Stage
    warp: WarpedPhoto

    @property
    def result(self) -> ImageTensor:
        """The person in the pose."""
        return self.warp.image

    @property
    def body(self) -> ImageTensor:
        """The target body alone, on plain paper."""
        return body_alone(self.staged.target)

    def save(self, out: Path, name: str) -> None:
        """Write the result and the body that it shows."""
        save_image(self.result, out / f"{name}.png")
        save_image(self.body, out / f"{name}_body.png")


def body_alone(view: BodyView) -> ImageTensor:
    """Draw a body on plain paper."""
    return overlay_body(torch.full((1, 3, *view.size), PAPER), view, opacity=1.0)


def draw(staged: Stage) -> Drawing:
    """Draw a staged person by its warp alone."""
    return Drawing(staged=staged, warp=next(staged.warps()))


def cell(image: ImageTensor, label: str) -> Cell:
    """Put an image on the sheet."""
    return Cell(image=to_pil(image), label=label)


def print_twins(drawings: Sequence[Drawing], truths: Sequence[ImageTensor]) -> None:
    """Print how alike two depth twins are in 2D, and whether each has the right limb in front.

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
    pixels = int(disputed.sum())
    print_line(f"depth twins: 2D joints at most {apart:.3f} px apart; {pixels} px disputed")
    print_line(f"of those, the right limb is in front in {' and '.join(shares)}")
