"""Memory of ComfyUI over many pose transfers: `python -m tests.benchmarks.host_memory [prompts]`.

Takes minutes on a quiet machine. Every prompt has another seed, so that nothing comes from the
cache but the loaded model.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import psutil

from tests.nodes.host_process import ROOT, load_pack, open_host
from tests.nodes.prompts import run, to_prompt

EARLY = 20
ALLOWED = 1.03


def main(prompts: int) -> int:
    """Draw with the bundled weights, two steps each; print memory and the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        host = open_host(Path(folder))
        load_pack(host)
        demo = ROOT / "posexfer_core" / "assets" / "demo" / "source.png"
        shutil.copy(demo, host.base / "input" / "posexfer_source.png")
        workflow = json.loads((ROOT / "workflows" / "transfer_tiny.json").read_text())
        prompt = to_prompt(workflow, host.nodes.NODE_CLASS_MAPPINGS)
        sampler = next(n for n in prompt.values() if n["class_type"].endswith("TransferSampler"))
        sampler["inputs"]["steps"] = 2
        process, early = psutil.Process(), 0
        for number in range(1, prompts + 1):
            sampler["inputs"]["seed"] = number
            run(host, prompt)
            used = process.memory_info().rss
            if number == EARLY:
                early = used
            if number % EARLY == 0 or number == prompts:
                sys.stdout.write(f"prompt {number}: {used / 2**20:.0f} MiB\n")
    ratio = used / early if early else float("nan")
    sys.stdout.write(f"after prompt {prompts} / after prompt {EARLY}: {ratio:.3f}\n")
    return 0 if ratio <= ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
