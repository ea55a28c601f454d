import json
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from PIL import Image
from safetensors.torch import save_file

from posexfer_core.body.model import BodyModel
from posexfer_core.body.motion import join_frames
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.cli import main
from posexfer_core.files.images import load_image
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from posexfer_core.network.autoencoder import AutoencoderConfig, PatchAutoencoder
from posexfer_core.network.config import NetworkConfig
from posexfer_core.network.model import PoseTransferNetwork
from posexfer_core.network.sites import UNetShape
from posexfer_core.network.weights import save_bundle
from posexfer_core.pose_networks.weights import LIFTER, REGRESSOR
from posexfer_core.render.control_maps import MAPS
from posexfer_core.render.openpose import keypoints18
from tests.people import facing_camera


class Malicious:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    """Random weights of a network that is small enough to sample in a moment."""
    torch.manual_seed(0)
    shape = UNetShape(
        block_out_channels=(32, 32, 32),
        layers_per_block=1,
        heads=(1, 1, 1),
        attention=(True, True, True),
        cross_attention_dim=16,
        latent_channels=4,
    )
    config = NetworkConfig(
        token_width=24,
        control_heads=1,
        control_blocks=1,
        encoder_widths=(8, 8, 8),
        encoder_blocks=(1, 1, 1),
        prior_widths=(8, 8, 8),
        prior_blocks=1,
        points=32,
        unet=shape,
    )
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_bundle(
        path,
        PoseTransferNetwork(config),
        unet_config=shape.diffusers_config(),
        unet_state=UNet2DConditionModel(**shape.diffusers_config()).state_dict(),
        autoencoder=PatchAutoencoder(AutoencoderConfig(latent_channels=4, width=8, blocks=1)),
        recipe={"seed": 0, "scores": {"psnr_db": 12.5}},
    )
    return path


def upright(image_size: tuple[int, int], arm_deg: float = 60.0) -> HumanParams:
    """Someone who faces the camera with lowered arms."""
    return facing_camera(image_size, (0.1, 0.1, 4.5), 1.8 * image_size[0], arm_deg=arm_deg)


