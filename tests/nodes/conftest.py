"""The host and our pack as fixtures; without a checkout these tests are skipped, loudly."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.nodes.cpu_torch import import_beside_cpu_torch
from tests.nodes.host_process import Pack, load_pack, open_host, why_not
from tests.nodes.server import Server, serve


def pytest_configure() -> None:
    """Make room for torchvision before a test module imports diffusers, which looks for it."""
    if why_not() is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import_beside_cpu_torch()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("host")
            item.add_marker(pytest.mark.filterwarnings("default"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if reason := why_not():
        terminalreporter.write_line(f"NOT RUN: the host tests. {reason}", red=True, bold=True)


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """ComfyUI's modules."""
    if reason := why_not():
        pytest.skip(f"NOT RUN: {reason}")
    return open_host(tmp_path_factory.mktemp("comfy"))


@pytest.fixture(scope="session")
def pack(host: SimpleNamespace) -> Pack:
    """Our pack, loaded as ComfyUI loads it."""
    return load_pack(host)


@pytest.fixture(scope="session")
def server(host: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server with small files, in a process of its own."""
    from tests.nodes.small_files import write_small_files
    from tests.nodes.small_sd15 import write_small_sd15

    with serve(tmp_path_factory.mktemp("served") / "base") as running:
        write_small_files(running.base)
        write_small_sd15(running.base / "models")
        yield running
