import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.cli import main
from posexfer_core.commands.estimate import shown_over
from posexfer_core.keypoints.keypoints import Keypoints
from posexfer_core.keypoints.layouts import BODY25
from tests.benchmarks.random_motions import Motion, random_motion
from tests.benchmarks.random_people import FOCAL_PX, IMAGE_PX, aligned_error_mm
from tests.benchmarks.smoothing import joints_over_frames, motion_scores
from tests.people import facing_camera

FRAMES = 5


@pytest.fixture(scope="module")
def motion(body) -> Motion:
    return random_motion(np.random.default_rng(5), body, poses=2, missing=0.0, names=BODY25)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, motion) -> Path:
    """Images, OpenPose files and one POSE_KEYPOINT file of the first frames."""
    folder = tmp_path_factory.mktemp("video")
    image = Image.new("RGB", (IMAGE_PX, IMAGE_PX), (90, 90, 90))
    image.save(folder / "one.png")
    for name in ("images", "openpose"):
        (folder / name).mkdir()
    frames = [openpose(one) for one in motion.keypoints[:FRAMES]]
    for number, frame in enumerate(frames, start=8):  # f8, f9, f10: numbers, not letters, count
        image.save(folder / "images" / f"f{number}.png")
        (folder / "openpose" / f"f{number}_keypoints.json").write_text(json.dumps(frame))
    (folder / "all.json").write_text(json.dumps(frames))
    np.save(folder / "joints.npy", 1000.0 * motion.joints[:FRAMES])
    return folder


def openpose(keypoints: Keypoints) -> dict:
    flat = np.c_[keypoints.xy, keypoints.confidence].ravel().tolist()
    return {"version": 1.3, "people": [{"pose_keypoints_2d": flat}]}


def estimate(folder: Path, *arguments: str) -> int:
    out = str(folder / "out.npz")
    return main(["estimate", *arguments, "--out", out, "--focal-px", str(FOCAL_PX)])


def first_frames(motion: Motion) -> Motion:
    return Motion(
        keypoints=motion.keypoints[:FRAMES],
        joints=motion.joints[:FRAMES],
        params=motion.params.part(slice(0, FRAMES), slice(None)),
    )


@pytest.mark.slow
def test_folders_of_images_and_keypoints_are_a_video(folder, motion, body, capsys):
    files = [str(folder / name) for name in ("images", "openpose")]
    assert estimate(folder, *files, "--fps", "25") == 0
    said = capsys.readouterr().out
    assert said.startswith("mean reprojection error: ") and "over 5 frames" in said
    params = HumanParams.load(folder / "out.npz")
    assert (params.frames, params.frame_rate) == (FRAMES, 25.0)
    assert torch.equal(params.betas[0], params.betas[-1])
    aligned, jerk, *_ = motion_scores(body, params, first_frames(motion))
    assert aligned < 90.0 and jerk < 30.0
    overlays = sorted(path.name for path in (folder / "out_overlay").iterdir())
    assert overlays == [f"{number:05d}.png" for number in range(FRAMES)]


@pytest.mark.slow
def test_a_file_of_several_frames_gives_the_same(folder):
    files = [str(folder / name) for name in ("images", "openpose")]
    assert estimate(folder, *files) == 0
    many = HumanParams.load(folder / "out.npz")
    assert estimate(folder, str(folder / "one.png"), str(folder / "all.json")) == 0
    again = HumanParams.load(folder / "out.npz")
    torch.testing.assert_close(again.pose, many.pose, atol=1e-4, rtol=0.0)
    assert (folder / "out_overlay.png").exists()


@pytest.mark.slow
def test_without_smoothing_each_frame_is_fitted_alone(folder):
    files = [str(folder / name) for name in ("one.png", "all.json")]
    assert estimate(folder, *files, "--smooth", "0") == 0
    alone = HumanParams.load(folder / "out.npz")
    assert not torch.equal(alone.betas[0], alone.betas[-1])
    assert estimate(folder, *files, "--frame", "3") == 0
    one = HumanParams.load(folder / "out.npz")
    assert one.frames == 1
    torch.testing.assert_close(one.transl[0], alone.transl[3], rtol=0.0, atol=0.05)


@pytest.mark.slow
def test_a_person_is_followed_among_others(folder, motion):
    """Somebody stands beside, whom the detector lists first in every other frame."""
    frames = json.loads((folder / "all.json").read_text())
    beside = Keypoints(
        xy=motion.keypoints[0].xy[::-1] + 300.0,
        confidence=motion.keypoints[0].confidence,
        names=BODY25,
        image_size=(IMAGE_PX, IMAGE_PX),
    )
    for number, frame in enumerate(frames):
        frame["people"].insert((number + 1) % 2, openpose(beside)["people"][0])
    (folder / "crowd.json").write_text(json.dumps(frames))
    found = {}
    for name, *more in (("all",), ("crowd",), ("crowd", "--smooth", "0")):
        assert estimate(folder, str(folder / "one.png"), str(folder / f"{name}.json"), *more) == 0
        found[(name, *more)] = HumanParams.load(folder / "out.npz").transl
    torch.testing.assert_close(found["crowd",], found["all",], atol=1e-4, rtol=0.0)
    apart = found["crowd", "--smooth", "0"] - found["all",]
    assert (apart.norm(dim=-1) > 0.3)[1::2].all() and (apart.norm(dim=-1) < 0.3)[::2].all()


@pytest.mark.slow
def test_3d_joints_place_the_body_with_and_without_keypoints(folder, motion, body):
    joints = ["--joints", str(folder / "joints.npy")]
    for keypoints in ([str(folder / "all.json")], []):
        assert estimate(folder, str(folder / "one.png"), *keypoints, *joints) == 0
        params = HumanParams.load(folder / "out.npz")
        found = joints_over_frames(body, params)
        assert np.linalg.norm(found - motion.joints[:FRAMES], axis=-1).mean() < 0.12
        assert motion_scores(body, params, first_frames(motion))[0] < 20.0


