import importlib
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.linalg import sqrtm

from posexfer_core.errors import PoseXferError
from training.metrics.fid import FeatureStatistics, features_of, frechet_distance
from training.metrics.inception import Inception
from training.metrics.judges import JudgeMissingError

from .outside import stand_in_for_torchvision


def statistics(features: int, count: int, seed: int) -> FeatureStatistics:
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(features, features)) / features**0.5
    return FeatureStatistics.of(rng.normal(size=(count, features)) @ mixing + rng.normal(size=1))


def test_in_one_dimension_it_is_the_worked_number():
    one, other = (
        FeatureStatistics(count=9, mean=np.array([mean]), covariance=np.array([[variance]]))
        for mean, variance in ((0.0, 1.0), (3.0, 4.0))
    )
    assert frechet_distance(one, other) == pytest.approx(10.0)
    assert frechet_distance(one, one) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("count", [400, 20])
def test_it_is_the_published_formula_with_scipys_root(count):
    """With fewer images than features the covariances are singular, as in practice."""
    one, other = statistics(48, count, 1), statistics(48, count, 2)
    root: Any = sqrtm(one.covariance @ other.covariance)
    expected = np.square(one.mean - other.mean).sum()
    expected += np.trace(one.covariance + other.covariance - 2.0 * root.real)
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-4)


def test_statistics_are_kept_in_a_file(tmp_path):
    written = statistics(6, 30, 4)
    written.save(tmp_path / "s.safetensors")
    read = FeatureStatistics.load(tmp_path / "s.safetensors")
    assert read.count == 30 and np.array_equal(read.covariance, written.covariance)
    (tmp_path / "s.safetensors").write_bytes(b"x")
    with pytest.raises(PoseXferError, match="holds no statistics"):
        FeatureStatistics.load(tmp_path / "s.safetensors")


@pytest.mark.slow
def test_features_are_those_of_torch_fidelity(generator, monkeypatch):
    stand_in_for_torchvision(monkeypatch)
    pytest.importorskip(
        "torch_fidelity",
        reason="pip install --no-deps --target DIR torch-fidelity==0.4.0, and PYTHONPATH=DIR; in "
        ".venv its package `tests` would hide ours",
    )
    module = importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")
    state = random_state(generator)
    monkeypatch.setattr(module, "load_state_dict_from_url", lambda *_, **__: state)
    monkeypatch.setattr(
        module.FeatureExtractorInceptionV3,
        "load_state_dict",
        lambda self, state: torch.nn.Module.load_state_dict(self, state, strict=False),
    )
    theirs = module.FeatureExtractorInceptionV3("random", ["2048"])
    levels = torch.randint(0, 256, (2, 3, 96, 66), generator=generator, dtype=torch.uint8)
    expected = theirs(levels)[0]
    found = Inception.of_state("2015", state)(levels / 255.0)
    assert float(expected.std()) > 0.05
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_legacy_features_see_a_quarter_of_the_range_and_zeros_beyond_edges(generator):
    """`x * std / 0.5 + (mean - 0.5) / 0.5` of values in [0, 1]: red from -0.03 to 0.43."""
    network = Inception.of_state("torchvision", random_state(generator))
    seen = []
    network.Conv2d_1a_3x3.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(torch.stack([torch.zeros(3, 40, 30), torch.ones(3, 40, 30)]))
    assert seen[0].shape[-2:] == (299, 299)
    assert float(seen[0][0, 0].max()) == pytest.approx(-0.03, abs=1e-6)
    assert float(seen[0][1, 0].min()) == pytest.approx(0.428, abs=1e-6)
    ones = torch.ones(1, 1, 5, 5)
    assert float(network.Mixed_5b.pool(ones)[0, 0, 0, 0]) == pytest.approx(4 / 9)
    assert float(network.Mixed_7c.pool(ones)[0, 0, 0, 0]) == pytest.approx(4 / 9)


def test_no_image_is_dropped_whatever_the_batches():
    network = torch.nn.Conv2d(3, 4, 1)
    images = torch.rand(5, 3, 2, 2)
    found = features_of(images.split(2), _Mean(network))
    assert found.shape == (5, 4)


class _Mean(torch.nn.Module):
    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return F.adaptive_avg_pool2d(self.inner(x), 1).flatten(1)


def test_weights_of_another_network_are_said():
    with pytest.raises(JudgeMissingError, match="no Inception v3"):
        Inception.of_state("2015", {})


def random_state(generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Weights of Inception's shapes that keep values about as large from layer to layer."""
    shapes = {name: t.shape for name, t in Inception("2015").state_dict().items()}
    state = {}
    for name, shape in shapes.items():
        if name.endswith("conv.weight"):
            fan_in = shape[1] * shape[2] * shape[3]
            state[name] = torch.randn(shape, generator=generator) * (2.0 / fan_in) ** 0.5
        elif name.endswith(("running_var", "bn.weight")):
            state[name] = 0.5 + torch.rand(shape, generator=generator)
        elif name.endswith(("running_mean", "bn.bias")):
            state[name] = 0.1 * torch.randn(shape, generator=generator)
    return state
