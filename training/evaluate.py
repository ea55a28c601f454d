"""Score weights on a test set, beside baselines without a network.

`python -m training.evaluate --weights W.safetensors` makes synthetic people of a seed range that no
training uses; with `--data` it takes the test pairs that `training.preprocess --split test --out`
made. Each pair is drawn and scored once: a run that was cut off goes on, and machines may share it.
Nothing is downloaded: what needs weights that are not there is left out, with a sentence.
"""

import json
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from hashlib import sha256
from pathlib import Path

import torch
from PIL import Image

from posexfer_core.diffusion.base_files import BaseFiles
from posexfer_core.diffusion.pipeline import PoseTransferPipeline
from posexfer_core.errors import ConfigError
from posexfer_core.files.atomic import write_whole
from posexfer_core.files.images import save_pil, to_pil
from posexfer_core.files.weights import add_to_recipe
from posexfer_core.network.guidance import Guidance
from posexfer_core.network.weights import BUNDLED_WEIGHTS
from posexfer_core.render.contact_sheet import Cell, contact_sheet

from .console import print_line, run_command, scoring_parser
from .data.deepfashion import PROTOCOL
from .data.shards import ShardDataset
from .evaluation.fid_scores import fid_scores
from .evaluation.methods import Draw, Sampling, methods_of
from .evaluation.run import Results, draw_and_score
from .evaluation.scoring import Judges, means
from .evaluation.tables import report
from .evaluation.unseen_pairs import unseen_pairs
from .processes import ALL, Part

COUNT = 256
"""Synthetic pairs, unless told otherwise."""
SHOWN = 8
"""Pairs on the contact sheet."""
DEEPFASHION_PAIRS = PROTOCOL["test"][1]


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    chosen = _parser().parse_args(arguments)
    return run_command(lambda: _run(chosen))


def _parser() -> ArgumentParser:
    parser = scoring_parser(
        __doc__, "training.evaluate", BUNDLED_WEIGHTS, count=0, counted="pairs; 0: all"
    )
    parser.add_argument(
        "--data",
        type=Path,
        help="folder of test pairs; synthetic ones are made there where it is empty, or in a "
        "temporary folder",
    )
    parser.add_argument(
        "--people", choices=("plain", "clothed"), default="plain", help="kind of synthetic people"
    )
    parser.add_argument(
        "--out", type=Path, help="folder of what is drawn, scores.json, scores.md and sheet.png"
    )
    parser.add_argument(
        "--part", type=Part.parse, default=ALL, metavar="I/N", help="do the I-th of N parts"
    )
    parser.add_argument(
        "--methods", help="some of them, separated by semicolons (default: all; for example model)"
    )
    parser.add_argument("--steps", type=int, default=20, help="sampling steps")
    parser.add_argument("--batch", type=int, default=8, help="pairs at a time")
    parser.add_argument("--guidance-pose", type=float, help="default: the network's")
    parser.add_argument("--guidance-identity", type=float, help="default: the network's")
    parser.add_argument("--base", type=Path, help="base model of an adapter: a folder or a file")
    parser.add_argument("--base-vae", type=Path, help="another VAE for it")
    parser.add_argument("--image-encoder", type=Path, help="CLIP's vision model, a folder")
    parser.add_argument(
        "--judges",
        type=Path,
        help="folder of the weights of LPIPS and FID (default: $POSEXFER_JUDGES, or "
        "~/.posexfer/judges)",
    )
    parser.add_argument(
        "--reference",
        type=Path,
        help="pictures of training for legacy FID: DeepFashion's root, or a reference.safetensors "
        "of an earlier run",
    )
    parser.add_argument("--device", help="default: cuda where there is one, else cpu")
    return parser


def _run(chosen: Namespace) -> None:
    wanted = chosen.count or COUNT
    with (
        unseen_pairs(chosen.data, wanted, clothed=chosen.people == "clothed") as data,
        tempfile.TemporaryDirectory() as temporary,
    ):
        count = min(chosen.count or len(data), len(data))
        scores = _evaluate(data, count, chosen.out or Path(temporary), chosen)
    if chosen.record and scores is not None:
        add_to_recipe(chosen.weights, scores=scores)


