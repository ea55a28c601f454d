"""Templates for other models: run with small random weights, or accepted with every socket."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.nodes.host_process import ROOT
from tests.nodes.prompts import on_small_weights, to_prompt
from tests.nodes.server import Server
from tests.nodes.small_models import TEXT_WIDTHS, ZERO_TEXT, write_small_flux, write_small_sdxl

WORKFLOWS = ROOT / "workflows"
NOT_RUN = (
    "FLUX.2 Klein edit",
    "Qwen-Image edit",
    "Z-Image inpaint",
    "Wan VACE video",
    "Your own photo",
)
"""Their models have no small relative; nobody has run them here with the real one."""
LOADERS = ("Loader", "LoaderSimple", "LoadBackgroundRemovalModel")


def write_models(name: str, server: Server) -> None:
    """Write the small weights of a template; those of SD 1.5 are there already."""
    if name == "SDXL inpaint":
        write_small_sdxl(server.base / "models")
    if name == "FLUX.1 Fill":
        if "Flux2Scheduler" not in server.mappings():
            pytest.skip("This ComfyUI takes only FLUX.1 of the real width.")
        write_small_flux(server.base / "models")


def workflow_of(name: str) -> dict[str, Any]:
    return json.loads((WORKFLOWS / f"{name}.json").read_text())


def prompt_of(name: str, server: Server) -> dict[str, Any]:
    """Read a template as a prompt for small pictures; skips what this host has no nodes for."""
    workflow, known = workflow_of(name), server.mappings()
    kinds = {node["type"] for node in workflow["nodes"]} - {"MarkdownNote"}
    if missing := sorted(kinds - known.keys()):
        pytest.skip(f"This ComfyUI has no {', '.join(missing)}.")
    return on_small_weights(to_prompt(workflow, known))


def by_title(name: str, title: str) -> str:
    """Find a node's number by its title."""
    return next(str(n["id"]) for n in workflow_of(name)["nodes"] if n.get("title") == title)


def with_zero_text(prompt: dict[str, Any], name: str) -> dict[str, Any]:
    """Let zeros stand for what text encoders give; their loaders go."""
    width, pooled = TEXT_WIDTHS[name]
    kept = {key: node for key, node in prompt.items() if "CLIPLoader" not in node["class_type"]}
    for node in kept.values():
        if node["class_type"] == "CLIPTextEncode":
            node.update(class_type=ZERO_TEXT, inputs={"width": width, "pooled": pooled})
    return kept


def with_changeable(prompt: dict[str, Any], paste: str) -> dict[str, Any]:
    """Save, beside the result, the photo and where they may differ."""
    given = prompt[paste]["inputs"]
    white = {"width": 128, "height": 128, "batch_size": 1, "color": 0xFFFFFF}
    black = {**white, "width": 512, "height": 512, "color": 0}
    added = {
        "white": ("EmptyImage", white),
        "black": ("EmptyImage", black),
        "where": (
            "PoseXfer_PasteBack",
            {**given, "image": ["white", 0], "original": ["black", 0], "feather": 0},
        ),
        "shown": ("SaveImage", {"images": ["where", 0], "filename_prefix": "where"}),
        "photo": ("SaveImage", {"images": given["original"], "filename_prefix": "photo"}),
    }
    return prompt | {
        key: {"class_type": kind, "inputs": inputs} for key, (kind, inputs) in added.items()
    }


def saved(server: Server, shown: dict[str, Any]) -> np.ndarray:
    (one,) = shown["images"]
    path = server.base / "output" / one["subfolder"] / one["filename"]
    return np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB")).astype(int)


@pytest.mark.parametrize("name", TEXT_WIDTHS)
def test_a_template_runs_and_changes_the_photo_only_where_it_may(server: Server, name):
    write_models(name, server)
    prompt = with_zero_text(prompt_of(name, server), name)
    paste = next(k for k, node in prompt.items() if node["class_type"] == "PoseXfer_PasteBack")
    outcome = server.prompt(with_changeable(prompt, paste))
    assert outcome.end == "execution_success", (outcome.error, outcome.node_errors)
    result = saved(server, outcome.outputs[by_title(name, "In the photo")])
    changed = (result != saved(server, outcome.outputs["photo"])).any(-1)
    allowed = saved(server, outcome.outputs["shown"]).any(-1)
    assert changed.any()
    assert not (changed & ~allowed).any()
    assert 0.1 < float(allowed.mean()) < 0.9


@pytest.mark.parametrize("name", NOT_RUN)
def test_a_template_is_accepted_with_every_node_and_socket(server: Server, name):
    prompt = prompt_of(name, server)
    for node in workflow_of(name)["nodes"]:
        for model in node["properties"].get("models", []):
            path = server.base / "models" / model["directory"] / model["name"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    shutil.copy(ROOT / "posexfer_core/assets/demo/source.png", server.base / "input/example.png")
    outcome = server.prompt(prompt)
    assert outcome.end == "execution_error", outcome
    assert outcome.error["node_type"].endswith(LOADERS), outcome.error


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.json")), ids=lambda path: path.stem)
def test_a_note_names_every_model_file_and_its_folder(path: Path):
    nodes = json.loads(path.read_text())["nodes"]
    note = "\n".join(n["widgets_values"][0] for n in nodes if n["type"] == "MarkdownNote")
    for node in nodes:
        for model in node["properties"].get("models", []):
            assert model["url"].startswith("https://") and model["url"].endswith(model["name"])
            assert model["name"] in node["widgets_values"]
            assert f"models/{model['directory']}" in note, model
