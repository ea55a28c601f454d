"""LPIPS (Zhang et al., CVPR 2018), version 0.1, over AlexNet or VGG16 of local files.

The package lpips gives the same numbers; it imports torchvision and downloads the backbones.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .judges import ALEX, VGG, JudgeMissingError, load_judge, load_lpips_heads

Net = Literal["alex", "vgg"]
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Of ImageNet's colours, for images in [-1, 1]."""
TAPS = {"alex": (1, 4, 7, 9, 11), "vgg": (3, 8, 15, 22, 29)}
"""Layers of the backbone whose output is compared."""
VGG16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512)
"""Channels of VGG16's convolutions; 0 halves the image."""


class Lpips(nn.Module):
    """A weighted distance of unit-length features at five depths of a backbone.

    `d = sum over depths of mean over pixels of w . (y - y')^2`, equation 1 of the paper.
    """

    shift: Tensor
    scale: Tensor

    def __init__(
        self, net: Net, backbone: Mapping[str, Tensor], heads: Mapping[str, Tensor]
    ) -> None:
        """Build the judge.

        Args:
            net: which backbone.
            backbone: torchvision's state of the whole classifier, or of its `features`.
            heads: lpips's state: `lin0.model.1.weight` and so on.

        Raises:
            JudgeMissingError: the tensors are of another network.
        """
        super().__init__()
        self.taps = TAPS[net]
        self.features = nn.Sequential(*(_alexnet() if net == "alex" else _vgg16()))
        state = {
            name.removeprefix("features."): tensor
            for name, tensor in backbone.items()
            if name.startswith("features.") or name[0].isdecimal()
        }
        try:
            self.features.load_state_dict(state)
        except RuntimeError as error:
            raise JudgeMissingError(
                f"The weights are of another network than {net}: {str(error)[:200]}.\n"
                "Expected torchvision's AlexNet for Alex and VGG16, without batch norm, for VGG.\n"
                "Give the file of this network."
            ) from error
        for number in range(len(self.taps)):
            self.register_buffer(f"weight{number}", heads[f"lin{number}.model.1.weight"])
        for name, values in (("shift", SHIFT), ("scale", SCALE)):
            self.register_buffer(name, torch.tensor(values)[:, None, None])
        self.eval().requires_grad_(False)

    @classmethod
    def of_files(cls, net: Net, folder: Path | None = None) -> "Lpips":
        """Load both parts; see `load_judge`, which raises what is missing."""
        backbone = load_judge(ALEX if net == "alex" else VGG, folder)
        return cls(net, backbone, load_lpips_heads(net))

    @torch.no_grad()
    def forward(
        self,
        image: Float[Tensor, "batch 3 height width"],
        wanted: Float[Tensor, "batch 3 height width"],
    ) -> Float[Tensor, " batch"]:
        """Compare images in [-1, 1]; 0 for equal ones."""
        total = image.new_zeros(len(image))
        for number, (found, right) in enumerate(
            zip(self._levels(image), self._levels(wanted), strict=True)
        ):
            apart = (found - right).square()
            total += (getattr(self, f"weight{number}") * apart).sum(1).mean((1, 2))
        return total

    def _levels(self, image: Tensor) -> list[Tensor]:
        """Compute the features of every depth, each pixel's of unit length."""
        x = (image - self.shift) / self.scale
        levels = []
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in self.taps:
                levels.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return levels


def _alexnet() -> list[nn.Module]:
    """List the layers of AlexNet, in torchvision's order, up to the last that is compared."""
    return [
        *(nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()),
    ]


def _vgg16() -> list[nn.Module]:
    """List the layers of VGG16, likewise."""
    layers: list[nn.Module] = []
    channels = 3
    for width in VGG16:
        if width:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        else:
            layers.append(nn.MaxPool2d(2, 2))
    return layers
