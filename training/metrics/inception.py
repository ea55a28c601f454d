"""Inception v3 (Szegedy et al., CVPR 2016) up to its pooled features, in two forms.

FID's own network is of 2015, from TensorFlow; torchvision's is of another training. They differ in
how pooling treats the edges, in the last block's pooling, and in how images are brought to 299
pixels and to their range. Layers have torchvision's names in both files.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .judges import JudgeMissingError

SIDE = 299
Form = Literal["2015", "torchvision"]
Size = int | tuple[int, int]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours in [0, 1]."""


class Inception(nn.Module):
    """From images in [0, 1] to 2048 features each."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form
        pool = _tensorflow_mean if form == "2015" else _mean
        last = _max if form == "2015" else pool
        self.Conv2d_1a_3x3 = Convolution(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = Convolution(32, 32, 3)
        self.Conv2d_2b_3x3 = Convolution(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = Convolution(80, 192, 3)
        self.Mixed_5b = Fine(192, 32, pool)
        self.Mixed_5c = Fine(256, 64, pool)
        self.Mixed_5d = Fine(288, 64, pool)
        self.Mixed_6a = FirstReduction(288)
        self.Mixed_6b = Crossed(128, pool)
        self.Mixed_6c = Crossed(160, pool)
        self.Mixed_6d = Crossed(160, pool)
        self.Mixed_6e = Crossed(192, pool)
        self.Mixed_7a = SecondReduction(768)
        self.Mixed_7b = Wide(1280, pool)
        self.Mixed_7c = Wide(2048, last)
        self.eval().requires_grad_(False)

    @classmethod
    def of_state(cls, form: Form, state: Mapping[str, Tensor]) -> "Inception":
        """Load weights; classifiers and auxiliary heads among them are left aside.

        Raises:
            JudgeMissingError: the tensors are of another network.
        """
        network = cls(form)
        wanted = network.state_dict()
        kept = {name: tensor for name, tensor in state.items() if name in wanted}
        try:
            network.load_state_dict({**_counters(wanted), **kept})
        except RuntimeError as error:
            raise JudgeMissingError(
                f"The weights are no Inception v3: {str(error)[:200]}.\n"
                "Expected layers Conv2d_1a_3x3 to Mixed_7c, as in torchvision.\n"
                "Give the file of this network."
            ) from error
        return network

    @torch.no_grad()
    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 2048"]:
        """Compute features; images in [0, 1] are brought to the network's size and range."""
        x = _as_in_2015(images) if self.form == "2015" else _as_published(images)
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, 2)))
        x = F.max_pool2d(x, 3, 2)
        for name, block in self.named_children():
            if name.startswith("Mixed"):
                x = block(x)
        return x.mean((2, 3))


def _as_in_2015(images: Tensor) -> Tensor:
    """Resize as TensorFlow 1 does, which aligns corners of pixels 0, levels rounded to 256."""
    levels = (images * 255.0).round()
    across = _tensorflow_resize(images.shape[-1]).to(levels)
    down = _tensorflow_resize(images.shape[-2]).to(levels)
    return (down @ levels @ across.mT - 128.0) / 128.0


def _tensorflow_resize(length: int) -> Float[Tensor, "299 length"]:
    """Weights of bilinear interpolation at `i * length / 299`, without half a pixel's offset."""
    places = torch.arange(SIDE, dtype=torch.float64) * length / SIDE
    low = places.floor().long()
    high = (low + 1).clamp(max=length - 1)
    share = (places - low)[:, None]
    weights = torch.zeros(SIDE, length, dtype=torch.float64)
    weights.scatter_add_(1, low[:, None], 1.0 - share)
    return weights.scatter_add_(1, high[:, None], share).float()


def _as_published(images: Tensor) -> Tensor:
    """Resize and shift as CFLD, PIDM, NTED and others do.

    Their shift turns ImageNet-normalised images to [-1, 1], but images in [0, 1] go in: grey values
    span about a quarter of that, [-0.03, 0.43] in red. Their FIDs compare with each other alone.
    """
    large = F.interpolate(images, size=(SIDE, SIDE), mode="bilinear")
    mean, std = (images.new_tensor(one)[:, None, None] for one in (MEAN, STD))
    return large * (std / 0.5) + (mean - 0.5) / 0.5


