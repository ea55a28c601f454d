"""The nodes that let everything else be tried at once."""

import json

import pytest
import torch

from posexfer_core.keypoints.detections import read_keypoints
from tests.nodes.host_process import ROOT
from tests.nodes.small_files import standing_params
from tests.nodes.test_nodes import bodies, files  # noqa: F401


@pytest.mark.parametrize(
    ("person", "size"), [("painted person", (256, 176)), ("astronaut (photo)", (512, 512))]
)
def test_the_demo_persons_keypoints_are_of_their_body_and_image(pack, person, size):
    image, body, keypoints, mask = pack.run("DemoPerson", person=person)
    inside = mask[0][body.view().visibility.mask[0]].mean()
    assert mask.shape == (1, *size) and float(inside) > 0.7
    assert image.shape == (1, *size, 3)
    assert body.params.image_size == size
    found, overlay = pack.run("EstimateHumanParams", image=image, keypoints=keypoints)
    assert overlay.shape == image.shape
    seen = pack.module("posexfer_core.render.openpose").keypoints18
    apart = (seen(found.view()) - seen(body.view()))[0, 2:8, :2].norm(dim=1)
    assert float(apart.mean()) < 0.02 * size[0]


def test_keypoint_files_are_offered_and_read(host, pack, files):  # noqa: F811
    frame = {"people": [{"pose_keypoints_2d": [1.0] * 54}], "canvas_height": 8, "canvas_width": 8}
    (files / "input" / "seen.json").write_text(json.dumps([frame]))
    paths = pack.module("nodes.host.paths")
    assert {"input/seen.json", "demo/astronaut_keypoints.json"} <= set(paths.list_keypoints())
    (keypoints,) = pack.run("LoadPoseKeypoints", file="input/seen.json")
    assert keypoints == [frame]


def test_every_frame_of_a_video_is_loaded_and_fitted(host, pack, files):  # noqa: F811
    """MMPose's predictions have frames; the command line counts the same ones."""
    points = (
        read_keypoints(ROOT / "posexfer_core/assets/demo/astronaut_keypoints.json")
        .people(0)[0]
        .points[:17]
    )
    frames = [{"instances": [{"keypoints": points.tolist()}] * people} for people in (1, 2)]
    path = host.base / "input" / "mmpose.json"
    path.write_text(json.dumps({"instance_info": frames}))
    (keypoints,) = pack.run("LoadPoseKeypoints", file="input/mmpose.json")
    assert [len(frame["people"]) for frame in keypoints] == [1, 2]
    images = torch.zeros(2, 512, 512, 3)
    body, _ = pack.run("EstimateHumanParams", image=images, keypoints=keypoints, smoothing=0.0)
    assert body.params.frames == len(read_keypoints(path)) == 2
    verdict = pack.classes["PoseXfer_LoadPoseKeypoints"].validate_inputs(file="../seen.json")
    assert "not the name of a file" in verdict


def test_map_options_change_what_they_say(pack, bodies):  # noqa: F811
    def maps(**options):
        return pack.run("RenderBodyMaps", body=bodies[1], width=512, height=768, **options)

    plain, wide, scene = maps(), maps(openpose_limbs="wide"), maps(depth_greys="scene")
    assert float((wide[2] > 0).float().mean()) > 1.5 * float((plain[2] > 0).float().mean())
    assert torch.equal(wide[0], plain[0])
    on = plain[3] > 0.5
    assert float(scene[0][..., 0][on].min()) > float(plain[0][..., 0][on].min())
    assert float(scene[0].max()) == float(plain[0].max()) == 1.0


def test_frames_of_a_batch_share_one_depth_scale(pack, files):  # noqa: F811
    params = standing_params(frames=2)
    params.transl[1, 0, 2] = 6.0
    params.save(files / "input" / "leaving.npz")
    leaving = pack.run("LoadSMPLMesh", file="input/leaving.npz", frame=-1)[0]
    depth = pack.run("RenderBodyMaps", body=leaving)[0]
    near, far = (float(image.max()) for image in depth)
    assert near == 1.0
    assert 0.25 < far < 0.4, "two metres farther away is darker, not white again"


def test_a_saved_body_is_offered_and_loads_again(pack, bodies):  # noqa: F811
    (path,) = pack.run("SaveHumanParams", body=bodies[1])
    name = "output/pose/" + path.rpartition("/")[2]
    assert name in pack.module("nodes.host.paths").list_params()
    again = pack.run("LoadSMPLMesh", file=name)[0]
    assert torch.equal(again.params.pose, bodies[1].params.pose)
    verdict = pack.classes["PoseXfer_LoadSMPLMesh"].validate_inputs(file="output/pose/../../x.npz")
    assert "not the name of a file" in verdict
