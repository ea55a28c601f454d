"""The public names of the core."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import posexfer_core

ROOT = Path(__file__).parents[2]
NAMES = sorted(posexfer_core._MODULES)


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_comes_from_the_module_that_defines_it(name):
    value = getattr(posexfer_core, name)
    assert value.__name__ == name
    assert value.__module__ == f"posexfer_core.{posexfer_core._MODULES[name]}"
    assert name in dir(posexfer_core)


def test_type_checkers_are_told_of_every_public_name():
    tree = ast.parse(Path(posexfer_core.__file__).read_text(encoding="utf-8"))
    told = {
        alias.asname: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for alias in node.names
    }
    assert told == posexfer_core._MODULES
    assert (ROOT / "posexfer_core" / "py.typed").is_file()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Nobody'"):
        posexfer_core.Nobody  # noqa: B018  (looking it up is the test)


def test_importing_the_core_loads_neither_torch_nor_numpy():
    code = "import sys, posexfer_core; sys.exit(len({'torch', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_a_warp_loads_no_networks(tmp_path):
    demo = ROOT / "posexfer_core" / "assets" / "demo"
    given = ["--source-params", str(demo / "source.npz"), "--target", str(demo / "walking.npz")]
    command = ["transfer", str(demo / "source.png"), *given, "--size", "64x64"]
    code = f"""
import sys
from posexfer_core.cli import main
outcome = main({[*command, "--out", str(tmp_path / "out.png")]!r})
sys.exit(outcome or len({{"diffusers", "transformers", "accelerate"}} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
    assert (tmp_path / "out.png").is_file()


@pytest.mark.parametrize(
    ("module", "given", "policy"),
    [
        ("posexfer_core.cli", None, "PASSIVE"),
        ("posexfer_core.cli", "ACTIVE", "ACTIVE"),
        ("posexfer_core", None, None),
    ],
)
def test_threads_of_the_command_alone_wait_asleep(module, given, policy):
    """Decided before torch is loaded, which is forbidden here."""
    code = f"""
import contextlib, importlib, os, sys
sys.modules["torch"] = None
with contextlib.suppress(ImportError):
    importlib.import_module({module!r})
sys.exit(os.environ.get("OMP_WAIT_POLICY") != {policy!r})
"""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment |= {} if given is None else {"OMP_WAIT_POLICY": given}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment)
    assert done.returncode == 0
