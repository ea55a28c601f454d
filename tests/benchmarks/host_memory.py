"""Memory of one ComfyUI server over many pose transfers.

Every prompt has its own seed and strength, so that it is conditioned and drawn anew; before every
tenth the server forgets what it keeps, so that weights are loaded anew too. With a checkout at
$COMFYUI_PATH or ~/ComfyUI: `.venv-host/bin/python -m tests.benchmarks.host_memory`; minutes.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

from tests.nodes.host_process import ROOT, load_pack, open_host
from tests.nodes.prompts import on_small_weights, to_prompt
from tests.nodes.server import Server, serve

EARLY = 20
MOST = 1.03
"""The ratio that must not be exceeded."""


def main() -> int:
    """Print memory every twenty prompts, and the ratio; return 1 where it is too high."""
    parser = argparse.ArgumentParser(description="Watch a server's memory.")
    parser.add_argument("--prompts", type=int, default=200, help="how many (default: 200)")
    parser.add_argument(
        "--bundled", action="store_true", help="draw with the bundled weights, not with toy ones"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prompt = read_prompt(Path(folder), bundled=given.bundled)
        from tests.nodes.small_files import write_small_files  # diffusers, once the host is there

        with serve(Path(folder) / "served") as server:
            write_small_files(server.base)
            used = [after(server, prompt, number) for number in range(1, given.prompts + 1)]
    ratio = used[-1] / used[min(EARLY, given.prompts) - 1]
    sys.stdout.write(
        f"after prompt {given.prompts} / after prompt {EARLY}: {ratio:.3f}     (at most {MOST})\n"
    )
    return 0 if ratio <= MOST else 1


def read_prompt(base: Path, *, bundled: bool) -> dict[str, Any]:
    """Make a prompt of two steps from the workflow that we ship."""
    (base / "read").mkdir()
    host = open_host(base / "read")
    load_pack(host)
    workflow = json.loads(
        (ROOT / "workflows" / "Transfer with the bundled weights.json").read_text()
    )
    prompt = on_small_weights(to_prompt(workflow, host.nodes.NODE_CLASS_MAPPINGS))
    if bundled:
        node_of(prompt, "LoadModel")["weights"] = "tiny (bundled)"
    return prompt


def node_of(prompt: dict[str, Any], kind: str) -> dict[str, Any]:
    """Find the inputs of the node of a kind."""
    nodes = (n for n in prompt.values() if n["class_type"] == f"PoseXfer_{kind}")
    return next(nodes)["inputs"]


def after(server: Server, prompt: dict[str, Any], number: int) -> int:
    """Run one prompt, and give the bytes that the server holds."""
    if number % 10 == 0:
        server.forget()
    node_of(prompt, "PoseTransferSampler")["seed"] = number
    node_of(prompt, "ControlGuidanceApply3D")["pose_strength"] = 1.0 + 1e-3 * number
    outcome = server.prompt(prompt)
    assert outcome.end == "execution_success", outcome
    used = psutil.Process(server.process.pid).memory_info().rss
    if number % EARLY == 0:
        sys.stdout.write(f"prompt {number:4d}: {used / 2**20:.0f} MiB\n")
        sys.stdout.flush()
    return used


if __name__ == "__main__":
    sys.exit(main())
