"""What the registry and the page's template browser show of this pack."""

import json
import tomllib
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_the_registry_finds_what_it_asks_for():
    project, comfy = PROJECT["project"], PROJECT["tool"]["comfy"]
    assert comfy["PublisherId"] and comfy["DisplayName"]
    assert comfy["requires-comfyui"] == ">=0.3.64"
    assert project["urls"].keys() >= {"Repository", "Documentation", "Bug Tracker"}
    assert (ROOT / project["license"]["file"]).is_file()


def test_the_icon_is_a_small_square_of_this_repository():
    address = PROJECT["tool"]["comfy"]["Icon"]
    repository = PROJECT["project"]["urls"]["Repository"].removeprefix("https://github.com/")
    prefix = f"https://raw.githubusercontent.com/{repository}/main/"
    assert address.startswith(prefix)
    width, height = size_of(ROOT / address.removeprefix(prefix))
    assert width == height <= 400


def test_what_the_archive_leaves_out_is_there_and_is_not_imported_by_nodes():
    left_out = [
        line
        for line in (ROOT / ".comfyignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert all((ROOT / name).exists() for name in left_out)
    kept = {"nodes/", "posexfer_core/", "web/", "locales/", "workflows/", "subgraphs/"}
    assert not kept & set(left_out)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_a_thumbnail_a_note_and_whole_links(path: Path):
    width, height = size_of(path.with_suffix(".jpg"))
    assert min(width, height) >= 256
    workflow = json.loads(path.read_text())
    nodes = {node["id"]: node for node in workflow["nodes"]}
    assert any(node["type"] == "MarkdownNote" for node in nodes.values())
    for link, source, output, target, slot, _ in workflow["links"]:
        assert link in nodes[source]["outputs"][output]["links"]
        assert nodes[target]["inputs"][slot]["link"] == link


def test_files_that_a_workflow_needs_are_offered_for_download():
    nodes = json.loads((ROOT / "workflows" / "SD 1.5 ControlNet.json").read_text())["nodes"]
    loaders = [node for node in nodes if node["type"].endswith(("LoaderSimple", "NetLoader"))]
    assert len(loaders) == 3
    for node in loaders:
        (model,) = node["properties"]["models"]
        assert model["name"] == node["widgets_values"][0]
        assert model["url"].startswith("https://") and model["url"].endswith(model["name"])
        assert model["directory"] in ("checkpoints", "controlnet")
