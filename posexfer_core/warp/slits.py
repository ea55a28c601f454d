"""The background seen between limbs, which coarse masks take for the person."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..body.joints import JOINT_INDEX
from ..body.view import BodyView
from .filters import dilate
from .person_mask import colour_bins, colour_histogram

NEAR_M = 0.05
"""How far from both limbs a slit between them may be."""
AROUND = 0.1
"""How far around the person the background's colours are learned, a share of the height."""
SURE = 0.95
"""What a mask's person is at most. In 32 photos, some of which have such slits, walls are hardly
printed on flanks any more; 48 synthetic people with exact masks keep their perceptual distance:
0.8651 where it was 0.8655."""


def find_slits(
    image: Float[Tensor, "1 3 height width"],
    person: Float[Tensor, "1 1 height width"],
    view: BodyView,
) -> Bool[Tensor, "1 height width"]:
    """Tell where a mask's person is background: between limbs, in its colours and hardly theirs.

    Bayes's rule as in `estimate_mask`, with the mask in the place of the body. Where clothes have
    the background's colours, nothing is told.

    Args:
        image: in [-1, 1], of the view's size.
        person: share of the person in each pixel.
        view: the body in it.
    """
    shown, clear = person[:, 0], person[:, 0] < 0.05
    around = clear & dilate(~clear, max(1, round(AROUND * view.size[0])))
    bins = colour_bins(image)
    colours, others = (colour_histogram(bins, share) for share in (shown, around.to(shown)))
    told = (colours / others)[bins].log()
    return _between_limbs(view) & (shown > 0.5) & (shown.clamp(max=SURE).logit() + told < 0.0)


def _between_limbs(view: BodyView) -> Bool[Tensor, "1 height width"]:
    """Tell what lies near an arm and near the body, or near both legs; not at hands and feet."""
    reach, seen = max(1, round(NEAR_M * view.px_per_m)), view.visibility
    part = view.parts[view.faces.long()[seen.face_id.clamp(min=0).long(), 0]]

    def near(names: str, sides: str = "lr") -> Bool[Tensor, "1 height width"]:
        joints = [JOINT_INDEX[f"{side}_{name}"] for side in sides for name in names.split()]
        return dilate(torch.isin(part, part.new_tensor(joints)) & seen.mask, reach)

    between = near("hip knee", "l") & near("hip knee", "r")
    for side in "lr":
        whole = [JOINT_INDEX[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist", "hand")]
        rest = seen.mask & ~torch.isin(part, part.new_tensor(whole))
        between |= near("shoulder elbow", side) & dilate(rest, reach)
    return between
