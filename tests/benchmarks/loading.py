"""How fast prepared samples are read: `python -m tests.benchmarks.loading`.

Samples of 256x176 as `training.preprocess` keeps them, of random bytes, read in random order and
batches of 8, from the system's cache; then decoded to maps.
"""

import argparse
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from safetensors.torch import save_file

from training.data.prepared import PLANES, PreparedDataset, decode_planes, prepared_names
from training.data.shards import ENTRIES, ShardDataset, write_shard

SIZE, LATENTS, POINTS = (256, 176), (16, 32, 22), 512
SHARD = 64
BATCH = 8


def main() -> None:
    """Print samples a second of one process and of several."""
    parser = argparse.ArgumentParser(description="Time the reading of prepared samples.")
    parser.add_argument("--count", type=int, default=256, help="samples (default: 256)")
    parser.add_argument("--processes", type=int, default=2, help="that read at once (default: 2)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), options.count)
        for processes in dict.fromkeys((1, options.processes)):
            for decoded in (False, True):
                rate = _rate(Path(folder), options.count, processes, decoded)
                what = "read and decoded" if decoded else "read"
                sys.stdout.write(
                    f"{what} by {processes} process(es): {rate:.0f} samples a second\n"
                )


def _write(folder: Path, count: int) -> None:
    """Write shards and prepared files of random bytes."""
    generator = torch.Generator().manual_seed(0)
    for number in range(-(-count // SHARD)):
        tensors = {}
        for name, (kind, shape) in ENTRIES.items():
            sides = iter(SIZE)
            whole = [SHARD, *(next(sides) if side == -1 else side for side in shape)]
            tensors[name] = torch.randint(0, 255, whole, generator=generator).to(kind)
        write_shard(folder / f"shard-{number:06d}.safetensors", tensors, {"beta_space": "posexfer"})
    for name in prepared_names(ShardDataset(folder)):
        planes = (SHARD, sum(PLANES.values()), *SIZE)
        latents = torch.randn(SHARD, *LATENTS, generator=generator).half()
        rows = {
            "planes": torch.randint(0, 255, planes, generator=generator, dtype=torch.uint8),
            "target_latents": latents,
            "warp_latents": latents.clone(),
            "points": torch.randn(SHARD, POINTS, 3, generator=generator).half(),
            "rotations": torch.randn(SHARD, 24, 3, 3, generator=generator),
            "betas": torch.randn(SHARD, 10, generator=generator),
        }
        save_file(rows, folder / name, metadata={"digest": ""})


def _rate(folder: Path, count: int, processes: int, decoded: bool) -> float:
    """Read every sample once in each process, all at the same time."""
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, context, torch.set_num_threads, (1,)) as pool:
        jobs = [(folder, count, decoded, seed) for seed in range(processes)]
        list(pool.map(_read, [(folder, BATCH, decoded, 0)] * processes))  # imports are not timed
        spans = list(pool.map(_read, jobs))
    begin, end = min(start for start, _ in spans), max(stop for _, stop in spans)
    return processes * count / (end - begin)


def _read(job: tuple[Path, int, bool, int]) -> tuple[float, float]:
    folder, count, decoded, seed = job
    data = PreparedDataset(ShardDataset(folder), folder)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))[:count]
    begin = time.time()
    for chosen in order.split(BATCH):
        batch = data.batch(chosen.tolist())
        if decoded:
            decode_planes(batch["planes"])
    return begin, time.time()


if __name__ == "__main__":
    main()
