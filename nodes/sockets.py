"""The types of our sockets, and what each carries; saved workflows freeze their names."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from comfy_api.latest import io

if TYPE_CHECKING:
    from ..posexfer_core.body.model import BodyModel
    from ..posexfer_core.body.params import HumanParams
    from ..posexfer_core.body.view import BodyView

Body = io.Custom("POSEXFER_BODY")
"""Carries a `PosedBody`."""
TransferModel = io.Custom("POSEXFER_MODEL")
"""Carries a `host.models.PoseTransferModel`."""
Features = io.Custom("POSEXFER_FEATURES")
"""Carries a `host.condition_request.SourceAppearance`."""
PoseKeypoint = io.Custom("POSE_KEYPOINT")
"""Of other packs: a list of one dict of people per frame."""
PoseData = io.Custom("MHR_POSE_DATA")
"""Of ComfyUI's SAM 3D Body: people with their joints in space, per frame."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PosedBody:
    """Body parameters together with the body model that they are of."""

    params: "HumanParams"
    model: "BodyModel"

    def view(self) -> "BodyView":
        """See one person in every frame."""
        from ..posexfer_core.body.view import BodyView

        return BodyView.of(self.params, self.model, frame=None)
