import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from posexfer_core.body.params import HumanParams
from posexfer_core.errors import OutputError, ParamsError

FIELDS = ("pose", "betas", "transl", "intrinsics", "camera_from_world", "confidence")


def make_params(frames: int = 1, persons: int = 1, seed: int = 0) -> HumanParams:
    generator = torch.Generator().manual_seed(seed)
    intrinsics = torch.tensor([[500.0, 0.0, 88.0], [0.0, 500.0, 128.0], [0.0, 0.0, 1.0]])
    return HumanParams(
        pose=torch.randn(frames, persons, 24, 3, generator=generator),
        betas=torch.randn(frames, persons, 10, generator=generator),
        transl=torch.randn(frames, persons, 3, generator=generator),
        intrinsics=intrinsics.repeat(frames, 1, 1),
        image_size=(256, 176),
        confidence=torch.rand(frames, persons, 24, generator=generator),
    )


@pytest.mark.parametrize(("frames", "persons"), [(1, 1), (2, 1), (3, 2)])
def test_a_file_loads_back_equal(tmp_path: Path, frames: int, persons: int):
    params = make_params(frames, persons)
    params.save(tmp_path / "params.npz")
    loaded = HumanParams.load(tmp_path / "params.npz")
    for name in FIELDS:
        assert torch.equal(getattr(loaded, name), getattr(params, name)), name
        assert getattr(loaded, name).dtype == getattr(params, name).dtype
    assert loaded.image_size == (256, 176)
    assert loaded.beta_space == "posexfer"


def test_double_precision_and_the_beta_space_survive_a_file(tmp_path: Path):
    params = replace(make_params().to(dtype=torch.float64), beta_space="smpl")
    params.save(tmp_path / "params.npz")
    loaded = HumanParams.load(tmp_path / "params.npz")
    assert loaded.pose.dtype == torch.float64
    assert loaded.beta_space == "smpl"


def test_nothing_but_the_file_is_left_in_the_folder(tmp_path: Path):
    make_params().save(tmp_path / "params.npz")
    make_params(2).save(tmp_path / "params.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["params.npz"]
    assert HumanParams.load(tmp_path / "params.npz").frames == 2


def test_camera_and_confidence_have_defaults():
    params = HumanParams.single(
        pose=torch.zeros(24, 3),
        betas=torch.zeros(10),
        transl=torch.zeros(3),
        intrinsics=torch.eye(3),
        image_size=(4, 3),
    )
    assert torch.equal(params.camera_from_world, torch.eye(4)[None])
    assert torch.equal(params.confidence, torch.ones(1, 1, 24))


def test_half_a_turn_about_x_is_diag_1_minus1_minus1():
    params = make_params()
    pose = params.pose.clone()
    pose[0, 0, 0] = torch.tensor([torch.pi, 0.0, 0.0])
    rotations = replace(params, pose=pose).rotations
    expected = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    torch.testing.assert_close(rotations[0, 0, 0], expected, atol=1e-6, rtol=0)


def test_select_keeps_the_axes():
    params = make_params(3, 2)
    one = params.select(2, 1)
    assert one.pose.shape == (1, 1, 24, 3)
    assert torch.equal(one.pose[0, 0], params.pose[2, 1])
    with pytest.raises(ParamsError, match="no frame 3"):
        params.select(3, 0)
    with pytest.raises(ParamsError, match="person 2"):
        params.select(0, 2)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("betas", torch.full((1, 1, 10), torch.nan), r"betas holds 10 number\(s\) that are NaN"),
        ("transl", torch.full((1, 1, 3), torch.inf), r"transl holds 3 number\(s\)"),
        ("intrinsics", torch.zeros(1, 3, 3), "focal length"),
        ("image_size", (0, 5), "image_size"),
    ],
)
def test_bad_values_are_named(name: str, value: object, message: str):
    with pytest.raises(ParamsError, match=message):
        replace(make_params(), **{name: value})


def saved_arrays(folder: Path) -> dict[str, np.ndarray]:
    make_params().save(folder / "good.npz")
    with np.load(folder / "good.npz") as archive:
        return dict(archive)


def test_missing_keys_are_named(tmp_path: Path):
    arrays = saved_arrays(tmp_path)
    del arrays["transl"], arrays["betas"]
    np.savez(tmp_path / "bad.npz", allow_pickle=False, **arrays)
    with pytest.raises(ParamsError, match=r"bad\.npz lacks betas, transl"):
        HumanParams.load(tmp_path / "bad.npz")


