"""Load Pose-Transfer Model: our weights, and the MODEL and VAE that come with a bundle."""

from comfy_api.latest import io
from typing_extensions import override

from .host import paths
from .schema import schema
from .sockets import TransferModel


class LoadPoseTransferModel(io.ComfyNode):
    """Open a weights file."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_LoadModel",
            search_aliases=["pose transfer", "checkpoint", "adapter"],
            inputs=[
                io.Combo.Input(
                    "weights", options=paths.list_weights(), default=paths.BUNDLED_WEIGHTS
                )
            ],
            outputs=[
                TransferModel.Output(display_name="pose_model"),
                io.Model.Output(display_name="model"),
                io.Vae.Output(display_name="vae"),
            ],
        )

    @classmethod
    @override
    def fingerprint_inputs(cls, weights: str) -> str:
        """Notice when the file changes."""
        return paths.stamp(paths.find_weights(weights))

    @classmethod
    @override
    def execute(cls, weights: str) -> io.NodeOutput:
        """Load, and block the outputs that an adapter does not hold."""
        from .host.blocking import or_blocked
        from .host.models import load_file

        loaded = load_file(paths.find_weights(weights))
        return io.NodeOutput(
            loaded.model,
            or_blocked(loaded.unet, f"'{weights}' holds no UNet: use the checkpoint's MODEL."),
            or_blocked(loaded.vae, f"'{weights}' holds no VAE: use the checkpoint's VAE."),
        )
