"""Workflow files as prompts."""

from typing import Any

NOTES = ("Note", "MarkdownNote")
WIDGETS = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")
SQUARE = ("PoseXfer_FramePose", "EmptyFlux2LatentImage", "Flux2Scheduler", "WanVaceToVideo")
"""Nodes that say how large the image is to be that a model draws."""


def to_prompt(workflow: dict[str, Any], mappings: dict[str, Any]) -> dict[str, Any]:
    """Turn what the page saves into what the server runs, as the page does.

    Widgets that came to a node after the file was saved take their defaults.
    """
    sources = {link[0]: [str(link[1]), link[2]] for link in workflow["links"]}
    prompt = {}
    for node in workflow["nodes"]:
        if node["type"] in NOTES:
            continue
        declared = mappings[node["type"]].INPUT_TYPES()
        values, inputs = iter(node["widgets_values"]), {}
        for name, entry in {**declared["required"], **declared.get("optional", {})}.items():
            options = entry[1] if len(entry) > 1 else {}
            if isinstance(entry[0], list) or entry[0].split(",")[0] in WIDGETS:
                inputs[name] = next(values, options.get("default"))
                if options.get("control_after_generate") or options.get("image_upload"):
                    next(values)
        assert next(values, None) is None, f"{node['type']} has values without a widget"
        for slot in node["inputs"]:
            if slot["link"] is not None:
                inputs[slot["name"]] = sources[slot["link"]]
        prompt[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return prompt


def on_small_weights(prompt: dict[str, Any]) -> dict[str, Any]:
    """Let a prompt use the weights that tests make, and few steps."""
    for node in prompt.values():
        if node["class_type"] == "PoseXfer_LoadModel":
            node["inputs"]["weights"] = "toy.safetensors"
        if "steps" in node["inputs"]:
            node["inputs"]["steps"] = 2
        if node["class_type"] == "EmptyLatentImage":
            node["inputs"].update(width=64, height=96)
        if node["class_type"] in SQUARE:
            node["inputs"].update(width=128, height=128)
        if node["class_type"] == "WanVaceToVideo":
            node["inputs"]["length"] = 5
    return prompt
