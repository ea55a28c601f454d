"""What other systems need to draw the twins: sources, and each pose in the usual control images."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from posexfer_core.body.view import BodyView
from posexfer_core.files.images import save_image
from posexfer_core.render.maps import depth_map, mask_map, normal_map, skeleton_map

from .files import TwinRow, the_body


def export_inputs(rows: list[TwinRow], folder: Path) -> None:
    """Write `0000_source.png`, and for both poses `0000_a_skeleton.png` and so on.

    Beside them stand `mask`, `depth` (near is bright), `normal` and the body's parameters as .npz.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        start = folder / f"{row.number:04d}"
        save_image(row.images["source"][None], Path(f"{start}_source.png"))
        row.params("source").save(Path(f"{start}_source.npz"))
        for name in ("a", "b"):
            params = row.params(name)
            params.save(Path(f"{start}_{name}.npz"))
            for kind, image in control_images(BodyView.of(params, the_body())).items():
                save_image(image, Path(f"{start}_{name}_{kind}.png"))


def control_images(view: BodyView) -> dict[str, Float[Tensor, "1 3 height width"]]:
    """Draw one pose in the control images that 2D and 2.5D systems take, in [-1, 1]."""
    mask = mask_map(view)
    nearness = torch.where(mask > 0, 0.5 - depth_map(view) / 3.0, 0.0)
    return {
        "skeleton": 2.0 * skeleton_map(view) - 1.0,
        "mask": (2.0 * mask - 1.0).expand(-1, 3, -1, -1),
        "depth": (2.0 * nearness - 1.0).expand(-1, 3, -1, -1),
        "normal": normal_map(view) * mask,
    }
