"""What the pages in the root say can be done, is done."""

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from posexfer_core.cli import build_parser, main
from posexfer_core.files.weights import read_header
from posexfer_core.network.weights import BUNDLED_WEIGHTS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "web").rglob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The README's code in one language, with its files found from any folder."""
    found = re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    core = (ROOT / "posexfer_core").as_posix()
    return [block.replace("posexfer_core/", f"{core}/") for block in found]


def commands() -> list[list[str]]:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("posexfer ")]


def test_the_commands_of_the_readme_are_understood_and_their_files_ship():
    assert [command[0] for command in commands()] == ["estimate", "transfer"]
    for command in commands():
        build_parser().parse_args(command)
        files = [Path(word) for word in command if "/" in word]
        assert files and all(path.is_file() for path in files)


@pytest.mark.slow
def test_the_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for command in commands():
        assert main(command) == 0
    assert Path("astronaut_overlay.png").is_file()
    with Image.open("result.png") as result:
        assert result.size == (512, 512)


@pytest.mark.slow
def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python")
    exec(compile(code, "README.md", "exec"), {})
    with Image.open("result.png") as result:
        assert result.size == (176, 256)


def test_the_scores_of_the_weights_page_are_those_in_the_weights():
    scores = read_header(BUNDLED_WEIGHTS).recipe["scores"]
    page = (ROOT / "docs" / "tiny.md").read_text(encoding="utf-8").splitlines()
    rows = {
        "copy the source": "copy the source",
        "paste the warp": "paste the warp",
        "**tiny**": "model",
        "tiny, without the warp": "model, no warp",
        "the autoencoder alone, which bounds it": "autoencoder alone",
    }
    for label, name in rows.items():
        row = next(line for line in page if line.startswith(f"| {label} |"))
        psnr, ssim = re.findall(r"\d+\.\d+", row)[:2]
        assert float(psnr) == pytest.approx(scores[name]["psnr"], abs=0.005)
        assert float(ssim) == pytest.approx(scores[name]["ssim"], abs=5e-5)


def test_the_targets_that_pages_name_are_in_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        for named in re.findall(r"\bmake ((?:[a-z]+(?:-[a-z]+)*\b ?)+)", _code(page)):
            assert set(named.split()) <= targets, (page.name, named)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page: Path):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not link.startswith(("http://", "https://", "#")):
            assert (page.parent / link.partition("#")[0]).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_modules_that_a_page_names_are_there(page: Path):
    code = _code(page)
    for path in re.findall(r"\b(?:posexfer_core|training|tests|nodes|web|docs)/[\w./-]*\w", code):
        assert (ROOT / path).exists() or list(ROOT.glob(f"{path}*")), path
    for name in re.findall(r"\b(?:posexfer_core|training|tests)(?:\.[A-Za-z_]\w*)+", code):
        assert _is_defined(name), name


def _is_defined(name: str) -> bool:
    """Find a module by its dotted name, or what a module defines."""
    path = ROOT.joinpath(*name.split("."))
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    module, _, attribute = name.rpartition(".")
    sources = (path.parent.with_suffix(".py"), path.parent / "__init__.py")
    return bool(module) and any(
        re.search(rf"\b{attribute}\b", source.read_text(encoding="utf-8"))
        for source in sources
        if source.is_file()
    )


def _code(page: Path) -> str:
    """What a page sets as code."""
    text = page.read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```.*?^```|`[^`\n]+`", text, re.MULTILINE | re.DOTALL))
