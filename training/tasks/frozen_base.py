"""A frozen base in training: its UNet and its empty prompt, and how a network is attached."""

from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler

from posexfer_core.diffusion.attach import Attachment, attach
from posexfer_core.diffusion.base import Base
from posexfer_core.diffusion.text import TextContext, encode_text
from posexfer_core.network.model import PoseTransferNetwork

from ..config import BaseTraining

DTYPES = {"no": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class LastAttachment:
    """Keeps an attachment until the next: backward runs through a checkpointed UNet once more."""

    def __init__(self) -> None:
        self._last: Attachment | None = None

    def renew(self, unet: UNet2DConditionModel, network: PoseTransferNetwork) -> Attachment:
        """Detach what was attached last, and attach a network."""
        self.detach()
        self._last = attach(unet, network)
        return self._last

    def detach(self) -> None:
        """Give the UNet back as it was."""
        if self._last is not None:
            self._last.detach()
            self._last = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "LastAttachment":
        """Start anew: a copied UNet is attached to by its own copy."""
        return LastAttachment()


class FrozenBase:
    """The UNet of a base, the empty prompt's tokens, and what the UNet predicts.

    No module, so that optimiser, average, checkpoints and weights files pass it over; copies of
    what is trained share it.
    """

    def __init__(
        self, unet: UNet2DConditionModel, text: TextContext, scheduler: DDIMScheduler
    ) -> None:
        self.unet = unet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.text = text.to(unet.dtype)
        self.scheduler = scheduler
        self.attachment = LastAttachment()

    @classmethod
    def load(cls, settings: BaseTraining) -> "FrozenBase":
        """Load what training needs of a base; its text encoders are dropped again.

        Raises:
            CheckpointError: a part is missing or damaged.
        """
        base = Base(settings, DTYPES[settings.precision])
        text = encode_text(base.load_text_encoders(), base.load_tokenizers())
        return cls(base.load_unet(), text, base.make_scheduler())

    def on(self, device: torch.device) -> UNet2DConditionModel:
        """Give the UNet, moved with its text to where the trained module computes."""
        if self.unet.device != device:
            self.unet.to(device)
            self.text = self.text.to(device)
        return self.unet

    def __deepcopy__(self, memo: dict[int, Any]) -> "FrozenBase":
        """Stay one."""
        return self
