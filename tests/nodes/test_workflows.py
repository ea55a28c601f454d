"""The workflow files we ship, run by the host's executor on small weights."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image, ImageChops

from tests.nodes.host_process import ROOT
from tests.nodes.prompts import run, to_prompt
from tests.nodes.test_nodes import files  # noqa: F401

WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))


def saved_pictures(host: SimpleNamespace, shown: dict[str, Any]) -> list[Image.Image]:
    found = [entry for output in shown.values() for entry in output.get("images", [])]
    folder = Path(host.folder_paths.get_output_directory())
    written = [
        folder / one["subfolder"] / one["filename"] for one in found if one["type"] == "output"
    ]
    return [Image.open(path).convert("RGB") for path in written]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_and_repeats_itself(host, pack, files, path):  # noqa: F811
    demo = ROOT / "posexfer_core" / "assets" / "demo" / "source.png"
    shutil.copy(demo, files / "input" / "posexfer_source.png")
    prompt = to_prompt(json.loads(path.read_text()), host.nodes.NODE_CLASS_MAPPINGS)
    for node in prompt.values():
        if node["class_type"] == "PoseXfer_LoadModel":
            node["inputs"]["weights"] = "toy.safetensors"
        if node["class_type"] == "PoseXfer_PoseTransferSampler":
            node["inputs"]["steps"] = 2
    first, second = (saved_pictures(host, run(host, prompt)) for _ in range(2))
    assert first and len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert ImageChops.difference(one, other).getbbox() is None
        assert len(one.getcolors(1 << 20) or "many") > 2, "not a flat picture"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_two_nodes_of_a_workflow_overlap(path):
    boxes = [(*node["pos"], *node["size"]) for node in json.loads(path.read_text())["nodes"]]
    for number, (x, y, width, height) in enumerate(boxes):
        for left, top, wide, high in boxes[:number]:
            apart = x >= left + wide or left >= x + width or y - 30 >= top + high
            assert apart or top - 30 >= y + height