def test_mediapipes_world_landmarks_are_used(folder, motion, body):
    landmarks = [{"x": 0.0, "y": 0.0, "z": 0.0, "visibility": 0.0} for _ in range(33)]
    world = [dict(one) for one in landmarks]
    places = {11: 16, 12: 17, 13: 18, 14: 19, 15: 20, 16: 21, 25: 4, 26: 5, 27: 7, 28: 8}
    for mine, smpl in {**places, 23: 1, 24: 2}.items():
        joint = motion.joints[0, smpl]
        x, y = FOCAL_PX * joint[:2] / joint[2] / IMAGE_PX + 0.5
        landmarks[mine] = {"x": x, "y": y, "z": 0.0, "visibility": 0.9}
        centre = motion.joints[0, 1:3].mean(0)
        world[mine] = dict(zip("xyz", joint - centre, strict=True)) | {"visibility": 0.9}
    value = {"pose_landmarks": [landmarks], "pose_world_landmarks": [world]}
    (folder / "landmarks.json").write_text(json.dumps(value))
    assert estimate(folder, str(folder / "one.png"), str(folder / "landmarks.json")) == 0
    params = HumanParams.load(folder / "out.npz")
    assert aligned_error_mm(joints_over_frames(body, params)[0], motion.joints[0]) < 45.0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["images", "nothing"], "cannot be read|not there|No such"),
        (["images", "empty"], "has no keypoint files that end in"),
        (["empty", "openpose"], "has no images that end in"),
        (["one.png", "all.json", "--frame", "9"], "Frame 9 was asked for, but there are 5"),
        (
            ["one.png", "all.json", "--person", "2"],
            "Frame 0: person 2 was asked for, but there are 1 in all.json",
        ),
        (["one.png", "all.json", "--joints", "world.npy"], "5 frames of keypoints, 1 frames of 3D"),
        (["one.png", "--joints", "world.npy"], "does not say where in the image"),
        (["one.png", "--joints", "all.json"], "holds no 3D joints that are known"),
        (["one.png", "--joints", "out.txt"], "out.txt"),
    ],
)
def test_what_does_not_fit_gets_a_sentence(folder, motion, capsys, arguments, sentence):
    (folder / "empty").mkdir(exist_ok=True)
    np.save(folder / "world.npy", motion.joints[0] - motion.joints[0, 0])
    files = [
        one if one.startswith("--") or one.isdecimal() else str(folder / one) for one in arguments
    ]
    assert estimate(folder, *files) == 2
    said = capsys.readouterr().err
    assert len(said.strip().splitlines()) == 1
    assert re.search(sentence, said), said


@pytest.mark.parametrize("option", [("--smooth", "-1"), ("--fps", "x"), ("--focal-px", "0")])
def test_numbers_out_of_range_are_refused(folder, option):
    with pytest.raises(SystemExit):
        main(["estimate", str(folder / "one.png"), "--out", "o.npz", *option])


@pytest.fixture(scope="module")
def masks(folder, motion, body) -> Path:
    views = BodyView.of(first_frames(motion).params, body, frame=None)
    (folder / "masks").mkdir()
    for number, mask in enumerate(views.visibility.mask.numpy(), start=8):
        Image.fromarray(mask).save(folder / "masks" / f"m{number}.png")
    return folder / "masks"


def betas_of(folder: Path) -> torch.Tensor:
    return HumanParams.load(folder / "out.npz").betas


@pytest.mark.slow
def test_masks_of_one_frame_or_of_all_change_the_shape(folder, masks):
    one, video = str(folder / "one.png"), [str(folder / "images"), str(folder / "openpose")]
    alone = [one, str(folder / "all.json"), "--frame", "1"]
    for arguments, used in ((alone, masks), (video, masks)):
        assert estimate(folder, *arguments) == 0
        bare = betas_of(folder)
        assert estimate(folder, *arguments, "--mask", str(used)) == 0
        shaped = betas_of(folder)
        assert torch.equal(shaped, shaped[:1].expand_as(shaped))
        assert (shaped - bare).abs().max() > 0.02


def test_masks_that_do_not_fit_get_a_sentence(folder, masks, capsys):
    image, first = str(folder / "one.png"), str(folder / "openpose" / "f8_keypoints.json")
    Image.new("L", (64, 64), 255).save(folder / "small.png")
    Image.new("L", (IMAGE_PX, IMAGE_PX)).save(folder / "black.png")
    wrong = [
        ("must be as many", [image, str(folder / "all.json")], masks / "m8.png"),
        ("cannot be read as an image", [image, first], folder / "all.json"),
        ("small.png: The mask has shape (64, 64)", [image, first], folder / "small.png"),
        ("black.png: The mask is empty", [image, first], folder / "black.png"),
        ("give them too", [image], masks / "m8.png"),
    ]
    for sentence, arguments, mask in wrong:
        assert estimate(folder, *arguments, "--mask", str(mask)) == 2
        assert sentence in capsys.readouterr().err


def test_a_large_image_is_shown_smaller_with_its_body_in_place(body):
    large, small = (
        shown_over(
            torch.ones(1, 3, *size),
            BodyView.of(facing_camera(size, (0.0, 0.1, 4.5), 1.5 * size[0]), body),
        )
        for size in ((2560, 1280), (2048, 1024))
    )
    assert large.shape == small.shape == (1, 3, 2048, 1024)
    assert float((large - small).abs().mean()) < 0.01
