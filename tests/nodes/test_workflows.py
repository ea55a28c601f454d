"""The workflow files we ship, run by a real server on small weights."""

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from tests.nodes.host_process import ROOT
from tests.nodes.prompts import on_small_weights, to_prompt
from tests.nodes.server import Server

WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))
FOR_MODELS = {
    "SD 1.5 inpaint", "SDXL inpaint", "FLUX.1 Fill", "FLUX.2 Klein edit", "Qwen-Image edit",
    "Z-Image inpaint", "Wan VACE video", "Your own photo", "Pose your own photo",
}  # fmt: skip
"""In test_model_templates.py."""
SAMPLERS = ("KSampler", "SamplerCustomAdvanced", "PoseTransferSampler")
BY_THEMSELVES = [path for path in WORKFLOWS if path.stem not in FOR_MODELS]


def read_prompt(path: Path, server: Server) -> dict:
    return on_small_weights(to_prompt(json.loads(path.read_text()), server.mappings()))


@pytest.mark.parametrize("path", BY_THEMSELVES, ids=lambda path: path.stem)
def test_a_workflow_runs_and_repeats_itself_to_the_byte(server: Server, path):
    prompt = read_prompt(path, server)
    once = server.prompt_afresh(prompt)
    assert once.end == "execution_success", (once.error, once.node_errors)
    again = server.prompt_afresh(prompt)
    assert not again.cached, "every node ran a second time"
    first, second = server.written(once), server.written(again)
    assert first and first == second
    for one in first:
        colours = Image.open(io.BytesIO(one)).convert("RGB").getcolors(1 << 20)
        assert len(colours or "many") > 1, "not a flat image"


def test_an_interrupt_leaves_the_next_run_clean(server: Server):
    prompt = read_prompt(ROOT / "workflows" / "Transfer with the bundled weights.json", server)
    expected = server.written(server.prompt_afresh(prompt))
    server.forget()
    sampler = next(n for n in prompt.values() if n["class_type"].endswith("TransferSampler"))
    steps, sampler["inputs"]["steps"] = sampler["inputs"]["steps"], 500
    assert server.prompt(prompt, interrupt=True).end == "execution_interrupted"
    sampler["inputs"]["steps"] = steps
    assert server.written(server.prompt(prompt)) == expected


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_two_nodes_of_a_workflow_overlap(path):
    boxes = [(*node["pos"], *node["size"]) for node in json.loads(path.read_text())["nodes"]]
    for number, (x, y, width, height) in enumerate(boxes):
        for left, top, wide, high in boxes[:number]:
            apart = x >= left + wide or left >= x + width or y - 30 >= top + high
            assert apart or top - 30 >= y + height


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_samplers_have_room_to_grow_by_their_live_preview(path):
    nodes = json.loads(path.read_text())["nodes"]
    for sampler in nodes:
        if sampler["type"].removeprefix("PoseXfer_") not in SAMPLERS:
            continue
        left, bottom = sampler["pos"][0], sampler["pos"][1] + sampler["size"][1]
        for node in nodes:
            x, top = node["pos"]
            beneath = top >= bottom and x < left + sampler["size"][0] and left < x + node["size"][0]
            assert not beneath or top - 30 >= bottom + 240, node["type"]
