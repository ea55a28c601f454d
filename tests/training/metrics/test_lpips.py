import importlib.util
import sys
import warnings

import pytest
import torch

from training.metrics.judges import (
    ALEX,
    VGG,
    JudgeMissingError,
    load_judge,
    load_lpips_heads,
    read_tensors,
)
from training.metrics.lpips import Lpips

from .outside import stand_in_for_torchvision


@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_it_is_what_the_package_lpips_computes(net, generator, monkeypatch, tmp_path):
    stand_in_for_torchvision(monkeypatch)
    for name in [name for name in sys.modules if name.partition(".")[0] == "lpips"]:
        monkeypatch.delitem(sys.modules, name)
    package = pytest.importorskip("lpips", reason="make .venv installs it without torchvision")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = package.LPIPS(net=net, pnet_rand=True, verbose=False)
    backbone = {f"features.{name}": value for name, value in _backbone(theirs).items()}
    torch.save(backbone, tmp_path / (ALEX if net == "alex" else VGG).names[0])
    ours = Lpips.of_files(net, tmp_path)
    image, wanted = torch.rand(2, 2, 3, 72, 64, generator=generator) * 2 - 1
    with torch.no_grad():
        expected = theirs(image, wanted).flatten()
    torch.testing.assert_close(ours(image, wanted), expected, atol=1e-6, rtol=1e-4)
    assert float(expected.min()) > 1e-4
    assert ours(image, image).tolist() == [0.0, 0.0]


def _backbone(theirs):
    """The backbone's tensors under torchvision's numbers, which lpips keeps in its slices."""
    return {name.partition(".")[2]: value for name, value in theirs.net.state_dict().items()}


def test_what_is_missing_is_said_in_three_lines(tmp_path):
    with pytest.raises(JudgeMissingError) as missing:
        load_judge(ALEX, tmp_path)
    lines = str(missing.value).splitlines()
    assert len(lines) == 3
    assert str(tmp_path) in lines[0] and "alexnet-owt-7be5be79.pth" in lines[0]
    assert "POSEXFER_JUDGES" in lines[2]


def test_a_damaged_file_and_another_network_are_said(tmp_path):
    (tmp_path / ALEX.names[0]).write_bytes(b"no weights")
    with pytest.raises(JudgeMissingError, match="cannot be used"):
        load_judge(ALEX, tmp_path)
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(JudgeMissingError, match="holds something else"):
        read_tensors(tmp_path / "list.pth")
    if importlib.util.find_spec("lpips") is None:
        pytest.skip("lpips has the heads")
    with pytest.raises(JudgeMissingError, match="another network than vgg"):
        Lpips("vgg", {"features.0.weight": torch.zeros(3)}, load_lpips_heads("vgg"))