@pytest.fixture
def work(tmp_path, body) -> Path:
    """A folder with an image, its keypoints, and parameters of the source and of a target."""
    source = upright((160, 200))
    noise = np.random.default_rng(0).integers(0, 256, (160, 200, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "image.png")
    source.save(tmp_path / "source.npz")
    upright((256, 176), arm_deg=10.0).save(tmp_path / "target.npz")
    points = keypoints18(BodyView.of(source, body))[0]
    points[:, 2] = 1.0
    person = {"pose_keypoints_2d": points.flatten().tolist()}
    value = [{"people": [person], "canvas_width": 200, "canvas_height": 160}]
    (tmp_path / "keypoints.json").write_text(json.dumps(value))
    return tmp_path


def transfer(work: Path, weights: Path, /, *more: str, **changes: object) -> int:
    """Run `posexfer transfer`; `changes` replace the files of `work`."""
    files = {"image": work / "image.png", "source_params": work / "source.npz"}
    files |= {"target": work / "target.npz", "out": work / "out.png", "weights": weights}
    files |= changes
    image = str(files.pop("image"))
    options = [(f"--{name.replace('_', '-')}", str(path)) for name, path in files.items() if path]
    flat = [text for option in options for text in option]
    return main(["transfer", image, *flat, "--steps", "1", *more])


def assert_one_sentence(capsys, code: int, *words: str) -> None:
    """Exit code 2 and a single line on stderr that holds every word."""
    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith("posexfer ") and error.count("\n") == 1, error
    for word in words:
        assert word in error


@pytest.mark.parametrize("command", ["transfer", "estimate", "render", "info", "demo"])
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert "default" in capsys.readouterr().out


def test_transfer_draws_an_image_of_the_size_asked_for(work, weights):
    assert transfer(work, weights, "--size", "128x88") == 0
    assert load_image(work / "out.png").shape == (1, 3, 128, 88)


@pytest.mark.slow
def test_the_same_seed_draws_the_same_image(work, weights):
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        path = work / f"{name}.png"
        assert transfer(work, weights, "--size", "128x88", "--seed", seed, out=path) == 0
    first, same, other = (load_image(work / f"{name}.png") for name in "abc")
    assert torch.equal(first, same) and not torch.equal(first, other)


@pytest.mark.slow
def test_pasting_back_keeps_the_original_size_and_surroundings(work, weights):
    assert transfer(work, weights, "--paste-back") == 0
    pasted, original = load_image(work / "out.png"), load_image(work / "image.png")
    assert pasted.shape == original.shape
    torch.testing.assert_close(pasted[..., :10], original[..., :10])
    assert not torch.equal(pasted, original)


def warp(work: Path, *more: str, **changes: object) -> int:
    """Run `posexfer transfer` without a word about the network."""
    files = {"target": work / "target.npz", "out": work / "out.png"} | changes
    options = [text for name, path in files.items() for text in (f"--{name}", str(path))]
    source = ["--source-params", str(work / "source.npz")]
    return main(["transfer", str(work / "image.png"), *source, *options, *more])


def person_mask(work: Path, body: BodyModel) -> Path:
    """Write the mask of the body in `work`'s image."""
    view = BodyView.of(HumanParams.load(work / "source.npz"), body)
    levels = view.visibility.mask[0].numpy().astype(np.uint8) * 255
    Image.fromarray(levels).save(work / "mask.png")
    return work / "mask.png"


def test_the_warp_draws_the_whole_photo_and_leaves_what_it_need_not_touch(work, body, capsys):
    assert warp(work, "--mask", str(person_mask(work, body))) == 0
    drawn, original = load_image(work / "out.png"), load_image(work / "image.png")
    assert drawn.shape == original.shape and "WARN" not in capsys.readouterr().err
    changed = (drawn != original).any(1)
    assert not changed[..., :10].any() and changed.any()
    assert warp(work, "--paste-back", out=work / "pasted.png") == 0


def test_a_cut_out_person_is_told_by_what_is_opaque(work, body, caplog):
    mask, image = Image.open(person_mask(work, body)), Image.open(work / "image.png")
    image.putalpha(mask)
    image.save(work / "image.png")
    assert warp(work) == 0
    assert "opaque" in caplog.text


@pytest.mark.slow
def test_a_motion_is_drawn_frame_by_frame_or_as_an_animation(work):
    frames = [upright((256, 176), arm_deg=arm) for arm in (10.0, 40.0, 70.0)]
    join_frames(frames).save(work / "motion.npz")
    more = {"target": work / "motion.npz"}
    assert warp(work, "--frames", "--size", "128x88", out=work / "frames", **more) == 0
    drawn = sorted((work / "frames").iterdir())
    assert [path.name for path in drawn] == ["00000.png", "00001.png", "00002.png"]
    assert warp(work, "--frames", "--size", "128x88", out=work / "film.webp", **more) == 0
    with Image.open(work / "film.webp") as film:
        assert (getattr(film, "n_frames", 1), film.size) == (3, (88, 128))


@pytest.mark.parametrize("name", ["film.png", "film.mp4"])
def test_frames_are_no_image_and_no_video(work, capsys, name):
    code = warp(work, "--frames", out=work / name)
    assert_one_sentence(capsys, code, "expected a folder, or an animation")
    assert not (work / name).exists()


@pytest.mark.parametrize("more", [["--steps", "4"], ["--no-warp"]])
def test_the_warp_refuses_options_of_the_network(work, capsys, more):
    code = warp(work, "--method", "warp", *more)
    assert_one_sentence(capsys, code, "take --method network")


def test_another_photo_of_the_person_helps_and_files_too_many_are_refused(work, body, capsys):
    mask = str(person_mask(work, body))
    image, keypoints = str(work / "image.png"), str(work / "keypoints.json")
    assert warp(work, "--also", image, keypoints, mask, out=work / "two.png") == 0
    code = warp(work, "--also", image, keypoints, mask, mask)
    assert_one_sentence(capsys, code, "--also once for each photo")


def test_options_that_contradict_each_other_are_named(work, capsys, caplog):
    code = warp(work, "--frames", "--frame", "2", out=work / "frames")
    assert_one_sentence(capsys, code, "--frame")
    assert warp(work, "--paste-back", "--size", "128x88") == 0
    assert "--size and --outside count for nothing" in caplog.text


def test_another_photo_may_be_the_target(work, capsys):
    keypoints = work / "keypoints.json"
    more = ["--target-keypoints", str(keypoints)]
    assert warp(work, *more, target=work / "image.png") == 0
    assert "target: mean reprojection error" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    "more", [["--no-prior"], ["--no-warp"], ["--no-retarget"], ["--guidance-pose", "1"]]
)
def test_every_switch_draws(work, weights, more):
    assert transfer(work, weights, "--size", "128x88", *more) == 0


