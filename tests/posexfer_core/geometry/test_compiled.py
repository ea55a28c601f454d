import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

LOOP = """
from posexfer_core.geometry.compiled import compiled

@compiled
def double(number):
    return 2 * number
"""
CALL = """
import importlib.util, sys
name, path = sys.argv[1:]
spec = importlib.util.spec_from_file_location(name, path)
module = sys.modules[name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
assert module.double(4) == 8
"""


@pytest.mark.slow
def test_code_kept_under_one_module_name_does_not_disturb_another(tmp_path: Path):
    pytest.importorskip("numba")
    loop = tmp_path / "loop.py"
    loop.write_text(LOOP)
    for name in ("first", "second", "first"):
        done = subprocess.run(
            [sys.executable, "-c", CALL, name, str(loop)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "__pycache__").glob("*.nbi"))) == 2
