"""Train the 2D prior and its head alone, on prepared pairs."""

from jaxtyping import Float
from torch import Tensor

from posexfer_core.errors import ConfigError
from posexfer_core.network.config import NetworkConfig

from ..config import PairTraining
from ..losses import prior_head_loss
from ..sample_random import SampleRandom
from .frozen_base import FrozenBase
from .network import NetworkTask, PairLoss


class PriorHeadLoss(PairLoss):
    """The prior head's loss under randomly dropped maps."""

    def __init__(
        self, config: NetworkConfig, settings: PairTraining, base: FrozenBase | None = None
    ) -> None:
        super().__init__(config, settings, base)
        if self.network.prior is None or self.network.prior.head is None:
            raise ConfigError(
                "[prior_head] trains the 2D prior's head, and [model.ablation] takes it away."
            )

    def forward(self, batch: dict[str, Tensor], rng: SampleRandom) -> dict[str, Float[Tensor, ""]]:
        """Predict mean and standard deviation of the target latents."""
        inputs, dropout = self.dropped(self.inputs(batch), rng)
        latent_prior = self.network.predict_prior(inputs, dropout)
        assert latent_prior is not None
        return {"loss": prior_head_loss(latent_prior, batch["target_latents"].float())}


class PriorHeadTask(NetworkTask):
    """What `training.trainer.train` needs to train the prior head."""

    loss = PriorHeadLoss
