"""Photos of several people: the others stay, whatever tells of them."""

import pytest
import torch

from tests.people import facing_camera


@pytest.fixture(scope="module")
def target(pack):
    return pack.run("LoadSMPLMesh", file="demo/arms_raised.npz")[0]


@pytest.fixture(scope="module")
def two_people(pack):
    """A photo of two who stand side by side: image, both bodies, their masks and keypoints."""
    params = pack.module("posexfer_core.body.params").HumanParams
    sockets = pack.module("nodes.sockets")
    model = pack.module("posexfer_core.body.model").BodyModel.bundled()
    bodies, masks, points = [], [], []
    for across in (-0.35, 0.35):
        made = facing_camera((240, 320), (across, 0.2, 4.0), 400.0)
        own = {name: getattr(made, name) for name in ("pose", "betas", "transl", "intrinsics")}
        body = sockets.PosedBody(params=params(**own, image_size=(240, 320)), model=model)
        bodies.append(body)
        masks.append(body.view().visibility.mask.float())
        points.append(pack.module("posexfer_core.render.openpose").keypoints18(body.view())[0])
    image = torch.full((1, 240, 320, 3), 0.1)
    for channel, mask in enumerate(masks):
        image[..., channel] += 0.8 * mask
    found = [one.double().numpy() * [1.0, 1.0, 0.0] + [0.0, 0.0, 1.0] for one in points]
    frame = pack.module("posexfer_core.keypoints.pose_keypoint").pose_frame(found, (240, 320))
    return image, bodies, masks, [frame]


def moved_beside(pack, two_people, target, others, **more):
    """Move the left one, everything else in the mask gone; the share of the other that is left."""
    image, bodies, masks, _ = two_people
    given = {
        "image": image, "source_body": bodies[0], "target_body": target,
        "mask": masks[0].maximum(masks[1]), "leftovers": "remove", "others": others,
    }  # fmt: skip
    out = pack.run("WarpToPose", **{**given, **more})[0]
    other = masks[1][0] > 0.5
    return float((out - image)[0][other].abs().amax(-1).lt(0.5 / 255.0).float().mean())


def test_other_people_stay_whatever_tells_of_them(pack, two_people, target):
    _, bodies, masks, keypoints = two_people
    assert moved_beside(pack, two_people, target, None) < 0.5
    for others in (masks[1], bodies[1], keypoints):
        assert moved_beside(pack, two_people, target, others) > 0.95


def test_a_cut_has_the_others_in_it(pack, two_people, target):
    image, bodies, masks, keypoints = two_people
    given = {"image": image, "source_body": bodies[0], "target_body": target,
             "width": 256, "height": 256}  # fmt: skip
    assert pack.run("FramePose", **given)[6] is None
    *_, framing, others = pack.run("FramePose", **given, others=keypoints)
    assert others.shape == (1, 256, 256)
    there = framing.apply_to_mask(masks[1][:, None])[:, 0] > 0.5
    assert float(others[there].mean()) > 0.9 and float(others[~there].mean()) < 0.1


def test_others_that_cannot_be_meant_are_refused(pack, two_people, target):
    image, bodies, masks, keypoints = two_people
    errors = pack.module("posexfer_core.errors")
    for others, words in (
        (masks[0].maximum(masks[1]), "covers the person who is moved"),
        (torch.zeros(1, 64, 64), "Load Image's mask"),
        (masks[1][:, :100], r"\(100, 320\)"),
        (keypoints * 2, "2"),
    ):
        with pytest.raises(errors.PoseXferError, match=words):
            moved_beside(pack, two_people, target, others)
    lift = {"pose_model": pack.run("LoadModel")[0], "image": image, "others": masks[1]}
    with pytest.raises(errors.ConfigError, match="without 'source_body'"):
        pack.run("FeatureLift3D", **lift)
    lifted = pack.run("FeatureLift3D", **lift, source_body=bodies[0])[0]
    assert torch.equal(lifted.others, masks[1][:, None])