def test_nan_in_a_file_is_named_with_the_file(tmp_path: Path):
    arrays = saved_arrays(tmp_path)
    arrays["pose"][0, 0, 3, 1] = np.nan
    np.savez(tmp_path / "bad.npz", allow_pickle=False, **arrays)
    with pytest.raises(ParamsError, match=r"bad\.npz: pose holds 1 number"):
        HumanParams.load(tmp_path / "bad.npz")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", np.array("other"), "not a body parameter file of ours: format='other'"),
        ("version", np.array(99), "version 99"),
        ("version", np.array("new"), "no version number"),
        ("picture_size", np.array([1.5, 2.0]), "two whole numbers"),
        ("pose", np.array(["a"]), "pose holds <U1"),
        ("pose", np.zeros((1, 1, 23, 3)), r"pose has shape \(1, 1, 23, 3\), expected"),
        ("betas", np.zeros((2, 1, 10)), r"betas has shape \(2, 1, 10\).*frames = 1"),
        ("pose", np.zeros((0, 1, 24, 3)), r"frames = 0"),
        ("pose", np.float32(0), r"pose has shape \(\), expected"),
        ("betas", np.zeros((1, 1, 11), np.float32), r"betas has shape \(1, 1, 11\)"),
    ],
)
def test_wrong_entries_are_named(tmp_path: Path, key: str, value: np.ndarray, message: str):
    arrays = saved_arrays(tmp_path)
    arrays[key] = value
    np.savez(tmp_path / "bad.npz", allow_pickle=False, **arrays)
    with pytest.raises(ParamsError, match=message):
        HumanParams.load(tmp_path / "bad.npz")


def test_a_foreign_archive_is_told_apart(tmp_path: Path):
    np.savez(tmp_path / "bad.npz", v_template=np.zeros(3))
    with pytest.raises(ParamsError, match="it holds v_template"):
        HumanParams.load(tmp_path / "bad.npz")


def test_whole_numbers_become_floats(tmp_path: Path):
    arrays = saved_arrays(tmp_path)
    arrays["betas"] = np.ones((1, 1, 10), np.int64)
    arrays["transl"] = arrays["transl"].astype(">f4")
    np.savez(tmp_path / "good.npz", allow_pickle=False, **arrays)
    loaded = HumanParams.load(tmp_path / "good.npz")
    assert torch.equal(loaded.betas, torch.ones(1, 1, 10))
    assert torch.equal(loaded.transl, make_params().transl)


def test_every_truncation_is_a_sentence(tmp_path: Path):
    make_params().save(tmp_path / "good.npz")
    content = (tmp_path / "good.npz").read_bytes()
    for share in (0.0, 0.01, 0.3, 0.7, 0.999):
        (tmp_path / "bad.npz").write_bytes(content[: int(share * len(content))])
        with pytest.raises(ParamsError, match=r"bad\.npz"):
            HumanParams.load(tmp_path / "bad.npz")


def test_a_flipped_byte_is_a_sentence(tmp_path: Path):
    make_params().save(tmp_path / "good.npz")
    content = bytearray((tmp_path / "good.npz").read_bytes())
    content[200] ^= 0xFF
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(ParamsError, match="damaged"):
        HumanParams.load(tmp_path / "bad.npz")


def test_a_image_is_not_a_parameter_file(tmp_path: Path):
    Image.new("RGB", (8, 8)).save(tmp_path / "photo.npz", format="PNG")
    with pytest.raises(ParamsError, match="it is an image"):
        HumanParams.load(tmp_path / "photo.npz")


def test_missing_files_and_folders_are_sentences(tmp_path: Path):
    with pytest.raises(ParamsError, match="not there"):
        HumanParams.load(tmp_path / "none.npz")
    with pytest.raises(ParamsError, match="a folder"):
        HumanParams.load(tmp_path)


class Bomb:
    """Would create a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.path,))


def test_pickles_inside_are_never_executed(tmp_path: Path):
    arrays = saved_arrays(tmp_path)
    evil = np.empty(1, dtype=object)
    evil[0] = Bomb(tmp_path / "executed")
    np.savez(tmp_path / "bad.npz", allow_pickle=True, **{**arrays, "pose": evil})
    assert "pose.npy" in zipfile.ZipFile(tmp_path / "bad.npz").namelist()
    with pytest.raises(ParamsError, match="not opened"):
        HumanParams.load(tmp_path / "bad.npz")
    assert not (tmp_path / "executed").exists()


def test_places_that_cannot_be_written_are_sentences(tmp_path: Path):
    with pytest.raises(OutputError, match="there is no folder"):
        make_params().save(tmp_path / "none" / "params.npz")
    with pytest.raises(OutputError, match="is a folder"):
        make_params().save(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        make_params().save(tmp_path / "file" / "params.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_images_too_large_for_any_memory_are_refused():
    with pytest.raises(ParamsError, match="at most 100 million pixels"):
        replace(make_params(), image_size=(20_000, 20_000))


def test_with_neutral_betas_changes_the_space():
    params = make_params().with_neutral_betas("smpl")
    assert params.beta_space == "smpl"
    assert not params.betas.any()


def test_the_frame_rate_is_saved_and_checked(tmp_path: Path):
    params = replace(make_params(2), frame_rate=25.0)
    params.save(tmp_path / "a.npz")
    assert HumanParams.load(tmp_path / "a.npz").frame_rate == 25.0
    assert params.select(1).frame_rate == 25.0
    make_params().save(tmp_path / "b.npz")
    assert HumanParams.load(tmp_path / "b.npz").frame_rate is None
    with pytest.raises(ParamsError, match="frames per second"):
        replace(params, frame_rate=0.0)
