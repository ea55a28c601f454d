"""Real pixels in new poses: the nodes that warp, frame, restore and paste back."""

import pytest
import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.warp.filters import dilate
from tests.nodes.host_process import ROOT
from tests.nodes.test_nodes import files  # noqa: F401

DEMO = ROOT / "posexfer_core" / "assets" / "demo"


@pytest.fixture(scope="module")
def painted(pack):
    """The painted person: image, body, and a mask a little wider than the body."""
    image, body, *_ = pack.run("DemoPerson", person="painted person")
    mask = dilate(body.view().visibility.mask, 2).float()
    return image, body, mask


@pytest.fixture(scope="module")
def photo(pack):
    return pack.run("DemoPerson", person="astronaut (photo)")[:2]


@pytest.fixture(scope="module")
def poses(pack):
    """A pose by its name, and a sequence of two."""
    found = {
        name: pack.run("LoadSMPLMesh", file=f"demo/{name}.npz")[0]
        for name in ("arms_raised", "walking", "arm_in_front")
    }
    join = pack.module("posexfer_core.body.motion").join_frames
    two = join([found["arms_raised"].params, found["walking"].params])
    sequence = pack.module("nodes.sockets").PosedBody(params=two, model=found["walking"].model)
    return {**found, "sequence": sequence}


def warp(pack, painted, target, **options):
    image, body, mask = painted
    given = {"image": image, "source_body": body, "target_body": target, "mask": mask}
    return pack.run("WarpToPose", **{**given, **options})


def alike(found, expected):
    """Images agree to a grey level on average: edges may round to the next pixel."""
    return float((found - expected).abs().mean()) < 1.0 / 255.0


def test_a_warp_has_the_photos_size_and_its_masks_share_the_image(pack, painted, poses):
    image, inpaint, visible, background, body, confidence, clothed = warp(
        pack, painted, poses["arms_raised"], grow=0
    )
    assert image.shape == painted[0].shape
    assert torch.equal(inpaint + visible + background, torch.ones_like(inpaint))
    assert float(confidence.min()) >= 0.0 and float(confidence.max()) <= 1.0
    depth = pack.run("RenderBodyMaps", body=clothed)[0]
    assert torch.equal(depth[..., 0] > 0, body > 0.5)
    kept = background[0] > 0.5
    apart = (image - painted[0])[0][kept].abs().max()
    assert float(apart) < 1.0 / 255.0


def test_the_node_draws_what_the_core_draws(pack, painted, poses):
    core = pack.module("posexfer_core.warp.warp_to_pose")
    host = pack.module("nodes.host.retargeting")
    image, body, mask = painted
    target = host.retarget_body(body, poses["walking"])
    expected = core.warp_to_pose(
        2.0 * image.movedim(-1, 1) - 1.0, body.view(), target.view(), mask[:, None],
        leftovers="remove",
    )  # fmt: skip
    found = warp(pack, painted, poses["walking"], leftovers="remove", grow=0)
    torch.testing.assert_close(
        found[0], (expected.image.movedim(1, -1) / 2 + 0.5).clamp(0, 1), atol=1e-6, rtol=0.0
    )
    for one, name in zip(found[1:6], ("inpaint", "visible", "background", "body", "confidence"),
                         strict=True):  # fmt: skip
        torch.testing.assert_close(one, getattr(expected, name)[:, 0].float(), msg=name)
    again = warp(pack, painted, target, leftovers="remove", grow=0)
    assert alike(again[0], found[0]), "a retargeted body passes either way"
    off = warp(pack, painted, target, leftovers="remove", grow=0, fit_to_source=False)
    assert alike(off[0], found[0])


def test_a_skirt_is_worn_in_the_image_and_by_the_body(pack, painted, poses):
    plain = warp(pack, painted, poses["walking"], skirt="none", grow=0)
    skirt = warp(pack, painted, poses["walking"], skirt="calf", grow=0)
    assert float(skirt[4].sum()) > 1.1 * float(plain[4].sum())
    depth = pack.run("RenderBodyMaps", body=skirt[6])[0]
    assert torch.equal(depth[..., 0] > 0, skirt[4] > 0.5)


