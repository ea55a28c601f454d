"""What the page's editor asks of a real server, by friends and by others."""

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import numpy as np
import pytest

from tests.nodes.server import Server

POSE = [[0.0, 0.0, 0.0]] * 24
CAMERA = {"yaw": 0, "pitch": 0, "distance": 3, "target": [0, 0, 0], "fov_deg": 40}
DOCUMENT = {"version": 1, "frames": [{"pose": POSE, "transl": [0, 0, 0]}], "camera": CAMERA}


def ask(
    server: Server,
    method: str,
    path: str,
    body: Any = None,
    *,
    kind: str = "application/json",
) -> tuple[int, bytes]:
    """Send a request; its status and what came back."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(
        server.address + path, data, {"Content-Type": kind}, method=method
    )
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def problem(server: Server, *request: Any, **options: Any) -> str:
    """Send what must be refused, in three lines."""
    status, said = ask(server, *request, **options)
    assert status == 400, (status, said[:300])
    words = json.loads(said)["problem"]
    assert len(words.split("\n")) == 3
    return words


def test_the_body_comes_as_bytes_with_its_tables(server):
    status, packed = ask(server, "GET", "/posexfer/body")
    assert status == 200 and packed[:8] == b"posexfer"
    header = json.loads(packed[12 : 12 + int.from_bytes(packed[8:12], "little")])
    assert len(header["names"]) == len(header["parents"]) == len(header["limits"]) == 24
    assert header["camera"]["fov_deg"] == 35.0
    other = ask(server, "GET", "/api/posexfer/body?betas=" + ",".join(["1"] * 10))[1]
    assert len(other) == len(packed) and other != packed
    problem(server, "GET", "/posexfer/body?key=../../etc/passwd")


def test_twins_of_limbs_are_found(server):
    pose = [list(turn) for turn in POSE]
    pose[16], pose[18] = [0.59, -0.88, -1.18], [0.0, -1.67, 0.0]  # a forearm before the chest
    packed = ask(server, "GET", "/posexfer/body")[1]
    start = 12 + int.from_bytes(packed[8:12], "little")
    rest = np.frombuffer(packed, "<f4", 72, start).reshape(24, 3).tolist()
    asked = {
        "pose": pose,
        "transl": [0, 0, 0],
        "camera": CAMERA,
        "size": [320, 480],
        "rest": rest,
    }
    status, said = ask(server, "POST", "/posexfer/twins", asked)
    assert status == 200
    twins = json.loads(said)
    assert twins.keys() == {"left_arm", "right_arm", "left_leg", "right_leg"}
    assert twins["left_arm"]["depth_change_m"] > 0.05
    assert len(twins["left_arm"]["pose"]) == 24
    for changes in ({"rest": rest[1:]}, {"size": [0, 1]}, {"size": [1e4, 1e4]}, {"camera": 1}):
        problem(server, "POST", "/posexfer/twins", {**asked, **changes})


def test_a_pose_is_saved_listed_loaded_and_deleted(server):
    wanted = {"name": "Tänzer 1", "document": DOCUMENT, "size": [320, 480]}
    status, said = ask(server, "POST", "/posexfer/poses", wanted)
    assert status == 200 and json.loads(said)["name"] == "own/Tänzer 1.npz"
    folder = server.base / "user" / "default" / "posexfer" / "poses"
    assert [path.name for path in folder.iterdir()] == ["Tänzer 1.npz"]
    poses = json.loads(ask(server, "GET", "/posexfer/poses")[1])["poses"]
    assert poses[0] == {"name": "own/Tänzer 1.npz", "own": True, "quick": True}
    assert {"name": "demo/arm_behind.npz", "own": False, "quick": True} in poses
    assert {"name": "input/bent.npz", "own": False, "quick": False} in poses
    name = "?name=own/T%C3%A4nzer%201.npz"
    loaded = json.loads(ask(server, "GET", "/posexfer/pose" + name)[1])["document"]
    assert loaded["frames"][0]["pose"][1:] == POSE[1:]
    assert ask(server, "DELETE", "/posexfer/poses" + name)[0] == 200
    problem(server, "GET", "/posexfer/pose" + name)
    assert not list(folder.iterdir())


def test_poses_come_from_any_file_of_the_folders(server):
    for name in ("demo/walking.npz", "input/bent.npz", "walk.npz"):
        status, said = ask(server, "GET", f"/posexfer/pose?name={name}")
        assert status == 200, said[:300]
        document = json.loads(said)["document"]
        assert document["version"] == 1 and document["camera"]["fov_deg"] > 1
    assert len(document["frames"]) == 3


@pytest.mark.parametrize(
    "name",
    [
        "own/../../secret.npz",
        "own/..%2F..%2Fsecret.npz",
        "own//etc/passwd.npz",
        "own/a\\b.npz",
        "own/.hidden.npz",
        "own/a.npz/..",
        "own/",
        "own/a%00.npz",
        "../secret.npz",
        "/etc/passwd",
        "input/../../secret.npz",
        "input/posexfer_source.png",
        "",
        "own/" + "a" * 300 + ".npz",
    ],
)
def test_hostile_names_lead_nowhere(server, name):
    secret = server.base / "secret.npz"
    secret.write_bytes(b"secret")
    quoted = urllib.parse.quote(name, safe="/%.")
    status, said = ask(server, "GET", f"/posexfer/pose?name={quoted}")
    assert status == 400 and b"secret" not in said.replace(b"secret.npz", b"")
    assert ask(server, "DELETE", f"/posexfer/poses?name={quoted}")[0] == 400
    wanted = {"name": name.removeprefix("own/"), "document": DOCUMENT, "size": [320, 480]}
    before = sorted(server.base.rglob("*.npz"))
    problem(server, "POST", "/posexfer/poses", wanted)
    assert sorted(server.base.rglob("*.npz")) == before
    assert secret.read_bytes() == b"secret"


def test_what_is_no_pose_is_not_saved(server):
    good = {"name": "a", "document": DOCUMENT, "size": [320, 480]}
    bare = {name: DOCUMENT[name] for name in ("version", "frames")}
    for changes in ({"name": 1}, {"document": bare}, {"document": 1}, {"size": [0, 0]}, {"hat": 1}):
        problem(server, "POST", "/posexfer/poses", {**good, **changes})
    problem(server, "POST", "/posexfer/poses", b"{")
    problem(server, "POST", "/posexfer/poses", b"\xff\xfe")
    problem(server, "POST", "/posexfer/poses", good, kind="text/plain")


def test_huge_requests_are_refused_and_the_server_goes_on(server):
    for path in ("/posexfer/poses", "/posexfer/twins"):
        assert "bytes" in problem(server, "POST", path, b" " * 1_100_000)
        assert "no JSON" in problem(server, "POST", path, b"[" * 900_000)
    assert ask(server, "GET", "/posexfer/poses")[0] == 200


def test_the_editor_runs_through_the_api_alone(server):
    text = json.dumps(DOCUMENT)
    prompt = {
        "edit": {
            "class_type": "PoseXfer_PoseEditor",
            "inputs": {"width": 96, "height": 128, "pose": text},
        },
        "maps": {
            "class_type": "PoseXfer_RenderBodyMaps",
            "inputs": {**server.defaults("PoseXfer_RenderBodyMaps"), "body": ["edit", 0]},
        },
        "show": {"class_type": "PreviewImage", "inputs": {"images": ["maps", 0]}},
    }
    outcome = server.prompt(prompt)
    assert outcome.end == "execution_success", outcome
    assert outcome.outputs["edit"]["posexfer_editor"][0]["size"] == [96, 128]
    prompt["edit"]["inputs"]["pose"] = '{"version": 3}'
    outcome = server.prompt(prompt)
    assert outcome.end == "refused"
    assert "Expected" in json.dumps(outcome.node_errors)


def test_the_pose_may_come_from_another_node(server):
    def prompt_with(text: str) -> dict[str, Any]:
        edit = {"width": 96, "height": 128, "pose": ["text", 0]}
        return {
            "text": {"class_type": "PrimitiveStringMultiline", "inputs": {"value": text}},
            "edit": {"class_type": "PoseXfer_PoseEditor", "inputs": edit},
        }

    assert server.prompt(prompt_with(json.dumps(DOCUMENT))).end == "execution_success"
    outcome = server.prompt(prompt_with("{"))
    assert outcome.end == "execution_error"
    assert outcome.error["exception_message"].startswith("Found no JSON: '{'.\nExpected")
