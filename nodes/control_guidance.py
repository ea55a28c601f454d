"""3D Control Guidance Apply: steer a MODEL by a person's looks and a 3D body."""

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io
from typing_extensions import override

from .schema import advanced, schema
from .sockets import Body, Features

if TYPE_CHECKING:
    from torch import Tensor

    from .host.condition_request import SourceAppearance
    from .sockets import PosedBody

CONDITIONED, BOTH = "positive only", "positive and negative"


def strength(name: str, tooltip: str) -> io.Float.Input:
    """Describe one strength."""
    return io.Float.Input(name, default=1.0, min=0.0, max=2.0, step=0.01, tooltip=tooltip)


def share(name: str, default: float, tooltip: str) -> io.Float.Input:
    """Describe one share of sampling."""
    return io.Float.Input(name, default=default, min=0.0, max=1.0, step=0.001, tooltip=tooltip)


class ControlGuidanceApply3D(io.ComfyNode):
    """Patch a MODEL."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_ControlGuidanceApply3D",
            display_name="3D Control Guidance Apply",
            description="Steers a MODEL so that it draws the person of the features on the target "
            "body. Goes with the stock samplers, LoRA, ControlNet and IPAdapter.",
            search_aliases=["pose transfer", "apply", "control"],
            inputs=[
                io.Model.Input(
                    "model", tooltip="Of the family that the weights were made for; not changed."
                ),
                Features.Input("features", tooltip="From 3D Feature Lift."),
                Body.Input("target_body", tooltip="The pose wanted; several frames are a batch."),
                strength("identity_strength", "How strongly the person's looks are asked for."),
                strength("pose_strength", "How strongly the 3D points of the body are asked for."),
                strength(
                    "prior_strength",
                    "How strongly rendered maps of the body are used; 0 "
                    "leaves the 3D points alone.",
                ),
                strength(
                    "warp_strength",
                    "How much of the source's colours is carried along the "
                    "body's surface; needs the source body.",
                ),
                share("start_percent", 0.0, "Share of sampling after which it begins."),
                share("end_percent", 1.0, "Share of sampling after which it ends."),
                io.Boolean.Input(
                    "fit_to_source",
                    default=True,
                    tooltip="Give the target the source's shape, place and camera, feet on the "
                    "same floor line. Off, the target keeps its own; a body from Retarget Body "
                    "framed like the source may pass either way.",
                ),
                advanced(
                    io.Combo.Input(
                        "apply_to",
                        options=[CONDITIONED, BOTH],
                        default=CONDITIONED,
                        tooltip="Negative conditionings get the null condition; samplers that "
                        "count conditionings in another order need both. Pose-Transfer Sampler "
                        "ignores this.",
                    )
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="Where to steer, white; stretched over the image to draw.",
                ),
            ],
            outputs=[
                io.Model.Output(
                    display_name="model",
                    tooltip="For Pose-Transfer Sampler, or for any stock sampler.",
                )
            ],
        )

    @classmethod
    @override
    def execute(
        cls,
        model: Any,
        features: "SourceAppearance",
        target_body: "PosedBody",
        identity_strength: float,
        pose_strength: float,
        prior_strength: float,
        warp_strength: float,
        start_percent: float,
        end_percent: float,
        fit_to_source: bool,
        apply_to: str,
        mask: "Tensor | None" = None,
    ) -> io.NodeOutput:
        """Request the condition, and patch a clone."""
        from .host.attach import attach
        from .host.condition_request import ConditionRequest
        from .host.control_patch import Strengths

        request = ConditionRequest(
            source=features,
            target=target_body,
            fit_to_source=fit_to_source,
            warp=warp_strength,
        )
        strengths = Strengths(
            identity=identity_strength,
            pose=pose_strength,
            prior=prior_strength,
            start=start_percent,
            end=end_percent,
            everywhere=apply_to == BOTH,
        )
        return io.NodeOutput(
            attach(
                model,
                features.model,
                request.condition,
                strengths,
                mask=mask,
                frames=request.frames,
            )
        )
