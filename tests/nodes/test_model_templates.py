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
from tests.nodes.small_sdxl import write_small_sdxl
from tests.nodes.small_transformers import (
    WAN_VAE_WIDTH,
    write_small_flux,
    write_small_klein,
    write_small_qwen,
    write_small_wan,
)
from tests.nodes.zero_text import ZERO_TEXT

WORKFLOWS = ROOT / "workflows"
IN_THE_PHOTO = (
    "SD 1.5 inpaint",
    "Pose your own photo",
    "SDXL inpaint",
    "FLUX.1 Fill",
    pytest.param("Qwen-Image edit", marks=pytest.mark.slow),
)
"""Templates that paint a part of the photo."""
ANEW = {"FLUX.2 Klein edit": 1, "Wan VACE video": 5}
"""Templates that draw everything anew → frames."""
TEXT_WIDTHS = {
    "SD 1.5 inpaint": (768, 768),
    "Pose your own photo": (768, 768),
    "SDXL inpaint": (2048, 1280),
    "FLUX.1 Fill": (4096, 768),
    "FLUX.2 Klein edit": (7680, 768),
    "Qwen-Image edit": (3584, 768),
    "Wan VACE video": (4096, 768),
}
"""Template → width of a token, and of all of them pooled."""
NOT_RUN = ("Z-Image inpaint", "Your own photo")
"""Their models have no small relative; nobody has run them here with the real one."""
LOADERS = ("Loader", "LoaderSimple", "LoadBackgroundRemovalModel")
QWEN_BYTES = 6e9
"""Free memory that Qwen-Image's one layer takes, while it is written and while it runs."""


def write_models(name: str, server: Server) -> None:
    """Write the small weights of a template; those of SD 1.5 are there already."""
    models = server.base / "models"
    any_width = "Flux2Scheduler" in server.mappings()
    vae_width = 16 if any_width else WAN_VAE_WIDTH
    if name == "SDXL inpaint":
        write_small_sdxl(models)
    if name == "FLUX.1 Fill":
        if not any_width:
            pytest.skip("This ComfyUI takes only FLUX.1 of the real width.")
        write_small_flux(models)
    if name == "FLUX.2 Klein edit":
        write_small_klein(models)
    if name == "Qwen-Image edit":
        if (free := free_memory()) < QWEN_BYTES:
            pytest.skip(f"One layer of Qwen-Image takes 6 GB of memory; {free / 1e9:.1f} are free.")
        write_small_qwen(models, vae_width=vae_width)
    if name == "Wan VACE video":
        write_small_wan(models, vae_width=vae_width)


def free_memory() -> int:
    import psutil  # the host's own

    return psutil.virtual_memory().available


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
    """Let an encoder that gives zeros stand for those of text; their loaders go."""
    width, pooled = TEXT_WIDTHS[name]
    kept = {key: node for key, node in prompt.items() if "CLIPLoader" not in node["class_type"]}
    for node in kept.values():
        if "clip" in node["inputs"]:
            node["inputs"]["clip"] = ["zeros", 0]
    return kept | {"zeros": {"class_type": ZERO_TEXT, "inputs": {"width": width, "pooled": pooled}}}


def with_small_references(prompt: dict[str, Any]) -> dict[str, Any]:
    """Let Qwen's references keep their size; its own node makes a megapixel of each."""
    added = {}
    for key, node in prompt.items():
        if node["class_type"] != "TextEncodeQwenImageEditPlus":
            continue
        vae, last = node["inputs"].pop("vae"), key
        for name in ("image1", "image2", "image3"):
            latent, reference = f"{key} {name} latent", f"{key} {name} reference"
            pixels = {"pixels": node["inputs"][name], "vae": vae}
            linked = {"conditioning": [last, 0], "latent": [latent, 0]}
            added[latent] = {"class_type": "VAEEncode", "inputs": pixels}
            added[reference] = {"class_type": "ReferenceLatent", "inputs": linked}
            last = reference
        for other in prompt.values():
            for name, source in other["inputs"].items():
                if source == [key, 0]:
                    other["inputs"][name] = [last, 0]
    return prompt | added


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


def prepare(name: str, server: Server) -> dict[str, Any]:
    """Write a template's small weights, and read it as a prompt that uses them."""
    prompt = prompt_of(name, server)
    write_models(name, server)
    return with_small_references(with_zero_text(prompt, name))


@pytest.mark.parametrize("name", IN_THE_PHOTO)
def test_a_template_runs_and_changes_the_photo_only_where_it_may(server: Server, name):
    prompt = prepare(name, server)
    paste = next(k for k, node in prompt.items() if node["class_type"] == "PoseXfer_PasteBack")
    outcome = server.prompt(with_changeable(prompt, paste))
    assert outcome.end == "execution_success", (outcome.error, outcome.node_errors)
    result = saved(server, outcome.outputs[by_title(name, "In the photo")])
    changed = (result != saved(server, outcome.outputs["photo"])).any(-1)
    allowed = saved(server, outcome.outputs["shown"]).any(-1)
    assert changed.any()
    assert not (changed & ~allowed).any()
    assert 0.1 < float(allowed.mean()) < 0.9


@pytest.mark.parametrize("name", ANEW)
def test_a_template_runs_and_draws_every_frame_anew(server: Server, name):
    outcome = server.prompt(prepare(name, server))
    assert outcome.end == "execution_success", (outcome.error, outcome.node_errors)
    (file,) = server.written(outcome)
    image = Image.open(io.BytesIO(file))
    assert image.size == (128, 128)
    assert getattr(image, "n_frames", 1) == ANEW[name]
    colours = image.convert("RGB").getcolors(1 << 20)
    assert len(colours or "many") > 1, "not a flat image"


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
