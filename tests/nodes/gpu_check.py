"""ComfyUI's half of `make gpu-check`: the nodes draw on a GPU what the pipeline draws on the CPU.

In float32, bf16 and fp16, by ComfyUI's own options. Without a GPU everything runs on the CPU: a dry
run.
"""

import sys
import tempfile
import time
from pathlib import Path

import torch

from tests.nodes.host_process import Pack, load_pack, open_host, why_not

LIMITS = {"fp32": 0.5, "bf16": 4.0, "fp16": 1.0}
"""Largest mean difference of an image from the CPU's in float32, by the precision of the UNet; grey
levels of 256. bf16 has 8 bits, fp16 has 11."""


def main() -> int:
    """Draw in every precision; 1 where an image is another one."""
    if reason := why_not():
        sys.stderr.write(f"{reason}\n")
        return 2
    on_gpu = torch.cuda.is_available()
    name = torch.cuda.get_device_name() if on_gpu else "CPU, a dry run"
    sys.stdout.write(f"ComfyUI on {name}, torch {torch.__version__}\n")
    with tempfile.TemporaryDirectory() as folder:
        found = differences(load_pack(open_host(Path(folder), cpu=not on_gpu)))
    failed = [kind for kind, limit in LIMITS.items() if not found[kind] <= limit]
    sys.stdout.write(f"failed: {', '.join(failed)}\n" if failed else "all checks passed\n")
    return int(bool(failed))


def differences(pack: Pack) -> dict[str, float]:
    """Draw the demo's person by the nodes; compare with the pipeline on the CPU.

    Returns:
        The mean difference in each precision, grey levels of 256.
    """
    from comfy.cli_args import args

    from posexfer_core.diffusion.pipeline import PoseTransferPipeline
    from posexfer_core.network.guidance import Guidance
    from tests.nodes.test_same_image import drawn_in_the_host, staged_and_drawn

    drawn = staged_and_drawn(PoseTransferPipeline.from_bundle(), "walking", Guidance(), "pt")
    expected = (drawn / 2.0 + 0.5).clamp(0.0, 1.0).movedim(1, -1)
    before, found = dict(vars(args)), {}
    for kind in LIMITS:
        vars(args).update({f"{one}_unet": one == kind for one in LIMITS})
        clock = time.perf_counter()
        image = drawn_in_the_host(pack, "walking", Guidance()).cpu()
        seconds = time.perf_counter() - clock
        found[kind] = 255.0 * float((image - expected).abs().mean())
        sys.stdout.write(
            f"{kind}: {found[kind]:.4f} grey levels from the CPU's in float32, at most "
            f"{LIMITS[kind]} allowed; {seconds:.1f} s\n"
        )
    vars(args).update(before)
    return found


if __name__ == "__main__":
    sys.exit(main())
