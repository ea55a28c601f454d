import json
from pathlib import Path

from training.run_log import LINES, JsonLines, logged

ENTRIES = (
    {"step": 10, "loss": 0.5, "images_per_second": 3.0},
    {"step": 20, "loss": 0.4, "images_per_second": 4.0},
    {"step": 20, "validation": 0.7},
    {"step": 30, "loss": 0.3},
)


def write(folder: Path, end: str = "") -> Path:
    path = folder / LINES
    path.write_text("".join(json.dumps(entry) + "\n" for entry in ENTRIES) + end)
    return path


def test_the_last_of_every_name_up_to_a_step_is_read(tmp_path: Path):
    write(tmp_path)
    assert logged(tmp_path, 20) == {"loss": 0.4, "images_per_second": 4.0, "validation": 0.7}
    assert logged(tmp_path, 99)["loss"] == 0.3 and logged(tmp_path, 99)["validation"] == 0.7
    assert logged(tmp_path, 5) == {} and logged(tmp_path / "elsewhere", 5) == {}


def test_a_line_that_a_kill_cut_off_is_passed_over(tmp_path: Path):
    write(tmp_path, end='{"step": 31, "lo')
    assert logged(tmp_path, 99)["loss"] == 0.3


def test_a_run_that_goes_on_drops_the_lines_after_its_checkpoint(tmp_path: Path):
    path = write(tmp_path, end='{"step": 31, "lo')
    JsonLines(path, start=20).log({"loss": 0.2}, step=21)
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert entries == [*ENTRIES[:3], {"step": 21, "loss": 0.2}]
