"""Real photos' way to training: DeepFashion in miniature, and a folder of one's own."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from posexfer_core.network.autoencoder import AutoencoderConfig, PatchAutoencoder
from posexfer_core.network.weights import AUTOENCODER
from tests.training.small_network import SMALL_MODEL
from training.data.shards import ShardDataset
from training.preprocess import main

from .miniature import picture_of

RUN = """
[run]
data = "{work}/pairs"
output = "{work}/run"
steps = 3
batch_size = 2
precision = "no"
save_every = 3
sample_every = 100

[data]
height = 128
width = 88

[[source]]
kind = "deepfashion"
root = "{root}"
bodies = "{root}/bodies"
"""
NETWORK = (
    """
[network]
autoencoder = "{work}/autoencoder.safetensors"
prepared = "{work}/prepared"
"""
    + SMALL_MODEL
)


def run(template: str, work: Path, root: Path, *options: str) -> int:
    (work / "run.toml").write_text(template.format(work=work, root=root))
    return main(["--config", str(work / "run.toml"), "--workers", "1", *options])


def left_out(folder: Path) -> dict[str, str]:
    with (folder / "left_out.csv").open(newline="") as file:
        return {row["name"]: row["reason"] for row in csv.DictReader(file)}


def test_deepfashion_becomes_samples_and_what_is_wrong_is_listed(
    deepfashion, tmp_path, capsys, body
):
    root, names = deepfashion
    task = "[regressor]\n"
    assert run(RUN + task, tmp_path, root) == 0
    printed = capsys.readouterr().out
    assert "6 pairs, and the protocol has 101,966" in printed
    assert "4 photos and 2 pairs are used; 2 photos and 4 pairs are left out" in printed
    reasons = left_out(tmp_path / "pairs" / "deepfashion")
    assert "cannot be read as an image" in reasons[names[0][1]]
    assert "no body parameters and no keypoints" in reasons[names[1][1]]
    report = json.loads((tmp_path / "pairs/deepfashion/report.json").read_text())
    assert report["bodies_from"] == {"file": 3, "keypoints": 1}
    assert report["fit_error"]["p50"] < 0.02
    data = ShardDataset(tmp_path / "pairs")
    assert len(data) == 2 and data.source_bytes(0).shape == (128, 88, 3)
    picture = Image.open(picture_of(root, names[2][0]))
    small = torch.tensor(list(picture.resize((88, 128), Image.Resampling.BICUBIC).tobytes()))
    assert torch.equal(data.source_bytes(0).flatten(), small.to(torch.uint8))
    assert data.pair(0).source.intrinsics[0, 0, 0] != data.pair(0).source.intrinsics[0, 1, 1]
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "pairs").rglob("*.safe*")}
    assert run(RUN + task, tmp_path, root) == 0  # nothing is made twice
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_parts_wait_for_each_other_and_give_the_same(deepfashion, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("training.data.body_files.CHUNK", 2)
    root, _ = deepfashion
    template = RUN + "[regressor]\n"
    assert run(template, tmp_path, root, "--part", "2/2") == 2
    assert "Run the other parts" in capsys.readouterr().err
    assert run(template, tmp_path, root, "--part", "1/2") == 0
    assert len(ShardDataset(tmp_path / "pairs")) == 2


def test_a_source_without_anything_to_use_says_so(tmp_path, capsys):
    for number in range(2):
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.new("RGB", (40, 60)).save(tmp_path / f"photos/{number}.jpg")
    template = RUN[: RUN.index("[[source]]")] + '[[source]]\nkind = "folder"\nroot = "{root}"\n'
    assert run(template + "[regressor]\n", tmp_path, tmp_path / "photos") == 2
    lines = capsys.readouterr().err.splitlines()
    assert "can be used: 2 photos" in lines[-3] and "left_out.csv" in lines[-1]


def test_a_run_without_sources_and_network_has_nothing_to_prepare(tmp_path, capsys):
    head = RUN[: RUN.index("[data]")]
    assert run(head + "[regressor]\n", tmp_path, tmp_path) == 2
    assert "nothing to prepare" in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_the_whole_way_from_deepfashion_to_scores(deepfashion, tmp_path):
    from training.evaluate import main as evaluate
    from training.train import main as train

    root, _ = deepfashion
    autoencoder = PatchAutoencoder(AutoencoderConfig(width=8, blocks=1))
    AUTOENCODER.save(tmp_path / "autoencoder.safetensors", autoencoder)
    alone = '[[source]]\nname = "alone"\nkind = "deepfashion"\nroot = "{root}"\n'
    alone += 'bodies = "{root}/bodies"\npairs = "self"\nweight = 0.5\n'
    assert run(RUN + alone + NETWORK, tmp_path, root) == 0
    assert train(["--config", str(tmp_path / "run.toml")]) == 0
    bundle = tmp_path / "run" / "bundle.safetensors"
    for file in root.glob("*-train.csv"):
        shutil.copy(file, file.with_name(file.name.replace("train", "test")))
    test = ("--split", "test", "--out", str(tmp_path / "test"))
    assert run(RUN + NETWORK, tmp_path, root, *test) == 0
    out = tmp_path / "scores"
    command = ["--weights", str(bundle), "--data", str(tmp_path / "test"), "--out", str(out)]
    assert evaluate([*command, "--steps", "2"]) == 0
    scores = json.loads((out / "scores.json").read_text())
    assert scores["pairs"] == 2 and scores["methods"]["model"]["psnr"] > 3.0
    assert "| model |" in (out / "scores.md").read_text()
    assert (out / "sheet.png").exists()
