from pathlib import Path

import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.cli import main
from posexfer_core.files.images import load_image
from posexfer_core.render.control_maps import MAPS, MapStyle, paint_maps
from tests.posexfer_core.body.sample_params import facing_params


@pytest.fixture
def params(tmp_path: Path) -> HumanParams:
    params = facing_params(joint_16=(0.0, -1.2, 0.0))  # an arm that points at the camera
    params.save(tmp_path / "person.npz")
    return params


def render(folder: Path, *options: str) -> None:
    command = ["render", str(folder / "person.npz"), "--out", str(folder / "maps")]
    assert main([*command, *options]) == 0


def assert_files_hold(folder: Path, maps: dict[str, torch.Tensor]) -> None:
    """The files are these maps, rounded to one of 255 levels."""
    for name, painted in maps.items():
        written = load_image(folder / "maps" / f"{name}.png") / 2.0 + 0.5
        torch.testing.assert_close(written, painted, atol=0.6 / 255, rtol=0, msg=name)


def test_files_hold_what_the_painter_of_the_node_gives(params, body: BodyModel, tmp_path: Path):
    render(tmp_path)
    assert {path.stem for path in (tmp_path / "maps").iterdir()} == set(MAPS)
    assert_files_hold(tmp_path, paint_maps(BodyView.of(params, body), MAPS))


def test_options_choose_the_conventions(params, body: BodyModel, tmp_path: Path):
    hands = ["--openpose-points", "hands-and-face"]
    options = ["--depth-greys", "scene", "--normal-axes", "red-right"]
    render(tmp_path, *options, "--openpose-hides", "nothing", "--openpose-limbs", "wide", *hands)
    style = MapStyle(
        depth_greys="scene",
        normal_axes="red right",
        openpose_hides="nothing",
        openpose_limbs="wide",
        openpose_points="hands and face",
    )
    view = BodyView.of(params, body)
    maps = paint_maps(view, MAPS, style)
    assert_files_hold(tmp_path, maps)
    plain = paint_maps(view, MAPS)
    for name in ("depth", "normal", "openpose", "limbs"):
        assert float((maps[name] - plain[name]).abs().max()) > 0.1, name


def test_the_older_name_of_the_skeleton_is_understood(params, body: BodyModel, tmp_path: Path):
    render(tmp_path, "--maps", "skeleton")
    (path,) = (tmp_path / "maps").iterdir()
    assert path.name == "skeleton.png"
    openpose = paint_maps(BodyView.of(params, body), ["openpose"])["openpose"]
    assert_files_hold(tmp_path, {"skeleton": openpose})