def _evaluate(
    data: ShardDataset, count: int, out: Path, chosen: Namespace
) -> dict[str, dict[str, float]] | None:
    """Draw, score and table; None while other parts are not done."""
    device = torch.device(chosen.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    pipeline = _open(chosen).to(device)
    pipeline.set_progress_bar_config(disable=True)
    guidance = Guidance.usual(
        pipeline.network.config, pose=chosen.guidance_pose, identity=chosen.guidance_identity
    )
    masked = all(header.get("coverage") for header in data.headers)
    sampling = Sampling(steps=chosen.steps, guidance=guidance)
    methods = _chosen(methods_of(pipeline, sampling, masked=masked), chosen.methods)
    settings = {
        "weights": sha256(chosen.weights.read_bytes()).hexdigest(),
        "pairs": count,
        "methods": list(methods),
        "sampling": f"{chosen.steps} steps, {guidance}",
        "data": [str(header.get("digest") or header.get("seed")) for header in data.headers],
    }
    results = Results(folder=out, settings=settings)
    results.open()
    judges = Judges.open(chosen.judges, device)
    draw_and_score(
        data,
        methods,
        judges,
        results,
        count=count,
        batch_size=chosen.batch,
        part=chosen.part,
        device=device,
    )
    done = results.read()
    if len(done) < count:
        print_line(f"{len(done)} of {count} pairs are done; the tables follow when all are.")
        return None
    indices = sorted(done)
    fid, notes = fid_scores(
        data,
        results,
        list(methods),
        indices,
        judges=chosen.judges,
        reference=chosen.reference,
        device=device,
    )
    scores = {
        method: means(done[index][method] for index in indices) | fid[method] for method in methods
    }
    _write(out, scores, data, results, [*judges.missing, *notes])
    return scores


def _open(chosen: Namespace) -> PoseTransferPipeline:
    if chosen.base is None:
        return PoseTransferPipeline.from_bundle(chosen.weights)
    files = BaseFiles(model=chosen.base, vae=chosen.base_vae, image_encoder=chosen.image_encoder)
    return PoseTransferPipeline.from_base(files, chosen.weights)


def _chosen(methods: dict[str, Draw], names: str | None) -> dict[str, Draw]:
    wanted = [name.strip() for name in names.split(";")] if names else list(methods)
    if unknown := [name for name in wanted if name not in methods]:
        raise ConfigError(f"--methods names {', '.join(unknown)}; there are {'; '.join(methods)}.")
    return {name: methods[name] for name in wanted}


def _write(
    out: Path,
    scores: dict[str, dict[str, float]],
    data: ShardDataset,
    results: Results,
    notes: list[str],
) -> None:
    """Write JSON, Markdown and the contact sheet, and print the tables."""
    count = results.settings["pairs"]
    deepfashion = all(header.get("dataset") == "deepfashion test" for header in data.headers)
    if deepfashion and count != DEEPFASHION_PAIRS:
        notes.append(
            f"Published numbers are of {DEEPFASHION_PAIRS:,} pairs, these of {count}: they do not "
            "compare."
        )
    page = report(scores, title=f"Scores on {count} pairs", notes=notes, deepfashion=deepfashion)
    about = {"pairs": count, "methods": scores, "settings": results.settings}
    write_whole(out / "scores.json", json.dumps(about, indent=1).encode())
    write_whole(out / "scores.md", page.encode())
    indices = range(min(SHOWN, len(data), int(str(count))))
    pairs = [data.pair(index) for index in indices]
    rows = [
        [Cell(image=to_pil(pair.source_image[None]), label="source") for pair in pairs],
        [Cell(image=to_pil(pair.target_image[None]), label="truth") for pair in pairs],
    ]
    for method in scores:
        paths = [results.image(method, index) for index in indices]
        rows.append([Cell(image=Image.open(path).convert("RGB"), label=method) for path in paths])
    save_pil(contact_sheet(rows, title=f"{count} pairs"), out / "sheet.png")
    print_line(page)


if __name__ == "__main__":
    sys.exit(main())
