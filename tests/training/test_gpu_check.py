import json
from pathlib import Path

import pytest
import torch

from training.gpu_check import main


@pytest.mark.slow
@pytest.mark.weights
def test_the_dry_run_on_the_cpu_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "numbers.json"
    assert main(["--device", "cpu", "--out", str(out)]) == 0
    numbers = json.loads(out.read_text())
    assert numbers["largest_error"]["torch.float32"] < 1e-5
    assert numbers["loss_last"] < numbers["loss_first"]
    assert "all checks passed" in capsys.readouterr().out


@pytest.mark.gpu
@pytest.mark.weights
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_passes():
    assert main(["--device", "cuda"]) == 0
