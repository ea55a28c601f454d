"""3D Control Guidance Apply: condition a MODEL on a person's looks and a 3D body."""

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io
from typing_extensions import override

from .schema import advanced, schema
from .sockets import Body, Features, PosedBody

if TYPE_CHECKING:
    from torch import Tensor

    from .host.condition_request import SourceAppearance

CONDITIONED, BOTH = "positive only", "positive and negative"


def strength(name: str) -> io.Float.Input:
    """Describe one strength."""
    return io.Float.Input(name, default=1.0, min=0.0, max=2.0, step=0.01)


def share(name: str, default: float) -> io.Float.Input:
    """Describe one share of sampling."""
    return io.Float.Input(name, default=default, min=0.0, max=1.0, step=0.001)


class ControlGuidanceApply3D(io.ComfyNode):
    """Patch a MODEL."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_ControlGuidanceApply3D",
            search_aliases=["pose transfer", "apply", "control"],
            inputs=[
                io.Model.Input("model"),
                Features.Input("features"),
                Body.Input("target_body"),
                strength("identity_strength"),
                strength("pose_strength"),
                strength("prior_strength"),
                strength("warp_strength"),
                share("start_percent", 0.0),
                share("end_percent", 1.0),
                io.Boolean.Input("fit_to_source", default=True),
                advanced(
                    io.Combo.Input("apply_to", options=[CONDITIONED, BOTH], default=CONDITIONED)
                ),
                io.Mask.Input("mask", optional=True),
            ],
            outputs=[io.Model.Output(display_name="model")],
        )

    @classmethod
    @override
    def execute(
        cls,
        model: Any,
        features: "SourceAppearance",
        target_body: PosedBody,
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
            source=features, target=target_body, fit_to_source=fit_to_source, warp=warp_strength
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
                kept=request.kept,
            )
        )
