"""The files that nodes offer, and where they lie."""

from importlib.util import find_spec
from pathlib import Path

import folder_paths

from ...posexfer_core.conventions import ANNY, DEMO
from ...posexfer_core.errors import OutputError, ParamsError

SMPL = "smpl"
"""Folder under `models` for body models and parameter files."""
WEIGHTS = "model_patches"
"""The host's own folder for weights that patch a model."""
BUNDLED_BODY = "bundled body"
ANNY_BODY = "Anny"
BUNDLED_WEIGHTS = "tiny (bundled)"

PARAMS_SUFFIXES = (
    ".npz", ".npy", ".pkl", ".p", ".joblib", ".pt", ".pth", ".json", ".smpl", ".mcs",
    ".pk", ".bvh", ".obj", ".ply", ".stl", ".glb", ".vrm",
)  # fmt: skip
"""Of parameter files, motions and meshes."""
BODY_SUFFIXES = (".npz", ".pkl")
INPUT_PREFIX, DEMO_PREFIX, SAVED_PREFIX = "input/", "demo/", "output/pose/"
"""Of names in lists; the last is where Save Human Params writes by default."""


def register_folders() -> None:
    """Register `models/smpl` with the host, beside the folders of extra_model_paths.yaml."""
    folder_paths.add_model_folder_path(SMPL, str(Path(folder_paths.models_dir) / SMPL))
    paths, known = folder_paths.folder_names_and_paths[SMPL]
    folder_paths.folder_names_and_paths[SMPL] = (paths, set(known) | set(PARAMS_SUFFIXES))


def list_params() -> list[str]:
    """Name the parameter files of the demo, the input folder, saved ones and `models/smpl`."""
    own = [
        prefix + path.relative_to(top).as_posix()
        for prefix, top in _params_folders().items()
        for path in sorted(top.rglob("*"))
        if path.suffix in PARAMS_SUFFIXES and "keypoints" not in path.name
    ]
    return [*own, *folder_paths.get_filename_list(SMPL)]


def find_params(name: str) -> Path:
    """Find a file that `list_params` named.

    Raises:
        ParamsError: it is outside of the folders, or there is no such file.
    """
    for prefix, folder in _params_folders().items():
        if name.startswith(prefix):
            return _find(name.removeprefix(prefix), [str(folder)])
    return _find(name, folder_paths.get_folder_paths(SMPL))


def params_complaint(name: str) -> bool | str:
    """Say as `validate_inputs` does whether `find_params` finds a file, before anything runs."""
    try:
        find_params(name)
    except ParamsError as error:
        return str(error)
    return True


def _params_folders() -> dict[str, Path]:
    """Map each prefix of names to the folder of its files."""
    return {
        DEMO_PREFIX: DEMO,
        INPUT_PREFIX: Path(folder_paths.get_input_directory()),
        SAVED_PREFIX: Path(folder_paths.get_output_directory()) / "pose",
    }


def list_keypoints() -> list[str]:
    """Name the keypoint files of the demo and of the input folder."""
    top = Path(folder_paths.get_input_directory())
    own = [INPUT_PREFIX + path.relative_to(top).as_posix() for path in sorted(top.rglob("*.json"))]
    return [*(DEMO_PREFIX + path.name for path in sorted(DEMO.glob("*keypoints.json"))), *own]


def list_bodies() -> list[str]:
    """Name the body models: the bundled one first, then Anny where its package is installed."""
    found = folder_paths.get_filename_list(SMPL)
    always = [BUNDLED_BODY, ANNY_BODY] if find_spec("anny") else [BUNDLED_BODY]
    return [*always, *(name for name in found if name.endswith(BODY_SUFFIXES))]


def find_body(name: str) -> Path | None:
    """Find a body model as `open_body` takes it: the bundled one has no file."""
    if name in (BUNDLED_BODY, ANNY_BODY):
        return None if name == BUNDLED_BODY else ANNY
    return _find(name, folder_paths.get_folder_paths(SMPL))


def list_weights() -> list[str]:
    """Name the weights files: the bundled ones first."""
    found = folder_paths.get_filename_list(WEIGHTS)
    return [BUNDLED_WEIGHTS, *(name for name in found if name.endswith(".safetensors"))]


def find_weights(name: str) -> Path:
    """Find a weights file."""
    if name == BUNDLED_WEIGHTS:
        from ...posexfer_core.network.weights import BUNDLED_WEIGHTS as shipped

        return shipped
    return _find(name, folder_paths.get_folder_paths(WEIGHTS))


def stamp(path: Path | None) -> str:
    """Fingerprint a file by path, time and size, for the host's cache."""
    if path is None or not path.exists():
        return "-"
    status = path.stat()
    return f"{path}:{status.st_mtime_ns}:{status.st_size}"


def output_path(prefix: str, suffix: str) -> tuple[Path, str]:
    """Choose a new file in the output folder.

    Returns:
        Where it is, and its name relative to the output folder, as the host's viewers want it.

    Raises:
        OutputError: the prefix leads out of the output folder.
    """
    if _leads_out(prefix):
        raise OutputError(
            f"'{prefix}' leads out of the output folder; give a plain name, such as pose/dancer."
        )
    top = folder_paths.get_output_directory()
    folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(prefix, top)
    file = f"{name}_{counter:05}_{suffix}"
    return Path(folder) / file, (Path(subfolder) / file).as_posix()


def _leads_out(name: str) -> bool:
    """Tell whether a name is absolute, climbs out of its folder, or is empty."""
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or name.startswith(("/", "\\")) or ":" in name or not name.strip()


def _find(name: str, folders: list[str]) -> Path:
    """Find a file by its name inside the first of these folders that has it.

    Raises:
        ParamsError: the name leads out of the folders, or there is no such file.
    """
    if _leads_out(name):
        raise ParamsError(
            f"'{name}' is not the name of a file inside the folders. Pick one from the list, or "
            "put yours into ComfyUI's input folder or models/smpl."
        )
    for folder in folders:
        path = Path(folder) / name
        if path.is_file():
            return path
    raise ParamsError(
        f"There is no file '{name}'. Searched: {', '.join(folders)}. Put it there and refresh "
        "the node definitions (R)."
    )