def test_keypoints_will_do_for_the_source(work, weights):
    keypoints = work / "keypoints.json"
    code = transfer(work, weights, "--size", "128x88", source_params=None, keypoints=keypoints)
    assert code == 0


def test_estimate_prints_the_error_and_writes_both_files(work, capsys):
    files = [str(work / name) for name in ("image.png", "keypoints.json")]
    assert main(["estimate", *files, "--out", str(work / "fitted.npz")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("mean reprojection error: ")
    assert float(said.split()[3]) < 3.0
    assert HumanParams.load(work / "fitted.npz").image_size == (160, 200)
    assert load_image(work / "fitted_overlay.png").shape == (1, 3, 160, 200)


def test_estimate_reads_the_image_alone_and_says_that_it_is_rough(work, capsys):
    image, out = str(work / "image.png"), work / "alone.npz"
    assert main(["estimate", image, "--out", str(out), "--focal-px", "200"]) == 0
    assert capsys.readouterr().out.startswith("rough estimate")
    params = HumanParams.load(out)
    assert params.image_size == (160, 200)
    assert float(params.intrinsics[0, 0, 0]) == 200.0
    assert load_image(work / "alone_overlay.png").shape == (1, 3, 160, 200)
    assert_one_sentence(capsys, main(["estimate", image, "--out", str(out), "--person", "1"]))


def test_render_writes_the_maps_that_were_asked_for(work):
    command = ["render", str(work / "target.npz"), "--out", str(work / "maps")]
    assert main([*command, "--maps", "mask", "depth"]) == 0
    assert sorted(path.name for path in (work / "maps").iterdir()) == ["depth.png", "mask.png"]
    mask = load_image(work / "maps" / "mask.png")
    assert mask.shape == (1, 3, 256, 176)
    assert main([*command, "--size", "128x88"]) == 0
    assert {path.stem for path in (work / "maps").iterdir()} == set(MAPS)
    assert load_image(work / "maps" / "parts.png").shape == (1, 3, 128, 88)


def test_a_format_and_an_image_size_may_be_said(work, capsys):
    frames = {"pose": np.zeros((2, 72)), "trans": [[0, 0, 4.0]] * 2, "betas": np.zeros((2, 10))}
    frames["pose"][:, 0] = np.pi
    path = work / "wham.pkl"
    path.write_bytes(pickle.dumps({0: frames}))
    common = ["render", str(path), "--out", str(work / "maps"), "--maps", "mask"]
    assert main([*common, "--format", "wham", "--image-size", "90x160"]) == 0
    with Image.open(work / "maps" / "mask.png") as mask:
        assert mask.size == (160, 90)
    capsys.readouterr()
    assert_one_sentence(capsys, main([*common, "--format", "gvhmr"]), "Read as GVHMR")
    with pytest.raises(SystemExit):
        main([*common, "--format", "hmr3"])


def test_info_shows_config_counts_and_scores(weights, capsys):
    assert main(["info", str(weights)]) == 0
    said = capsys.readouterr().out
    assert "network.points: 32" in said
    assert "recipe.scores.psnr_db: 12.5" in said
    assert "parameters.unet: " in said


@pytest.mark.parametrize(
    ("kind", "said"), [(LIFTER, "lifter.blocks: 2"), (REGRESSOR, "regressor.")]
)
def test_info_knows_the_networks_that_estimate_bodies_too(kind, said, capsys):
    assert main(["info", str(kind.bundled)]) == 0
    out = capsys.readouterr().out
    assert f"\n{kind.part}.blocks: " in out
    assert f"parameters.{kind.part}: " in out
    assert "recipe.scores." in out


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error(weights):
    command = [sys.executable, "-m", "posexfer_core", "info", str(weights)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.slow
def test_demo_leaves_single_images_and_a_sheet(work, weights, capsys):
    photo = ["--photo", str(work / "image.png"), "--keypoints", str(work / "keypoints.json")]
    out = work / "demo"
    assert main(["demo", "--out", str(out), "--weights", str(weights), "--steps", "1", *photo]) == 0
    said = capsys.readouterr().out
    apart = re.search(r"2D joints at most (\S+) px apart; (\d+) px disputed", said)
    assert apart is not None
    assert float(apart[1]) < 0.05 and int(apart[2]) > 100
    names = {path.name for path in out.iterdir()}
    assert {"contact_sheet.png", "photo_overlay.png", "synthetic_arm_behind.png"} <= names
    assert load_image(out / "photo_striding.png").shape == (1, 3, 160, 200)


@pytest.mark.slow
def test_demo_takes_the_photo_that_ships(work, weights, capsys):
    out = work / "demo"
    assert main(["demo", "--out", str(out), "--weights", str(weights), "--steps", "1"]) == 0
    error_px = re.search(r"mean reprojection error: (\S+) px", capsys.readouterr().out)
    assert error_px is not None and float(error_px[1]) < 5.0
    assert load_image(out / "photo_striding.png").shape == (1, 3, 512, 512)


def test_demo_wants_photo_and_keypoints_together(work, weights, capsys):
    code = main(["demo", "--out", str(work), "--photo", str(work / "image.png")])
    assert_one_sentence(capsys, code, "--keypoints")


def damaged_weights(work: Path, weights: Path) -> Path:
    path = work / "cut.safetensors"
    path.write_bytes(weights.read_bytes()[:-1000])
    return path


def other_weights(work: Path, _: Path) -> Path:
    path = work / "lora.safetensors"
    save_file({"lora.up": torch.zeros(2, 2)}, path)
    return path


def misfit_weights(work: Path, weights: Path) -> Path:
    path = work / "misfit.safetensors"
    path.write_bytes(weights.read_bytes().replace(b'\\"points\\": 32', b'\\"points\\": "x'))
    return path


@pytest.mark.parametrize("make", [damaged_weights, other_weights, misfit_weights])
def test_bad_weights_get_a_sentence(work, weights, capsys, make):
    assert_one_sentence(capsys, transfer(work, make(work, weights)), "safetensors")
    assert not (work / "out.png").exists()


def test_missing_files_get_a_sentence(work, weights, capsys):
    missing = work / "missing"
    for name in ("image", "source_params", "target", "weights"):
        assert_one_sentence(capsys, transfer(work, weights, **{name: missing}), "missing")
    assert not (work / "out.png").exists()


def test_an_image_that_is_none_gets_a_sentence(work, weights, capsys):
    (work / "text.png").write_text("no image")
    code = transfer(work, weights, image=work / "text.png")
    assert_one_sentence(capsys, code, "text.png", "cannot be read as an image")


def changed_params(path: Path, **changes: np.ndarray | None) -> Path:
    """Write a parameter file anew with arrays changed, or left out (None)."""
    arrays = dict(np.load(path)) | changes
    changed = path.with_name("changed.npz")
    kept = {name: array for name, array in arrays.items() if array is not None}
    np.savez(changed, allow_pickle=True, **kept)
    return changed


def test_parameters_without_a_key_or_with_nan_get_a_sentence(work, weights, capsys):
    nan = np.full((1, 1, 24, 3), np.nan, np.float32)
    for changes, word in (({"betas": None}, "betas"), ({"pose": nan}, "NaN")):
        path = changed_params(work / "target.npz", **changes)
        assert_one_sentence(capsys, transfer(work, weights, target=path), word)
        assert main(["render", str(path), "--out", str(work / "maps")]) == 2
        assert_one_sentence(capsys, 2, word)
    assert not (work / "out.png").exists() and not (work / "maps").exists()


def test_bodies_that_the_camera_does_not_see_get_a_sentence(work, weights, capsys):
    behind, beside = (
        np.array([[place]], np.float32) for place in ([0.0, 0.0, -4.0], [900.0, 0.0, 4.0])
    )
    for transl, words in ((behind, "behind its camera"), (beside, "Nothing of the")):
        path = changed_params(work / "source.npz", transl=transl)
        assert_one_sentence(capsys, transfer(work, weights, source_params=path), "source", words)
        code = main(["render", str(path), "--out", str(work / "maps")])
        assert_one_sentence(capsys, code, "file", words)
    assert not (work / "out.png").exists() and not (work / "maps").exists()


def test_parameters_of_another_image_get_a_sentence(work, weights, capsys):
    code = transfer(work, weights, source_params=work / "target.npz")
    assert_one_sentence(capsys, code, "176x256", "200x160")


@pytest.mark.parametrize("name", ["evil.npz", "evil.pkl"])
def test_a_malicious_pickle_is_refused_and_never_run(work, weights, capsys, name):
    mark, path = work / "mark", work / name
    path.write_bytes(pickle.dumps(Malicious(mark)))
    assert_one_sentence(capsys, transfer(work, weights, target=path), name)
    assert_one_sentence(capsys, transfer(work, weights, body=path), name)
    array = np.array([Malicious(mark)], dtype=object)
    hidden = changed_params(work / "target.npz", betas=array)
    assert_one_sentence(capsys, transfer(work, weights, target=hidden), "changed.npz")
    assert_one_sentence(capsys, transfer(work, weights, body=hidden), "changed.npz")
    assert not mark.exists() and not (work / "out.png").exists()


@pytest.mark.parametrize(
    "content",
    [
        "not json",
        "[]",
        '{"people": []}',
        json.dumps({"people": [{"pose_keypoints_2d": [0.0] * 54}]}),
    ],
)
def test_no_keypoints_get_a_sentence(work, weights, capsys, content):
    path = work / "empty.json"
    path.write_text(content)
    assert_one_sentence(capsys, transfer(work, weights, source_params=None, keypoints=path))
    code = main(["estimate", str(work / "image.png"), str(path), "--out", str(work / "o.npz")])
    assert_one_sentence(capsys, code)
    assert not list(work.glob("o*"))


def test_an_out_path_that_cannot_be_written_gets_a_sentence(work, weights, capsys):
    (work / "file").write_text("")
    before = sorted(work.rglob("*"))
    long = work / f"{'x' * 300}.png"
    for out in (work / "none" / "out.png", work, work / "file" / "out.png", work / "out.txt", long):
        assert_one_sentence(capsys, transfer(work, weights, out=out))
    image, keypoints = str(work / "image.png"), str(work / "keypoints.json")
    for out in (str(work / "none" / "out.npz"), str(long.with_suffix(".npz")), ""):
        assert_one_sentence(capsys, main(["estimate", image, keypoints, "--out", out]))
    code = main(["render", str(work / "target.npz"), "--out", str(work / "file" / "maps")])
    assert_one_sentence(capsys, code)
    assert sorted(work.rglob("*")) == before


def test_pasting_back_without_a_shared_frame_gets_a_sentence(work, weights, capsys):
    code = transfer(work, weights, "--paste-back", "--no-retarget")
    assert_one_sentence(capsys, code, "--paste-back")


@pytest.mark.parametrize(
    "more",
    [
        ["--size", "250x176"],
        ["--size", "big"],
        ["--steps", "0"],
        ["--seed", "-1"],
        ["--seed", "9" * 40],
    ],
)
def test_an_option_out_of_range_stops_with_code_2(work, weights, more):
    with pytest.raises(SystemExit) as stopped:
        transfer(work, weights, *more)
    assert stopped.value.code == 2


@pytest.fixture(scope="module")
def mesh(tmp_path_factory) -> Path:
    """A mesh of a person with arms half down, in millimetres and of a topology of its own."""
    trimesh = pytest.importorskip("trimesh")
    body = BodyModel.bundled()
    pose = torch.zeros(1, 24, 3)
    pose[0, 16, 2], pose[0, 17, 2] = -0.6, 0.6
    posed = body(axis_angle_to_matrix(pose), torch.zeros(1, 10), torch.zeros(1, 3))
    whole = trimesh.Trimesh(1000.0 * posed.vertices[0].numpy(), body.faces.numpy(), process=False)
    path = tmp_path_factory.mktemp("meshes") / "person.obj"
    whole.subdivide().export(path)
    return path


@pytest.mark.slow
def test_a_mesh_is_rendered_by_itself(work, mesh, caplog):
    arguments = ["render", str(mesh), "--out", str(work / "maps"), "--maps", "mask"]
    assert main([*arguments, "--mesh-up", "y", "--mesh-unit", "mm"]) == 0
    assert "mm on average" in caplog.text
    assert 0.02 < load_image(work / "maps" / "mask.png").add(1).div(2).mean() < 0.6


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--no-retarget"]])
def test_a_mesh_is_a_target(work, weights, mesh, more):
    assert transfer(work, weights, "--mesh-up", "y", *more, target=mesh) == 0
    assert load_image(work / "out.png").shape == (1, 3, 160, 200)


def test_a_mesh_as_the_sources_parameters_gets_a_sentence(work, weights, mesh, capsys):
    code = transfer(work, weights, source_params=mesh)
    assert_one_sentence(capsys, code, "no place in an image")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--base", "."], "Expected --weights"),
        (["--image-encoder", "."], "belong to a --base"),
        (["--base", "nowhere", "--weights", "a.safetensors"], "there is nothing at nowhere"),
    ],
)
def test_a_base_and_its_adapter_go_together(work, capsys, options, words):
    assert warp(work, "--size", "128x88", *options) == 2
    assert words in capsys.readouterr().err
