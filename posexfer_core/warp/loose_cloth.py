"""Cloth and hair that stand off farther than a shell reaches: they go with what they hang on.

A very wide hem is cut off along a border as long as the piece is large, and half of it is worn
already; a pole or a bag hangs on the person by little, and crumbs go. A piece is moved in the image
as its border is, as long as that moves as one; where it is torn apart, turned away or folded, it
goes.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Complex, Float, Int
from torch import Tensor

from ..body.view import BodyView
from ..geometry.camera import pixels_to_ndc, project_perspective
from .filters import box_blur, dilate

WIDE = 1.6
"""Border of a piece over the root of its area, from which it is cloth.

On 21 synthetic people 2.3 to 4.1 for pieces of skirts, coats and hair; at most 1.05 for bags on a
strap and for poles, but for stubs of up to 6 cm. A bag that leans on the person has as much as
cloth: half of it is worn already."""
CRUMB = 0.005
"""Area, a share of the person's, below which a piece is no thing: it would hang in the air.

On 146 photos 24 pieces have 0.001 to 0.005: finger tips, corners of garments, shoes, bits of wall,
and parts of a notepad and of a ski."""
AS_ONE = 0.9
"""Share of the border's motion that turning, scaling and shifting it in the image must explain."""
STRETCHED = 1.4
"""By how much a piece may grow. On eight photos in three poses pieces of hems and hair take 0.5 to
1.33 of their size, and those that hang on an arm as on the hips, 1.7 to 10."""
BORDER = 0.03
"""How far beside a piece its border is looked for, a share of the field's height."""
EDGE = 0.01
"""How far a piece goes on below the shell's edge, a share of the same."""
TAPER = 10
"""How far along the shell it tapers off, in those steps."""


class LoosePiece(NamedTuple):
    """One piece of the photo beyond the shell."""

    share: Float[Tensor, "1 1 height width"]
    """Of each pixel of `box`, with what lies between it and the shell, and the shell's edge."""
    box: tuple[int, int, int]
    """Left and top in the photo, and pixels of it to one of `share`."""
    corners: Int[Tensor, "places 3"]
    """Vertices of the faces along the border."""
    weights: Float[Tensor, "places 3"]
    border: Complex[Tensor, "places"]
    """The same places in the photo: x + iy, pixels."""
    px_per_m: float
    """Of the person in the photo."""

    def moved(self, worn: BodyView) -> tuple[complex, complex, bool] | None:
        """Give turn, shift, and whether the piece is mirrored, as it is from behind.

        `to = turn * from + shift` by least squares, with complex numbers for pixels; `from` is
        conjugate where it is mirrored. None where the border is torn apart or stretched.
        """
        places = (worn.vertices[0, self.corners] * self.weights[..., None]).sum(1)
        if bool((places[:, 2] <= 0).any()):
            return None
        xy = project_perspective(places[None], worn.intrinsics)[0].double()
        to = torch.complex(xy[:, 0], xy[:, 1])
        starts = torch.stack([self.border, self.border.conj()])
        off, off_starts = to - to.mean(), starts - starts.mean(1, keepdim=True)
        common = (off_starts.conj() * off).sum(1)
        best = int(common.abs().argmax())
        spread = off_starts[best].abs().square().sum().clamp(min=1e-6)
        if common[best].abs().square() < AS_ONE * spread * off.abs().square().sum():
            return None
        turn = common[best] / spread
        if float(turn.abs()) * self.px_per_m > STRETCHED * worn.px_per_m:
            return None
        return complex(turn), complex(to.mean() - turn * starts[best].mean()), best == 1

    def draw(
        self,
        photo: Float[Tensor, "1 3 height width"],
        onto: Float[Tensor, "1 3 rows target_width"],
        first_row: int,
        moved: tuple[complex, complex, bool],
    ) -> Bool[Tensor, "1 1 rows target_width"]:
        """Draw the piece onto some rows of the target, where it is `moved`, and tell where."""
        drawn = torch.zeros_like(onto[:, :1], dtype=torch.bool)
        (turn, shift, mirrored), (left, top, step) = moved, self.box
        size = (self.share.shape[-2], self.share.shape[-1])
        right, bottom = left + step * size[1], top + step * size[0]
        corners = torch.tensor([[left, top], [right, top], [left, bottom], [right, bottom]])
        starts = torch.view_as_complex(corners.double())
        ends = turn * (starts.conj() if mirrored else starts) + shift
        ends = torch.view_as_real(ends)
        start = torch.tensor([0, first_row])
        limit = start + torch.tensor([onto.shape[-1], onto.shape[-2]])
        low = ends.amin(0).long().maximum(start).minimum(limit).tolist()
        high = (ends.amax(0).long() + 1).maximum(start).minimum(limit).tolist()
        if low[0] >= high[0] or low[1] >= high[1]:
            return drawn
        x, y = (torch.arange(a, b) + 0.5 for a, b in zip(low, high, strict=True))
        source = (torch.complex(*torch.broadcast_tensors(x, y[:, None])) - shift) / turn
        source = source.conj().resolve_conj() if mirrored else source
        pixels = torch.view_as_real(source)[None].to(onto)
        own = (pixels - pixels.new_tensor([left, top])) / step
        share = F.grid_sample(self.share, pixels_to_ndc(own, size), align_corners=False)
        grid = pixels_to_ndc(pixels, (photo.shape[-2], photo.shape[-1]))
        colours = F.grid_sample(photo, grid, padding_mode="border", align_corners=False)
        here = (..., slice(low[1] - first_row, high[1] - first_row), slice(low[0], high[0]))
        onto[here] += share * (colours - onto[here])
        drawn[here] = share > 0
        return drawn


