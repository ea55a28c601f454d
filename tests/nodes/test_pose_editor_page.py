"""The pose editor in ComfyUI's page, driven by mouse and keys in a headless browser.

Needs Chromium (`apt install chromium`, or $CHROMIUM) and `npm install`, which brings
playwright-core. SHOTS=FOLDER keeps screenshots.
"""

import json
import math
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.export.bvh import save_bvh
from tests.nodes.host_process import CHECKOUT, ROOT
from tests.nodes.server import Server

PAGE = Path(__file__).with_name("page")
DEMO = ROOT / "posexfer_core" / "assets" / "demo"
PATIENCE_S = 900.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
RENDERERS = ("classic", "nodes2")
"""ComfyUI's two ways to draw nodes; older versions have the first alone."""

pytestmark = pytest.mark.slow


def why_not() -> str | None:
    """Say what is missing for a browser test."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (ROOT / "node_modules" / "playwright-core").is_dir():
        return "playwright-core is missing; `npm install` brings it"
    if browser() is None:
        return "there is no Chromium; install it, or name it in $CHROMIUM"
    return None


def browser() -> str | None:
    """Find Chromium: $CHROMIUM, or one of `BROWSERS` on the path."""
    found = (shutil.which(name) for name in BROWSERS)
    return os.environ.get("CHROMIUM") or next(filter(None, found), None)


@pytest.fixture(params=RENDERERS)
def renderer(request: pytest.FixtureRequest) -> str:
    if reason := why_not():
        pytest.skip(f"NOT RUN: {reason}")
    if request.param == "nodes2" and host_version() < (0, 33):
        pytest.skip("this ComfyUI has one renderer")
    return request.param


def host_version() -> tuple[int, ...]:
    text = (CHECKOUT / "comfyui_version.py").read_text()
    return tuple(int(part) for part in text.split('"')[1].split(".")[:2])


def drive(server: Server, renderer: str, scenario: str, **variables: str) -> dict[str, Any]:
    """Run a scenario of `page/scenarios.mjs` with variables of its environment; its facts."""
    command = ["node", str(PAGE / "run.mjs"), server.address, renderer, scenario]
    environment = {**os.environ, "CHROMIUM": browser() or "", **variables}
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env=environment,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    facts = json.loads(ran.stdout.splitlines()[-1])
    assert facts.pop("errors") == []
    return facts


def test_a_pose_is_edited_undone_run_saved_and_reloaded(server: Server, renderer: str):
    facts = drive(server, renderer, "edit")
    assert facts["untouched"] == ""
    assert facts["changed"]
    assert facts["reachGap"] < 3.0, "the wrist is under the cursor, screen pixels"
    assert facts["ankleMoved"] < 1e-3, "pinned feet stay, metres"
    assert facts["chosen"] == "head"
    assert facts["undone"] and facts["redone"]
    assert facts["saved"] and facts["reloaded"]
    assert facts["status"] == ["success", "success"]
    assert facts["depth"] > 20, "the depth map has the hand where the editor shows it"


def test_a_persons_own_body_is_posed_over_their_photo(server: Server, renderer: str):
    facts = drive(server, renderer, "photo")
    assert facts["status"] == "success"
    assert facts["size"] == [176, 256]
    assert facts["backdrop"] and facts["keepsCamera"]
    assert facts["started"] == facts["reset"] == "", "untouched is the input's pose"
    assert facts["isFree"] and facts["cameraKept"], "orbits leave the picture's camera alone"
    assert facts["limbs"], "limbs with a depth twin are marked"
    assert facts["moved2d"] < 0.1, "pixels"
    assert facts["movedDepth"] > 0.05, "metres"


def test_shortcuts_of_the_page_are_neither_stolen_nor_lost(server: Server, renderer: str):
    facts = drive(server, renderer, "shortcuts")
    assert facts["posed"] and facts["keysOfEditor"]
    assert facts["kept"] == 1 and facts["mode"] == 0, "keys in the editor leave its node alone"
    assert facts["queued"] == 1, "Ctrl+Enter runs the workflow"
    assert facts["zoomAfterFocusedWheel"] == pytest.approx(facts["zoomFocused"])
    assert facts["zoomAfterWheel"] > facts["zoomFocused"] * 1.01
    assert facts["panned"] > 10.0, "the middle button moves the graph"
    assert facts["hostUndoKeepsNode"] and facts["hostUndid"]
    assert facts["deletedOutside"] == 0


def test_twenty_editors_share_one_context(server: Server, renderer: str):
    facts = drive(server, renderer, "many")
    assert min(facts["bodies"]) > 0.005, "every editor shows a body"
    assert facts["changed"] == [False, True, False]
    assert facts["contexts"] == 1
    assert facts["listeners"] == [20, 0]


def test_a_lost_context_is_not_seen_and_comes_back(server: Server, renderer: str):
    facts = drive(server, renderer, "lost_context")
    assert facts["lost"] == [False, True, False]
    mean, far = facts["gaps"]
    assert mean < 1.0, "grey levels: the body looks the same without the card"
    assert far < 0.02, "share of the channels: edges alone differ"
    assert facts["edited"]
    assert facts["seen"][1] == pytest.approx(facts["seen"][0], rel=0.1)


def test_without_webgl_the_body_is_drawn_and_posed(server: Server, renderer: str):
    facts = drive(server, renderer, "no_webgl")
    assert facts["isMissing"] and facts["notice"] == ""
    assert facts["body"] > 0.005
    assert facts["edited"] and facts["status"] == "success"


def test_fingers_drag_and_magnify_on_a_dense_screen(server: Server, renderer: str):
    facts = drive(server, renderer, "touch")
    assert facts["dragged"] and facts["kept"]
    assert facts["zoom"] > 1.2
    assert facts["density"] > 1.5


def test_poses_are_kept_copied_and_made_a_batch(server: Server, renderer: str):
    facts = drive(server, renderer, "library")
    assert {"walking", "my pose"} <= set(facts["titles"])
    assert "my pose" not in facts["removed"]
    assert facts["walking"] != facts["posed"]
    for name in ("own", "pasted"):
        for joint, expected in zip(facts[name], facts["posed"], strict=True):
            assert joint == pytest.approx(expected, abs=1e-3)
    assert json.loads(facts["copied"])["version"] == 1
    assert facts["mirrored"] != facts["pasted"]
    assert len(facts["frames"]) == 2 and facts["frames"][0] != facts["frames"][1]
    assert facts["status"] == "success"


def test_two_editors_pose_two_people(server: Server, renderer: str):
    facts = drive(server, renderer, "people")
    assert facts["status"] == ["success", "success"]
    before, after = facts["before"], facts["after"]
    assert before["count"] == 1 and after["other"] == before["other"]
    assert math.dist(before["own"], before["other"]) == pytest.approx(0.5, abs=0.02)
    assert abs(after["own"][2] - after["other"][2]) > 0.1, "nearer or farther"
    assert facts["texts"][0] == "" and facts["texts"][1], "the other one is not edited"


def test_poses_come_from_files_and_a_bad_file_is_explained(
    server: Server, renderer: str, tmp_path: Path
):
    raised = HumanParams.load(DEMO / "arms_raised.npz")
    raised.save(tmp_path / "arms up.npz")
    motion = HumanParams.load(DEMO / "motion.npz").part(slice(3))
    save_bvh(motion, BodyModel.bundled(), tmp_path / "walk.bvh")
    shutil.copy(DEMO / "astronaut_keypoints.json", tmp_path / "people.json")
    (tmp_path / "damaged.npz").write_bytes((tmp_path / "arms up.npz").read_bytes()[:400])
    facts = drive(server, renderer, "files", FILES=str(tmp_path))
    for name, expected in (("arms up.npz", raised), ("walk.bvh", motion)):
        opened = facts[name]
        assert opened["notice"] == "" and opened["value"]
        found = torch.tensor(opened["poses"])
        torch.testing.assert_close(  # the pelvis is turned to this editor's camera
            found[:, 1:], expected.pose[:, 0, 1:].float(), atol=1e-3, rtol=0
        )
    for name, word in (("people.json", "keypoints"), ("damaged.npz", "damaged")):
        refused = facts[name]
        assert len(refused["notice"].split("\n")) == 3 and word in refused["notice"]
        assert refused["value"] == facts["walk.bvh"]["value"], "the pose stays"
    assert facts["noticeAfterDrag"] == ""


@pytest.mark.parametrize(
    ("template", "size", "files"),
    [("pose_by_hand", [176, 256], 1), ("pose_your_own_photo", [512, 512], 2)],
)
def test_a_template_is_opened_run_posed_and_run_again(
    server: Server, renderer: str, template: str, size: list[int], files: int
):
    facts = drive(server, renderer, template)
    assert facts["status"] == ["success", "success"]
    assert facts["size"] == size and facts["backdrop"]
    assert facts["kept"], "a run leaves the template's pose as it is"
    assert facts["posed"]
    assert facts["files"] == [files, files]