def test_a_sequence_is_prepared_once(pack, painted, poses, monkeypatch):
    warping, calls = pack.module("nodes.host.warping"), []
    prepare = warping.prepare_source
    monkeypatch.setattr(
        warping, "prepare_source", lambda *a, **k: calls.append(1) or prepare(*a, **k)
    )
    both = warp(pack, painted, poses["sequence"])
    assert len(calls) == 1
    assert all(len(one) == 2 for one in both[:6]) and both[6].params.frames == 2
    alone = warp(pack, painted, poses["walking"])
    assert alike(both[0][1:], alone[0])
    torch.testing.assert_close(
        both[6].view().vertices[1:], alone[6].view().vertices, atol=1e-4, rtol=0.0
    )


def test_frames_of_a_video_each_give_their_own_pixels(pack, painted, poses):
    image, body, mask = painted
    bodies = type(body)(params=body.params.part(torch.zeros(2, dtype=torch.long)), model=body.model)
    two = torch.cat([image, 0.5 * image])
    out = pack.run(
        "WarpToPose", image=two, source_body=bodies, target_body=poses["walking"], mask=mask
    )
    alone = warp(pack, painted, poses["walking"])
    assert alike(out[0][:1], alone[0])
    assert float(out[0][1].mean()) < 0.7 * float(out[0][0].mean())


def test_photos_of_one_person_show_the_back_that_the_first_does_not(pack, painted, poses):
    image, body, mask = painted
    behind = pack.run("LoadSMPLMesh", file="demo/from_behind.npz")[0]
    read = pack.module("posexfer_core.files.images").load_image
    truth = read(DEMO / "from_behind.png").movedim(1, -1) / 2 + 0.5
    join = pack.module("posexfer_core.body.motion").join_frames
    both = type(body)(params=join([body.params, behind.params]), model=body.model)
    photos = torch.cat([image, truth])
    masks = torch.cat([mask, dilate(behind.view().visibility.mask, 2).float()])
    alone = warp(pack, painted, behind)
    given = {"image": photos, "source_body": both, "mask": masks, "photos": "of one person"}
    helped = warp(pack, painted, behind, **given)
    seen = alone[4] * helped[4] > 0.5
    apart = [float((one[0] - truth)[seen].abs().mean()) for one in (alone, helped)]
    assert helped[0].shape == image.shape and apart[1] < 0.5 * apart[0]
    assert float(helped[2].mean()) > float(alone[2].mean()), "more of the person is seen"
    frames = warp(pack, painted, poses["sequence"], **given)
    assert len(frames[0]) == 2
    errors = pack.module("posexfer_core.errors")
    with pytest.raises(errors.ParamsError, match="2 images and 1 source bodies"):
        warp(pack, painted, behind, **{**given, "source_body": body})


@pytest.mark.parametrize("outside", ["mirror", "fill"])
def test_room_is_made_alike_for_every_frame(pack, painted, poses, outside):
    image, inpaint, visible, background, _, _, clothed = warp(
        pack, painted, poses["sequence"], outside=outside, grow=0
    )
    height, width = image.shape[1:3]
    assert height >= 256 and width >= 176 and image.shape[0] == 2
    assert clothed.params.image_size == (height, width)
    assert torch.equal(inpaint + visible + background, torch.ones_like(inpaint))


def test_the_inpaint_mask_grows(pack, painted, poses):
    thin, wide = (warp(pack, painted, poses["walking"], grow=by)[1] for by in (0, 6))
    assert torch.equal(dilate(thin > 0.5, 6).float(), wide)


def test_cancel_is_heeded_before_the_first_photo_is_prepared(
    pack, painted, poses, host, monkeypatch
):
    management, warping = host.model_management, pack.module("nodes.host.warping")
    prepare, done = warping.prepare_source, []

    def cancelled(*args, **options):
        management.interrupt_current_processing()
        prepared = prepare(*args, **options)
        done.append(prepared)
        return prepared

    monkeypatch.setattr(warping, "prepare_source", cancelled)
    with pytest.raises(management.InterruptProcessingException):
        warp(pack, painted, poses["walking"])
    assert not done


