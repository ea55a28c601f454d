"""3D Feature Lift: the looks of a person, ready to be carried onto a body."""

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io
from typing_extensions import override

from .schema import schema
from .sockets import Body, Features, Others, PosedBody, TransferModel

if TYPE_CHECKING:
    from torch import Tensor

    from .host.models import PoseTransferModel


class FeatureLift3D(io.ComfyNode):
    """Lift what an image shows of a person."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_FeatureLift3D",
            search_aliases=["appearance", "identity", "reference"],
            inputs=[
                TransferModel.Input("pose_model"),
                io.Image.Input("image"),
                Body.Input("source_body", optional=True),
                io.ClipVision.Input("clip_vision", optional=True),
                io.Vae.Input("vae", optional=True),
                io.Mask.Input("mask", optional=True),
                io.MultiType.Input("others", types=[*Others], optional=True),
            ],
            outputs=[Features.Output(display_name="features")],
        )

    @classmethod
    @override
    def execute(
        cls,
        pose_model: "PoseTransferModel",
        image: "Tensor",
        source_body: PosedBody | None = None,
        clip_vision: Any = None,
        vae: Any = None,
        mask: "Tensor | None" = None,
        others: Any = None,
    ) -> io.NodeOutput:
        """Check that everything is there."""
        from .host.condition_request import SourceAppearance
        from .host.images import to_core
        from .host.masks import person_masks
        from .host.other_people import others_masks

        images = to_core(image).cpu()
        return io.NodeOutput(
            SourceAppearance(
                model=pose_model,
                image=images,
                body=source_body,
                mask=person_masks(mask, images),
                others=others_masks(others, images, source_body, mask),
                clip_vision=clip_vision,
                vae=vae,
            )
        )
