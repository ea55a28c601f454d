"""Workflow files as prompts, and prompts through the host's executor."""

import asyncio
import inspect
from types import SimpleNamespace
from typing import Any

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


def on_small_weights(prompt: dict[str, Any]) -> dict[str, Any]:
    """Let a prompt use the weights that tests make, and few steps."""
    for node in prompt.values():
        if node["class_type"] == "PoseXfer_LoadModel":
            node["inputs"]["weights"] = "toy.safetensors"
        if "steps" in node["inputs"]:
            node["inputs"]["steps"] = 2
    return prompt


def run(host: SimpleNamespace, prompt: dict[str, Any]) -> dict[str, Any]:
    """Validate and execute a prompt; give what the page would show of it."""
    valid, error, outputs, node_errors = asyncio.run(
        host.execution.validate_prompt("test", prompt, None)
    )
    assert valid, (error, node_errors)
    takes_arguments = "cache_args" in inspect.signature(host.execution.PromptExecutor).parameters
    cache = [{"lru": 0, "ram": 0.0}] if takes_arguments else [0]
    server = SimpleNamespace(client_id=None, last_node_id=None, send_sync=lambda *args: None)
    executor = host.execution.PromptExecutor(server, host.execution.CacheType.CLASSIC, *cache)
    executor.execute(prompt, "test", {}, outputs)
    failures = [data for name, data in executor.status_messages if name == "execution_error"]
    assert not failures, failures[0]["exception_message"]
    assert executor.status_messages[-1][0] == "execution_success"
    return executor.history_result["outputs"]