class Convolution(nn.Module):
    """A convolution without bias, batch norm, ReLU."""

    def __init__(
        self, channels: int, width: int, size: Size, *, stride: int = 1, padding: Size = 0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, size, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(width, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Apply all three."""
        return F.relu(self.bn(self.conv(x)))


Pool = Callable[[Tensor], Tensor]


class Fine(nn.Module):
    """The 35x35 block: 1x1, 5x5, two 3x3, pooling."""

    def __init__(self, channels: int, pooled: int, pool: Pool) -> None:
        super().__init__()
        self.pool = pool
        self.branch1x1 = Convolution(channels, 64, 1)
        self.branch5x5_1 = Convolution(channels, 48, 1)
        self.branch5x5_2 = Convolution(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = Convolution(channels, 64, 1)
        self.branch3x3dbl_2 = Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Convolution(96, 96, 3, padding=1)
        self.branch_pool = Convolution(channels, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Join four branches."""
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        five = self.branch5x5_2(self.branch5x5_1(x))
        return torch.cat([self.branch1x1(x), five, double, self.branch_pool(self.pool(x))], 1)


class FirstReduction(nn.Module):
    """From 35x35 to 17x17."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch3x3 = Convolution(channels, 384, 3, stride=2)
        self.branch3x3dbl_1 = Convolution(channels, 64, 1)
        self.branch3x3dbl_2 = Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Convolution(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Join two branches and pooling."""
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, F.max_pool2d(x, 3, 2)], 1)


class Crossed(nn.Module):
    """The 17x17 block: 7x7 as 1x7 and 7x1."""

    def __init__(self, inner: int, pool: Pool) -> None:
        super().__init__()
        self.pool = pool
        self.branch1x1 = Convolution(768, 192, 1)
        self.branch7x7_1 = Convolution(768, inner, 1)
        self.branch7x7_2 = Convolution(inner, inner, (1, 7), padding=(0, 3))
        self.branch7x7_3 = Convolution(inner, 192, (7, 1), padding=(3, 0))
        self.branch7x7dbl_1 = Convolution(768, inner, 1)
        self.branch7x7dbl_2 = Convolution(inner, inner, (7, 1), padding=(3, 0))
        self.branch7x7dbl_3 = Convolution(inner, inner, (1, 7), padding=(0, 3))
        self.branch7x7dbl_4 = Convolution(inner, inner, (7, 1), padding=(3, 0))
        self.branch7x7dbl_5 = Convolution(inner, 192, (1, 7), padding=(0, 3))
        self.branch_pool = Convolution(768, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Join four branches."""
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(self.pool(x))], 1)


class SecondReduction(nn.Module):
    """From 17x17 to 8x8."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch3x3_1 = Convolution(channels, 192, 1)
        self.branch3x3_2 = Convolution(192, 320, 3, stride=2)
        self.branch7x7x3_1 = Convolution(channels, 192, 1)
        self.branch7x7x3_2 = Convolution(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = Convolution(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = Convolution(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Join two branches and pooling."""
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        three = self.branch3x3_2(self.branch3x3_1(x))
        return torch.cat([three, self.branch7x7x3_4(seven), F.max_pool2d(x, 3, 2)], 1)


class Wide(nn.Module):
    """The 8x8 block: its 3x3 branches end in 1x3 and 3x1 side by side."""

    def __init__(self, channels: int, pool: Pool) -> None:
        super().__init__()
        self.pool = pool
        self.branch1x1 = Convolution(channels, 320, 1)
        self.branch3x3_1 = Convolution(channels, 384, 1)
        self.branch3x3_2a = Convolution(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = Convolution(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = Convolution(channels, 448, 1)
        self.branch3x3dbl_2 = Convolution(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = Convolution(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = Convolution(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = Convolution(channels, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Join six branches."""
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        sides = [self.branch3x3_2a(three), self.branch3x3_2b(three)]
        sides += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)]
        return torch.cat([self.branch1x1(x), *sides, self.branch_pool(self.pool(x))], 1)


def _mean(x: Tensor) -> Tensor:
    """Average 3x3; beyond the edge count zeros."""
    return F.avg_pool2d(x, 3, 1, 1)


def _tensorflow_mean(x: Tensor) -> Tensor:
    """Average 3x3 of what lies inside."""
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def _max(x: Tensor) -> Tensor:
    """Take the largest of 3x3: FID's network has this in its last block."""
    return F.max_pool2d(x, 3, 1, 1)


def _counters(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Pick batch norm's counters, which older files lack and nothing here reads."""
    return {name: value for name, value in state.items() if name.endswith("num_batches_tracked")}
