"""The subgraph blueprint, unpacked and run as the page unpacks it."""

import json
from typing import Any

from tests.nodes.host_process import ROOT
from tests.nodes.prompts import on_small_weights, to_prompt
from tests.nodes.server import Server

BLUEPRINT = ROOT / "subgraphs" / "Pose transfer.json"
OUTSIDE, DEMO, TARGET, SAVE = -10, 101, 102, 103
SOURCES = {"image": (DEMO, 0), "source_body": (DEMO, 1), "target_body": (TARGET, 0)}


def inner() -> dict[str, Any]:
    """Give the one subgraph of the file."""
    (subgraph,) = json.loads(BLUEPRINT.read_text())["definitions"]["subgraphs"]
    return subgraph


def unpacked(subgraph: dict[str, Any]) -> dict[str, Any]:
    """Write the subgraph as a workflow; what comes from outside of it comes from the demo."""
    names = [entry["name"] for entry in subgraph["inputs"]]
    links = []
    for link in subgraph["links"]:
        source = link["origin_id"], link["origin_slot"]
        if source[0] == OUTSIDE:
            source = SOURCES[names[source[1]]]
        links.append([link["id"], *source, link["target_id"], link["target_slot"], link["type"]])
    return {"nodes": subgraph["nodes"], "links": links}


def test_the_blueprint_is_one_node_that_shows_widgets_of_its_parts():
    file = json.loads(BLUEPRINT.read_text())
    (node,) = file["nodes"]
    subgraph = inner()
    assert node["type"] == subgraph["id"]
    assert subgraph["name"] == BLUEPRINT.stem
    assert [entry["name"] for entry in node["inputs"]] == list(SOURCES)
    parts = {str(part["id"]): part for part in subgraph["nodes"]}
    for part, widget in node["properties"]["proxyWidgets"]:
        assert widget in [entry["name"] for entry in parts[part]["inputs"]]


def test_the_blueprint_draws_a_person(server: Server):
    subgraph = inner()
    prompt = on_small_weights(to_prompt(unpacked(subgraph), server.mappings()))
    (last,) = [link for link in subgraph["links"] if link["target_id"] == -20]
    prompt[str(DEMO)] = {
        "class_type": "PoseXfer_DemoPerson", "inputs": {"person": "painted person"},
    }  # fmt: skip
    prompt[str(TARGET)] = {
        "class_type": "PoseXfer_LoadSMPLMesh",
        "inputs": {
            "file": "demo/walking.npz", "body_model": "bundled body", "person": 0, "frame": 0,
            "keep_shape": True, "mesh_unit": "auto", "mesh_up": "auto",
        },
    }  # fmt: skip
    prompt[str(SAVE)] = {
        "class_type": "SaveImage",
        "inputs": {
            "images": [str(last["origin_id"]), last["origin_slot"]], "filename_prefix": "blueprint",
        },
    }  # fmt: skip
    outcome = server.prompt(prompt)
    assert outcome.end == "execution_success", (outcome.error, outcome.node_errors)
    assert server.written(outcome)