def test_an_interrupt_stops_between_frames(pack, painted, poses, host, monkeypatch):
    management = host.model_management
    warping, calls = pack.module("nodes.host.warping"), []
    pose = warping.pose_source

    def cancelled(*args, **options):
        calls.append(1)
        management.interrupt_current_processing()
        return pose(*args)

    monkeypatch.setattr(warping, "pose_source", cancelled)
    with pytest.raises(management.InterruptProcessingException):
        warp(pack, painted, poses["sequence"])
    assert len(calls) == 1


def test_cancel_is_heeded_while_frames_are_conditioned(pack, painted, host, files, monkeypatch):  # noqa: F811
    management, calls = host.model_management, []
    staging = pack.module("posexfer_core.transfer.staging")
    pose = staging.pose_source

    def cancelled(*args, **options):
        calls.append(1)
        management.interrupt_current_processing()
        return pose(*args)

    monkeypatch.setattr(staging, "pose_source", cancelled)
    image, body, mask = painted
    pose_model, model, vae = pack.run("LoadModel", weights="toy.safetensors")
    (features,) = pack.run(
        "FeatureLift3D", pose_model=pose_model, image=image, source_body=body, mask=mask
    )
    walk = pack.run("LoadSMPLMesh", file="walk.npz", frame=-1)[0]
    (conditioned,) = pack.run(
        "ControlGuidanceApply3D", model=model, features=features, target_body=walk
    )
    with pytest.raises(management.InterruptProcessingException):
        pack.run("PoseTransferSampler", model=conditioned, width=64, height=96, vae=vae)
    assert len(calls) == 1


def test_masks_that_cannot_be_meant_are_explained(pack, painted, poses):
    errors = pack.module("posexfer_core.errors")
    for words, mask in (
        ("no mask", torch.zeros(1, 64, 64)),
        ("Invert Mask", 1.0 - painted[2]),
        ("empty", torch.zeros_like(painted[2])),
        ("2 masks for 1 images", painted[2].repeat(2, 1, 1)),
        ("must be alike", painted[2][:, :-1]),
    ):
        with pytest.raises(errors.ImageError, match=words):
            warp(pack, painted, poses["walking"], mask=mask)
    with pytest.raises(errors.ImageError, match="no mask"):
        keypoints = pack.run("DemoPerson", person="painted person")[2]
        pack.run(
            "EstimateHumanParams",
            image=painted[0], keypoints=keypoints, mask=torch.zeros(1, 64, 64),
        )  # fmt: skip


def test_bodies_of_other_images_are_refused_in_words(pack, painted, photo, poses):
    errors = pack.module("posexfer_core.errors")
    with pytest.raises(errors.ParamsError, match="source body stands in an image of 512x512"):
        warp(pack, painted, poses["walking"], source_body=photo[1])
    with pytest.raises(errors.ParamsError, match="fit_to_source"):
        warp(pack, painted, photo[1], fit_to_source=False)


def test_somebody_cut_off_below_keeps_the_neck_in_place(pack, photo, poses):
    image, body = photo
    placed = pack.run("RetargetBody", source_body=body, target_body=poses["sequence"])[0]
    neck = JOINT_INDEX["neck"]
    shift = placed.view().joints[:, neck] - body.view().joints[:, neck]
    assert float(shift.abs().max()) < 1e-4
    stage = pack.module("posexfer_core.transfer.staging").stage
    staged = stage(
        2.0 * image.movedim(-1, 1) - 1.0, body.params, poses["walking"].params, body.model,
        size=(256, 256),
    )  # fmt: skip
    view = staged.framing.reframe(placed.view().at(1))
    torch.testing.assert_close(view.vertices, staged.target.vertices, atol=1e-4, rtol=0.0)
