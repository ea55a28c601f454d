"""Pose-Transfer Sampler: draw, with guidance by pose and by identity."""

from typing import Any

from comfy_api.latest import io
from typing_extensions import override

from .host.choices import SAMPLERS, SCHEDULERS
from .schema import schema


def guidance(name: str, default: float, tooltip: str) -> io.Float.Input:
    """Describe one guidance scale."""
    return io.Float.Input(name, default=default, min=0.0, max=20.0, step=0.05, tooltip=tooltip)


def side(name: str, default: int, tooltip: str) -> io.Int.Input:
    """Describe one side of the image."""
    return io.Int.Input(name, default=default, min=64, max=4096, step=8, tooltip=tooltip)


class PoseTransferSampler(io.ComfyNode):
    """Sample a steered MODEL."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_PoseTransferSampler",
            display_name="Pose-Transfer Sampler",
            description="Samples a MODEL from 3D Control Guidance Apply: up to three passes a "
            "step, pushed towards the pose and towards the person, each by its own scale.",
            search_aliases=["ksampler", "guidance", "pose transfer"],
            inputs=[
                io.Model.Input("model", tooltip="From 3D Control Guidance Apply."),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="Of the noise; the same seed draws the same image.",
                ),
                io.Int.Input(
                    "steps", default=20, min=1, max=1000, tooltip="More are slower and sharper."
                ),
                io.Combo.Input(
                    "sampler_name", options=SAMPLERS, default="euler", tooltip="As in KSampler."
                ),
                io.Combo.Input(
                    "scheduler",
                    options=SCHEDULERS,
                    default="simple",
                    tooltip="As in KSampler; 'simple' visits the noise levels that the bundled "
                    "weights are evaluated at.",
                ),
                guidance(
                    "pose_guidance",
                    1.0,
                    "How far the result is pushed towards the pose; 1 is no guidance, which suits "
                    "the bundled weights; over SD 1.5 try 2.",
                ),
                guidance(
                    "identity_guidance",
                    1.0,
                    "How far the result is pushed towards the person's "
                    "looks; 1 is no guidance, which suits the bundled weights; over SD 1.5 try "
                    "1.5. Both at 1 take a single, fast pass.",
                ),
                side("width", 176, "Of the image to draw, pixels, a multiple of 8."),
                side("height", 256, "Of the image to draw, pixels, a multiple of 8."),
                io.Int.Input(
                    "batch_size",
                    default=1,
                    min=1,
                    max=64,
                    tooltip="Images with different noise; of a sequence, of every frame.",
                ),
                io.Vae.Input(
                    "vae", optional=True, tooltip="Connect it to get the image right away."
                ),
                io.Conditioning.Input(
                    "positive",
                    optional=True,
                    tooltip="Text for the base; the bundled weights take no text.",
                ),
                io.Conditioning.Input(
                    "negative",
                    optional=True,
                    tooltip="Text of the pass without pose and person; the positive when left out.",
                ),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="For VAE Decode."),
                io.Image.Output(display_name="image", tooltip="Only with a VAE connected."),
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
    ) -> io.NodeOutput:
        """Draw latents, and decode them where a VAE is connected."""
        from ..posexfer_core.network.guidance import Guidance
        from .host.blocking import or_blocked
        from .host.sampling import draw

        samples = draw(
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
        image = None if vae is None else vae.decode(samples)
        reason = "There is no image without a VAE: connect one to Pose-Transfer Sampler."
        return io.NodeOutput({"samples": samples}, or_blocked(image, reason))
