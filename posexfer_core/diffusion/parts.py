"""The parts of the pipeline, and how they come from and go to files: safetensors, never pickles."""

from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from ..errors import CheckpointError, ConfigError
from ..network.autoencoder import PatchAutoencoder
from ..network.model import PoseTransferNetwork
from ..network.weights import BUNDLED_WEIGHTS, Bundle, load_bundle, save_bundle
from .base import Base
from .base_files import BaseFiles
from .clip import VisionModel
from .latents import Autoencoder
from .schedule import make_scheduler

NETWORK_FILE = "posexfer.safetensors"
"""In a pipeline's folder: the network, and the autoencoder if it is ours."""

Pipeline = TypeVar("Pipeline", bound="PipelineParts")


class PipelineParts(DiffusionPipeline):
    """Hold the parts of a pipeline; `PoseTransferPipeline` draws with them.

    diffusers loads and saves its own kinds of parts, in its own layout. The network and our
    autoencoder are not among these: they go to one file beside them.
    """

    _optional_components = [  # noqa: RUF012  (diffusers wants a list)
        "image_encoder",
        "network",
        "text_encoder",
        "text_encoder_2",
        "tokenizer",
        "tokenizer_2",
        "vae",
    ]

    def __init__(
        self,
        unet: UNet2DConditionModel,
        scheduler: SchedulerMixin,
        network: PoseTransferNetwork,
        vae: Autoencoder,
        image_encoder: VisionModel | None = None,
        tokenizer: CLIPTokenizer | None = None,
        text_encoder: CLIPTextModel | None = None,
        tokenizer_2: CLIPTokenizer | None = None,
        text_encoder_2: CLIPTextModelWithProjection | None = None,
    ) -> None:
        super().__init__()
        if network.config.encoder == "clip" and image_encoder is None:
            raise ConfigError(
                "These weights need CLIP's vision model for the source image, and none was given. "
                "Pass image_encoder=CLIPVisionModel.from_pretrained(...), a ViT-L/14."
            )
        self.register_modules(
            unet=unet,
            scheduler=scheduler,
            network=network,
            vae=vae,
            image_encoder=image_encoder,
            tokenizer=tokenizer,
            text_encoder=text_encoder,
            tokenizer_2=tokenizer_2,
            text_encoder_2=text_encoder_2,
        )

    @classmethod
    def from_bundle(
        cls: type[Pipeline],
        path: str | PathLike[str] = BUNDLED_WEIGHTS,
        *,
        image_encoder: VisionModel | None = None,
    ) -> Pipeline:
        """Build a pipeline from one weights file that holds network, UNet and autoencoder.

        Args:
            path: the file; the bundled one when left out.
            image_encoder: CLIP's vision model, for weights that see the source through it.

        Raises:
            CheckpointError: the file is damaged, something else, or an adapter, which needs a base.
        """
        bundle = load_bundle(Path(path))
        if bundle.autoencoder is None or bundle.unet_config is None:
            raise CheckpointError(
                f"{Path(path).name} holds no UNet or no autoencoder and cannot draw alone.\n"
                "Expected a bundle; this is an adapter, which needs the base it was made for.\n"
                "Name that: --base on the command line, from_base or from_pretrained in Python."
            )
        return cls(
            unet=_unet_of(bundle, Path(path).name),
            scheduler=make_scheduler(zero_terminal_snr=bundle.network.config.zero_terminal_snr),
            network=bundle.network,
            vae=bundle.autoencoder,
            image_encoder=image_encoder,
        )

    @classmethod
    def from_base(
        cls: type[Pipeline],
        files: BaseFiles,
        adapter: str | PathLike[str],
        *,
        dtype: torch.dtype = torch.float32,
    ) -> Pipeline:
        """Build a pipeline from the local files of a base and our adapter.

        Args:
            files: of the base: a folder of diffusers or a single-file checkpoint, and more.
            adapter: our weights file.
            dtype: what every part computes in.

        Raises:
            CheckpointError: a part of the base is missing, or a file is damaged.
        """
        bundle, base = load_bundle(Path(adapter)), Base(files, dtype)
        text: dict[str, Any] = {}
        for part, loaded in (
            ("text_encoder", base.load_text_encoders()),
            ("tokenizer", base.load_tokenizers()),
        ):
            text |= dict(zip((part, f"{part}_2"), loaded, strict=False))
        return cls(
            unet=base.load_unet(),
            scheduler=base.make_scheduler(),
            network=bundle.network.to(dtype),
            vae=base.load_vae(),
            image_encoder=(
                base.load_image_encoder() if bundle.network.config.encoder == "clip" else None
            ),
            **text,
        )

    @classmethod
    def from_pretrained(
        cls: type[Pipeline],
        pretrained_model_name_or_path: str | PathLike[str],
        *,
        adapter: str | PathLike[str] | None = None,
        **kwargs: Any,
    ) -> Pipeline:
        """Load what `save_pretrained` wrote, or a base model in diffusers' layout and our adapter.

        Args:
            pretrained_model_name_or_path: the folder.
            adapter: our weights file, where the folder has none.
            **kwargs: as for every diffusers pipeline: ready parts, `dtype` and so on.
        """
        if "network" not in kwargs:
            bundle = load_bundle(Path(adapter or Path(pretrained_model_name_or_path, NETWORK_FILE)))
            dtype = kwargs.get("dtype", kwargs.get("torch_dtype"))
            for name, part in (("network", bundle.network), ("vae", bundle.autoencoder)):
                if part is not None and name not in kwargs:
                    kwargs[name] = part.to(dtype=_dtype_of(name, dtype))
        kwargs = {"use_safetensors": True} | kwargs
        return super().from_pretrained(pretrained_model_name_or_path, **kwargs)  # type: ignore

    def save_pretrained(
        self, save_directory: str | PathLike[str], *args: Any, **kwargs: Any
    ) -> None:
        """Write a folder that `from_pretrained` reads: diffusers' layout and one file of ours."""
        self.register_modules(vae=self.vae)
        autoencoder = self.vae if isinstance(self.vae, PatchAutoencoder) else None
        ours = ["network"] if autoencoder is None else ["network", "vae"]
        self.register_to_config(**dict.fromkeys(ours, (None, None)))  # diffusers passes them over
        super().save_pretrained(save_directory, *args, **kwargs)
        file = Path(save_directory) / NETWORK_FILE
        save_bundle(file, self.network, autoencoder=autoencoder, dtype=None)

    @property
    def device(self) -> torch.device:
        """Where the UNet is."""
        return self.unet.device

    @property
    def dtype(self) -> torch.dtype:
        """What numbers the UNet computes in."""
        return self.unet.dtype

    def to(self: Pipeline, *args: Any, **kwargs: Any) -> Pipeline:
        """Move every part, as `Module.to` does."""
        kwargs.pop("silence_dtype_warnings", None)
        for part in self.components.values():
            if isinstance(part, torch.nn.Module):
                part.to(*args, **kwargs)
        return self


def _unet_of(bundle: Bundle, name: str) -> UNet2DConditionModel:
    """Build the UNet of a bundle."""
    assert bundle.unet_config is not None and bundle.unet_state is not None
    try:
        unet = UNet2DConditionModel(**bundle.unet_config)
        unet.load_state_dict(bundle.unet_state)
    except (RuntimeError, TypeError, ValueError) as error:  # names each tensor that does not fit
        raise CheckpointError(f"The UNet in {name} does not fit its own header: {error}") from error
    return unet.eval()


def _dtype_of(name: str, dtype: torch.dtype | dict[str, torch.dtype] | None) -> torch.dtype | None:
    """Read diffusers' `dtype` argument: one for all parts, or one for each."""
    return dtype.get(name, dtype.get("default")) if isinstance(dtype, dict) else dtype
