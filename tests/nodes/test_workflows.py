"""The workflow files we ship, run by the host's executor on small weights."""

import asyncio
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image, ImageChops

from tests.nodes.conftest import ROOT
from tests.nodes.test_nodes import files  # noqa: F401

WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))
NOTES = ("Note", "MarkdownNote")
WIDGETS = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")


def to_prompt(workflow: dict[str, Any], mappings: dict[str, Any]) -> dict[str, Any]:
    """Turn what the page saves into what the server runs, as the page does."""
    sources = {link[0]: [str(link[1]), link[2]] for link in workflow["links"]}
    prompt = {}
    for node in workflow["nodes"]:
        if node["type"] in NOTES:
            continue
        declared = mappings[node["type"]].INPUT_TYPES()
        values, inputs = iter(node["widgets_values"]), {}
        for name, entry in {**declared["required"], **declared.get("optional", {})}.items():
            options = entry[1] if len(entry) > 1 else {}
            if isinstance(entry[0], list) or entry[0] in WIDGETS:
                inputs[name] = next(values)
                if options.get("control_after_generate") or options.get("image_upload"):
                    next(values)
        assert next(values, None) is None, f"{node['type']} has values without a widget"
        for slot in node["inputs"]:
            if slot["link"] is not None:
                inputs[slot["name"]] = sources[slot["link"]]
        prompt[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return prompt


def run(host: SimpleNamespace, prompt: dict[str, Any]) -> dict[str, Any]:
    """Validate and execute a prompt; give what the page would show of it."""
    valid, error, outputs, node_errors = asyncio.run(
        host.execution.validate_prompt("test", prompt, None)
    )
    assert valid, (error, node_errors)
    server = SimpleNamespace(client_id=None, last_node_id=None, send_sync=lambda *args: None)
    executor = host.execution.PromptExecutor(server, host.execution.CacheType.CLASSIC, 0)
    executor.execute(prompt, "test", {}, outputs)
    failures = [data for name, data in executor.status_messages if name == "execution_error"]
    assert not failures, failures[0]["exception_message"]
    assert executor.status_messages[-1][0] == "execution_success"
    return executor.history_result["outputs"]


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
