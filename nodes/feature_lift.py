"""3D Feature Lift: the looks of a person, ready to be carried onto a body."""

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io
from typing_extensions import override

from .schema import schema
from .sockets import Body, Features, TransferModel

if TYPE_CHECKING:
    from torch import Tensor

    from .host.models import PoseTransferModel
    from .sockets import PosedBody


class FeatureLift3D(io.ComfyNode):
    """Lift what an image shows of a person."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_FeatureLift3D",
            display_name="3D Feature Lift",
            description="Lifts the looks of the person in the source image into 3D-aware "
            "features. They are computed when sampling starts, since the framing depends on the "
            "wanted pose and on the size of the image.",
            search_aliases=["appearance", "identity", "reference"],
            inputs=[
                TransferModel.Input("pose_model", tooltip="From Load Pose-Transfer Model."),
                io.Image.Input(
                    "image",
                    tooltip="The person whose looks are kept, RGB, any size; it is framed by "
                    "padding, never stretched. A batch goes with as many target frames.",
                ),
                Body.Input(
                    "source_body",
                    optional=True,
                    tooltip="The body of the person in this image, from Estimate Human Params. "
                    "With it, colours are carried along the surface and the result is better.",
                ),
                io.ClipVision.Input(
                    "clip_vision",
                    optional=True,
                    tooltip="CLIP ViT-L/14; only weights of the SD 1.5 family use it.",
                ),
                io.Vae.Input(
                    "vae",
                    optional=True,
                    tooltip="The checkpoint's VAE; only weights of the SD 1.5 family need it.",
                ),
            ],
            outputs=[
                Features.Output(display_name="features", tooltip="For 3D Control Guidance Apply.")
            ],
        )

    @classmethod
    @override
    def execute(
        cls,
        pose_model: "PoseTransferModel",
        image: "Tensor",
        source_body: "PosedBody | None" = None,
        clip_vision: Any = None,
        vae: Any = None,
    ) -> io.NodeOutput:
        """Check that everything is there."""
        from .host.condition_request import SourceAppearance
        from .host.images import to_core

        return io.NodeOutput(
            SourceAppearance(
                model=pose_model,
                image=to_core(image).cpu(),
                body=source_body,
                clip_vision=clip_vision,
                vae=vae,
            )
        )
