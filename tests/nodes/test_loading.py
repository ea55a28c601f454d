"""The pack costs next to nothing to load, and loads where packages are missing."""

import json
import subprocess
import sys

import pytest

from tests.nodes.host_process import ROOT


@pytest.fixture(scope="module")
def report(host, tmp_path_factory):
    """What `tests.nodes.loading` found in a process without smplx, trimesh and numba."""
    command = [sys.executable, "-m", "tests.nodes.loading", str(tmp_path_factory.mktemp("fresh"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_every_node_is_there(report):
    assert report["nodes"] >= 11


def test_nothing_heavy_is_imported_before_a_node_runs(report):
    assert report["gained"] == []
    assert report["asked"] == []


def test_a_pack_without_optional_packages_loads_without_a_warning(report):
    assert report["loud"] == []


def test_without_numba_torch_draws_and_says_that_it_is_slower(report):
    assert report["drawn"] > 0.01
    assert any("slower than by numba" in line for line in report["said"])


def test_a_body_file_without_smplx_says_what_to_install(report):
    assert "pip install smplx" in report["smplx"]
    assert "bundled body" in report["smplx"]


def test_a_mesh_file_without_trimesh_says_what_to_install(report):
    assert "pip install trimesh" in report["trimesh"]
