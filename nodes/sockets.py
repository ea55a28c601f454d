"""The types of our sockets, and what each carries; saved workflows freeze their names."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from comfy_api.latest import io

if TYPE_CHECKING:
    from ..posexfer_core.body.model import BodyModel
    from ..posexfer_core.body.params import HumanParams
    from ..posexfer_core.body.view import BodyView
    from ..posexfer_core.warp.clothed_shell import Clothes

Body = io.Custom("POSEXFER_BODY")
"""Carries a `PosedBody`."""
TransferModel = io.Custom("POSEXFER_MODEL")
"""Carries a `host.models.PoseTransferModel`."""
Features = io.Custom("POSEXFER_FEATURES")
"""Carries a `host.condition_request.SourceAppearance`."""
CutOut = io.Custom("POSEXFER_FRAMING")
"""Carries a `transfer.framing.Framing`: how an image was cut around a person."""
PoseKeypoint = io.Custom("POSE_KEYPOINT")
"""Of other packs: a list of one dict of people per frame."""
Others = (io.Mask, Body, PoseKeypoint)
"""What tells who else is in a photo: `host.other_people`."""
PoseData = io.Custom("MHR_POSE_DATA")
"""Of ComfyUI's SAM 3D Body: people with their joints in space, per frame."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PosedBody:
    """Body parameters together with the body model that they are of."""

    params: "HumanParams"
    """One person in every frame."""
    model: "BodyModel"
    others: "tuple[PosedBody, ...]" = ()
    """Further people of the same picture, where their own cameras see them."""

    def everyone(self) -> "list[PosedBody]":
        """List this person, then the others."""
        return [replace(self, others=()), *self.others]

    def view(self) -> "BodyView":
        """See one person in every frame."""
        from ..posexfer_core.body.view import BodyView

        return BodyView.of(self.params, self.model, frame=None)


@dataclass(frozen=True, kw_only=True, eq=False)
class ClothedBody(PosedBody):
    """A body with the clothes and hair of one photo: maps show them, poses stay the bare body's."""

    clothes: "tuple[Clothes, ...]"
    """One for all frames, or one each, whose skirts are left out, as they differ."""

    def view(self) -> "BodyView":
        """See the clothed person in every frame."""
        from ..posexfer_core.body.view import BodyView

        bare, clothes = super().view(), self.clothes
        if len(clothes) > 1:
            clothes = [one.without_skirt(bare) for one in clothes]
        worn = [clothes[n % len(clothes)].on(bare.at(n)) for n in range(len(bare))]
        return BodyView.stack(worn)
