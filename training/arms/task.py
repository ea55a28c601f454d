"""What the trainer needs to train one arm."""

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from posexfer_core.network.weights import load_bundle, save_bundle

from ..sample_random import SampleRandom
from .catalogue import Arm
from .network import ArmNetwork
from .pairs import SmallPairs, restored, truth_of

HUMAN_PARAMS_WEIGHT = 0.02
SHOWN = 8


@dataclass(frozen=True)
class ArmRun:
    """Where one arm of one seed is kept."""

    folder: Path
    arm: str
    seed: int

    @property
    def output(self) -> Path:
        """Folder of its checkpoints."""
        return self.folder / f"{self.arm}-{self.seed}"

    @property
    def bundle(self) -> Path:
        """Its weights, once it is trained."""
        return self.output / "bundle.safetensors"


class ArmTask:
    """Trains an arm on small pairs, of which the last `held_out` are never trained on."""

    def __init__(self, pairs: SmallPairs, arm: Arm, held_out: int) -> None:
        self.pairs = pairs
        self.count = len(pairs) - held_out
        self.arm = arm
        self.model: nn.Module = ArmNetwork(
            arm.config, HUMAN_PARAMS_WEIGHT if arm.human_params else 0.0
        )

    def __len__(self) -> int:
        """Count the pairs that are trained on."""
        return self.count

    def batch(self, indices: list[int], rng: SampleRandom) -> dict[str, Tensor]:
        """Load pairs; nothing of them is random."""
        return self.pairs.batch(indices)

    @torch.no_grad()
    def sample(self, model: nn.Module) -> Float[Tensor, "3 height width"]:
        """Show results above the truth, of the last pairs, which are held out."""
        assert isinstance(model, ArmNetwork)
        last = len(self.pairs)
        batch = self.pairs.batch(list(range(max(0, last - SHOWN), last)))
        drawn = model.draw(restored(batch)).clamp(-1.0, 1.0)
        return torch.cat([torch.cat(list(row), -1) for row in (drawn, truth_of(batch))], -2)

    def export(self, model: nn.Module, path: Path, recipe: dict[str, object]) -> None:
        """Write network and UNet as one bundle."""
        assert isinstance(model, ArmNetwork)
        save_bundle(
            path,
            model.network,
            unet_config=self.arm.config.unet.diffusers_config(),
            unet_state=model.unet.state_dict(),
            recipe={**recipe, "arm": self.arm.told, "network": asdict(self.arm.config)},
            dtype=torch.float32,
        )


def load_arm(path: Path, arm: Arm) -> ArmNetwork:
    """Build a trained arm, in evaluation mode.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    bundle = load_bundle(path)
    assert bundle.unet_state is not None
    model = ArmNetwork(arm.config, 0.0)
    model.network.load_state_dict(bundle.network.state_dict())
    model.unet.load_state_dict(bundle.unet_state)
    return model.eval()
