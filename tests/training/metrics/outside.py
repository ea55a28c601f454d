"""Metrics of other packages, beside a stand-in for torchvision, which they import and we lack."""

import sys
import types
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from typing import Any

import pytest
import torch
from torch import nn


def stand_in_for_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let packages import torchvision; its classifiers have their layers and random weights."""

    def anything(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})

    for name in ("", ".models", ".datasets", ".transforms", ".transforms.functional"):
        module: Any = types.ModuleType(f"torchvision{name}")
        module.__getattr__ = anything
        module.__path__ = []
        module.__spec__ = ModuleSpec(module.__name__, None, is_package=True)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    top: Any = sys.modules["torchvision"]
    models: Any = sys.modules["torchvision.models"]
    models.alexnet, models.vgg16 = _classifier(_alexnet), _classifier(_vgg16)
    top.models, top.transforms = models, sys.modules["torchvision.transforms"]


def _classifier(layers: Callable[[], list[nn.Module]]) -> Callable[..., Any]:
    def make(pretrained: bool) -> Any:
        assert not pretrained, "weights would be downloaded"
        torch.manual_seed(3)
        return types.SimpleNamespace(features=nn.Sequential(*layers()))

    return make


def _alexnet() -> list[nn.Module]:
    return [
        nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(64, 192, kernel_size=5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(192, 384, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(256, 256, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(kernel_size=3, stride=2),
    ]


def _vgg16() -> list[nn.Module]:
    layers: list[nn.Module] = []
    channels = 3
    for widths in ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)):
        for width in widths:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return layers
