"""Several people in one picture: chained editors, and maps with the nearer one in front."""

import json
from dataclasses import replace

import pytest
import torch

from tests.nodes.test_pose_editor import bodies, run  # noqa: F401


def moved(pack, body, shift):
    """Shift somebody in the frame of their camera, metres."""
    params = body.params
    camera = params.camera_from_world.clone()
    camera[:, :3, 3] += torch.tensor(shift)
    lens, size = params.intrinsics, params.image_size
    return replace(body, params=params.with_camera(lens, size, camera))


@pytest.fixture(scope="module")
def pair(pack):
    """Somebody, and somebody half a metre behind and aside."""
    body = pack.run("PoseEditor", pose="", width=128, height=192)[0]
    return body, moved(pack, body, [0.15, 0.0, 0.5])


def maps(pack, body, **more):
    return pack.run("RenderBodyMaps", body=body, **more)


def test_the_nearer_one_is_in_front_whichever_socket_it_comes_by(pack, pair):
    near, far = pair
    scene = {"depth_greys": "scene"}
    alone, hidden = maps(pack, near, **scene), maps(pack, far, **scene)
    front, whole = alone[3][0] > 0.5, hidden[3][0] > 0.5
    behind = whole & ~front
    assert int((front & whole).sum()) > 200 and int(behind.sum()) > 200
    for first, second in ((near, far), (far, near)):
        both = maps(pack, first, others=second, **scene)
        assert torch.equal(both[3][0] > 0.5, front | whole)
        torch.testing.assert_close(both[0][0][front], alone[0][0][front], atol=1e-5, rtol=0.0)
        # white is the nearest point of all: z of the near one over that of the far one
        share = near.view().vertices[..., 2].min() / far.view().vertices[..., 2].min()
        expected = hidden[0][0][behind] * share
        torch.testing.assert_close(both[0][0][behind], expected, atol=0.01, rtol=0.0)
        torch.testing.assert_close(both[1][0][front], alone[1][0][front], atol=1e-4, rtol=0.0)


def test_a_frame_stands_for_all_and_other_numbers_are_refused(pack, pair):
    near, far = pair
    join = pack.module("posexfer_core.body.motion").join_frames
    three, two = (
        replace(near, params=join([one.params] * count)) for one, count in ((near, 3), (far, 2))
    )
    assert len(maps(pack, three, others=far)[0]) == len(maps(pack, far, others=three)[0]) == 3
    errors = pack.module("posexfer_core.errors")
    with pytest.raises(errors.ParamsError) as refused:
        maps(pack, three, others=two)
    lines = str(refused.value).split("\n")
    assert len(lines) == 3 and "3, 2" in lines[0] and "1 or 3" in lines[1]


def test_a_viewers_camera_sees_all_from_its_side(pack, pair):
    camera = {"position": {"x": 0.0, "y": 0.0, "z": -3.0}, "target": {"x": 0.0, "y": 0.0, "z": 0.0}}
    views = pack.module("nodes.host.framing").placed_views(pair, 96, 128, camera)
    near, far = (one.joints[0, 0] for one in views)
    torch.testing.assert_close(far - near, torch.tensor([-0.15, 0.0, -0.5]), atol=1e-3, rtol=0.0)
    drawn = maps(pack, pair[0], others=pair[1], width=96, height=128, camera=camera)
    assert drawn[0].shape == (1, 128, 96, 3)


def test_three_editors_make_one_picture(pack):
    (first, alone, _, people), told = run(pack)
    assert people.others == () and told["others"] == []
    (_, _, _, two), told = run(pack, others=first)
    assert [len(one["frames"]) for one in told["others"]] == [1]
    places = [one.view().joints[0, 0] for one in two.everyone()]
    apart = (places[0] - places[1]).abs()
    torch.testing.assert_close(apart, torch.tensor([0.5, 0.0, 0.0]), atol=0.02, rtol=0.0)
    (third, preview, _, three), told = run(pack, others=two)
    assert len(three.others) == len(told["others"]) == 2
    across = sorted(float(one.view().joints[0, 0, 0]) for one in three.everyone())
    assert across[1] - across[0] == pytest.approx(0.5, abs=0.02)
    assert across[2] - across[1] == pytest.approx(0.5, abs=0.02)
    shown = preview[0, ..., 2] > 0.5
    assert float(shown.float().sum()) > 1.5 * float((alone[0, ..., 2] > 0.5).float().sum())
    assert int(maps(pack, three)[3].sum()) > int(maps(pack, two)[3].sum())
    assert maps(pack, third)[3].sum() < maps(pack, two)[3].sum(), "body is one person"


def test_the_pictures_camera_moves_for_everybody(pack):
    first = run(pack)[0][0]
    start = run(pack, others=first)[1]["start"]
    start["camera"]["yaw"] += 1.0
    (_, _, _, people), told = run(pack, others=first, pose=json.dumps(start))
    found = [one.view().joints[0, 0] for one in people.everyone()]
    assert float((found[0] - found[1]).norm()) == pytest.approx(0.5, abs=0.02)
    assert abs(float((found[0] - found[1])[2])) == pytest.approx(0.5 * 0.841, abs=0.05)  # sin 1
    assert torch.equal(people.params.intrinsics, people.others[0].params.intrinsics)
    assert told["others"][0]["frames"][0]["transl"] == pytest.approx([0.0] * 3, abs=1e-5)


def test_people_of_one_photo_stand_where_it_shows_them(pack, bodies):  # noqa: F811
    body = bodies[0]
    other = moved(pack, body, [0.3, 0.0, 0.4])
    for text in ("", json.dumps(run(pack, body=body)[1]["start"])):
        (_, _, _, people), _ = run(pack, body=body, others=other, pose=text)
        torch.testing.assert_close(
            people.others[0].view().joints, other.view().joints, atol=1e-4, rtol=0.0
        )