def loose_pieces(
    unreached: Bool[Tensor, "height width"],
    shown: Float[Tensor, "height width"],
    worn: BodyView,
    offset_xy: tuple[int, int],
    step: int,
) -> tuple[list[LoosePiece], Bool[Tensor, "height width"]]:
    """Tell cloth from things, among what a shell does not reach.

    Args:
        unreached: of the mask, but of no part of the clothed body; a part of the photo.
        shown: share of the person in each pixel.
        worn: the clothed body, of the same size.
        offset_xy: where in the photo they begin.
        step: pixels of the photo to one of theirs.

    Returns:
        The pieces of cloth, and where things are.
    """
    pieces, things = [], unreached.clone()
    person, body = (shown > 0.5) & ~unreached, worn.visibility.mask[0]
    reach = max(1, round(BORDER * unreached.shape[0]))
    labels = connected(unreached)
    for label in labels.unique()[1:].tolist():
        piece = labels == label
        border = int((dilate(piece[None], 1)[0] & person).sum())
        area = float(piece.sum())
        if area < CRUMB * float(person.sum()):
            things &= ~piece
        if border < WIDE * area**0.5:
            continue
        things &= ~piece
        near = dilate(piece[None], reach)[0]
        row, column = (near & body).nonzero().unbind(1)
        if len(row) < 2:
            continue
        whole = _down_to_shell(piece, (shown > 0.5) & (piece | ~unreached), body)
        rows, columns = (whole.any(axis).nonzero()[:, 0].tolist() for axis in (1, 0))
        kept = whole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1][None, None].to(shown)
        left, top = offset_xy[0] + step * columns[0], offset_xy[1] + step * rows[0]
        border_xy = torch.stack([column, row], 1) * step + step / 2
        border_xy = border_xy + border_xy.new_tensor(offset_xy)
        pieces.append(
            LoosePiece(
                share=box_blur(kept, 1) * kept,
                box=(left, top, step),
                corners=worn.faces.long()[worn.visibility.face_id[0, row, column].long()],
                weights=worn.visibility.barycentric[0, row, column],
                border=torch.view_as_complex(border_xy.double()),
                px_per_m=step * worn.px_per_m,
            )
        )
    return pieces, things


def _down_to_shell(
    piece: Bool[Tensor, "height width"],
    own: Bool[Tensor, "height width"],
    body: Bool[Tensor, "height width"],
) -> Bool[Tensor, "height width"]:
    """Add to a piece what lies between it and the shell, ever thinner along it, and an edge."""
    step, beyond = max(1, round(EDGE * piece.shape[0])), own & ~body
    for left in range(TAPER, 0, -1):
        thin = dilate(body[None], round(2.0 * step * left / TAPER))[0]
        piece = piece | (dilate(piece[None], step)[0] & beyond & thin)
    return dilate(piece[None], step)[0] & own


def connected(mask: Bool[Tensor, "height width"]) -> Int[Tensor, "height width"]:
    """Number the connected pieces of a mask, corners counting; 0 outside.

    Every pixel points at the largest index beside it, and on to where that one points.
    """
    own = torch.arange(1, mask.numel() + 1, device=mask.device).view_as(mask) * mask
    while True:
        largest = F.max_pool2d(own[None].double(), 3, 1, 1)[0].long() * mask
        pointed = torch.cat([largest.new_zeros(1), largest.flatten()])[largest]
        if torch.equal(pointed, own):
            return own
        own = pointed
