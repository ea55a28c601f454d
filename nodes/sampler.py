"""Pose-Transfer Sampler: draw, with guidance by pose and by identity."""

from typing import Any

from comfy_api.latest import io
from typing_extensions import override

from .host.choices import SAMPLERS, SCHEDULERS
from .schema import schema


def guidance(name: str) -> io.Float.Input:
    """Describe one guidance scale."""
    return io.Float.Input(name, default=1.0, min=0.0, max=20.0, step=0.05)


def side(name: str, default: int) -> io.Int.Input:
    """Describe one side of the image, pixels."""
    return io.Int.Input(name, default=default, min=64, max=4096, step=8)


class PoseTransferSampler(io.ComfyNode):
    """Sample a conditioned MODEL."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_PoseTransferSampler",
            search_aliases=["ksampler", "guidance", "pose transfer"],
            inputs=[
                io.Model.Input("model"),
                io.Int.Input(
                    "seed", default=0, min=0, max=0xFFFFFFFFFFFFFFFF, control_after_generate=True
                ),
                io.Int.Input("steps", default=20, min=1, max=1000),
                io.Combo.Input("sampler_name", options=SAMPLERS, default="euler"),
                io.Combo.Input("scheduler", options=SCHEDULERS, default="simple"),
                guidance("pose_guidance"),
                guidance("identity_guidance"),
                side("width", 176),
                side("height", 256),
                io.Int.Input("batch_size", default=1, min=1, max=64),
                io.Vae.Input("vae", optional=True),
                io.Conditioning.Input("positive", optional=True),
                io.Conditioning.Input("negative", optional=True),
                io.Boolean.Input("restore_detail", default=True, optional=True),
            ],
            outputs=[
                io.Latent.Output(display_name="latent"),
                io.Image.Output(display_name="image"),
            ],
        )

    @classmethod
    @override
    def execute(
        cls,
        model: Any,
        seed: int,
        steps: int,
        sampler_name: str,
        scheduler: str,
        pose_guidance: float,
        identity_guidance: float,
        width: int,
        height: int,
        batch_size: int,
        vae: Any = None,
        positive: Any = None,
        negative: Any = None,
        restore_detail: bool = True,
    ) -> io.NodeOutput:
        """Draw latents, and decode them where a VAE is connected."""
        from ..posexfer_core.network.guidance import Guidance
        from .host.blocking import or_blocked
        from .host.sampling import check_inputs, decode, draw

        check_inputs(model, (height, width), vae=vae, positive=positive, negative=negative)
        drawn = draw(
            model,
            Guidance(pose=pose_guidance, identity=identity_guidance),
            seed=seed,
            steps=steps,
            sampler=sampler_name,
            scheduler=scheduler,
            size=(height, width),
            batch=batch_size,
            positive=positive,
            negative=negative,
        )
        image = None if vae is None else decode(vae, drawn, detail=restore_detail)
        reason = "There is no image without a VAE: connect one to Pose-Transfer Sampler."
        return io.NodeOutput({"samples": drawn.samples}, or_blocked(image, reason))
