"""Which loops run where."""

import importlib

import pytest
import torch

from posexfer_core.geometry import backend


@pytest.fixture
def fresh_import():
    """Forget the loops before and after."""
    backend.compiled_loops.cache_clear()
    yield
    backend.compiled_loops.cache_clear()


@pytest.mark.parametrize("error", [ImportError("no numba"), RuntimeError("no cache folder")])
def test_numba_that_does_not_load_leaves_the_work_to_torch_and_says_so_once(
    error, fresh_import, monkeypatch, caplog
):
    def refuse(*_):
        raise error

    monkeypatch.setattr(importlib, "import_module", refuse)
    for _ in range(2):
        assert backend.loops_for(torch.zeros(1)) is None
    (record,) = caplog.records
    assert record.levelname == "WARNING" and str(error) in record.getMessage()


def test_wanted_gradients_leave_the_work_to_torch():
    weight = torch.zeros(1, requires_grad=True)
    assert backend.loops_for(weight) is None
    with torch.no_grad():
        assert backend.loops_for(weight) is backend.compiled_loops()


def test_other_devices_leave_the_work_to_torch():
    assert backend.loops_for(torch.zeros(1, device="meta")) is None
