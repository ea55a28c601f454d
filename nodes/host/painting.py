"""Control maps of many frames: one at a time, so that memory holds the images and little else."""

from dataclasses import dataclass

import comfy.model_management
import comfy.utils
import torch
from torch import Tensor

from ...posexfer_core.body.view import BodyView
from ...posexfer_core.render import control_maps as paint
from ...posexfer_core.render.maps import mask_map
from .images import from_unit, mask_to_host


@dataclass(frozen=True, kw_only=True)
class Style:
    """What control models differ in."""

    hiding: paint.Hiding
    axes: paint.Axes
    limbs: paint.Limbs
    greys: paint.Greys


@dataclass(frozen=True, kw_only=True)
class ControlMaps:
    """Images for the host, a batch each."""

    depth: Tensor
    normal: Tensor
    openpose: Tensor
    mask: Tensor
    parts: Tensor
    canonical: Tensor


def paint_frames(view: BodyView, style: Style) -> ControlMaps:
    """Paint every frame, with progress and interrupt; depth has one scale for all of them."""
    bar = comfy.utils.ProgressBar(len(view))
    rows: list[tuple[Tensor, ...]] = []
    for frame in range(len(view)):
        comfy.model_management.throw_exception_if_processing_interrupted()
        rows.append(_paint(view.at(frame), style))
        bar.update(1)
    disparity, normal, openpose, mask, parts, canonical = (
        torch.cat(column) for column in zip(*rows, strict=True)
    )
    return ControlMaps(
        depth=from_unit(paint.grey_depth(disparity, greys=style.greys)),
        normal=normal,
        openpose=openpose,
        mask=mask,
        parts=parts,
        canonical=canonical,
    )


def _paint(view: BodyView, style: Style) -> tuple[Tensor, ...]:
    return (
        paint.disparity_map(view),
        from_unit(paint.paint_normal(view, axes=style.axes)),
        from_unit(paint.paint_openpose(view, hiding=style.hiding, limbs=style.limbs)),
        mask_to_host(mask_map(view)),
        from_unit(paint.paint_parts(view)),
        from_unit(paint.paint_canonical(view)),
    )
