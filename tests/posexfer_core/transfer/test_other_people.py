"""People beside the one who is moved."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from posexfer_core.body.joints import JOINT_NAMES
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.geometry.camera import project_perspective
from posexfer_core.keypoints.keypoints import Keypoints
from posexfer_core.keypoints.observation import Observation
from posexfer_core.transfer.other_people import (
    SAME,
    beside,
    bodies_beside,
    find_others,
    silhouettes,
)
from posexfer_core.transfer.staging import stage
from posexfer_core.warp.dressed_person import dress
from posexfer_core.warp.filters import dilate
from tests.people import facing_camera

SIZE = (160, 240)
LIMBS = [
    f"{side}_{name}" for side in "lr" for name in ("shoulder", "elbow", "wrist", "hip", "knee")
]


def standing(across_m: float, *, away_m: float = 4.5, arm_deg: float = 70.0) -> HumanParams:
    """Someone who faces the camera."""
    return facing_camera(SIZE, (across_m, 0.0, away_m), 1.5 * SIZE[0], arm_deg=arm_deg)


def seen(view: BodyView) -> Observation:
    """The keypoints of a body."""
    pixels = project_perspective(view.joints, view.intrinsics)[0].numpy()
    xy = np.stack([pixels[JOINT_NAMES.index(name)] for name in LIMBS])
    return Observation(
        keypoints=Keypoints(
            xy=xy, confidence=np.ones(len(xy)), names=tuple(LIMBS), image_size=view.size
        )
    )


def test_silhouettes_hold_every_body_and_what_it_may_wear(body):
    views = [BodyView.of(standing(across), body) for across in (-0.8, 0.8)]
    moved = BodyView.of(standing(0.0, away_m=9.0), body)
    drawn = silhouettes(views, moved)
    assert drawn is not None and drawn.shape == (1, 1, *SIZE)
    for view in views:
        assert bool((drawn[0] > 0.5)[dilate(view.visibility.mask, 2)].all())
    bodies = sum(float(view.visibility.mask.sum()) for view in views)
    assert float(drawn.sum()) < 2.0 * bodies
    assert silhouettes([], moved) is None


def test_who_is_clearly_nearer_hides_the_moved_one_and_nobody_else_does(body):
    moved = BodyView.of(standing(0.0), body)
    own = moved.visibility.mask
    for away_m, hides in ((3.6, True), (4.3, False), (5.4, False)):
        other = BodyView.of(standing(0.15, away_m=away_m), body)
        drawn = silhouettes([other], moved)
        assert drawn is not None
        both = other.visibility.mask & own
        assert int(both.sum()) > 0.3 * int(own.sum())
        assert float(drawn[0][both].mean()) == pytest.approx(float(hides), abs=0.02)


def test_who_stands_before_the_moved_one_is_not_taken_along(body, generator):
    moved, other = (
        BodyView.of(standing(across, away_m=away_m), body)
        for across, away_m in ((0.0, 4.5), (0.25, 3.6))
    )
    before = other.visibility.mask
    seen_of_moved = moved.visibility.mask & ~before
    image = 0.2 * torch.rand(1, 3, *SIZE, generator=generator)
    image[0, :, seen_of_moved[0]] = torch.tensor([[1.0], [-1.0], [-1.0]])
    image[0, :, before[0]] = torch.tensor([[-1.0], [-1.0], [1.0]])
    everybody = (before | moved.visibility.mask)[None].float()
    others = silhouettes([other], moved)
    for mask in (None, everybody):
        field = dress(image, moved, mask, others).field
        assert field.step == 1
        (left, top), (height, width) = field.offset_xy, field.shown.shape[-2:]
        cut = (..., slice(top, top + height), slice(left, left + width))
        shown = field.shown[:, 0] > 0.5
        assert int((shown & before[cut]).sum()) < 0.3 * int((moved.visibility.mask & before).sum())
        assert int((shown & seen_of_moved[cut]).sum()) > 0.75 * int(seen_of_moved.sum())


def test_neighbours_are_found_and_the_far_and_the_hidden_are_not(body):
    moved, beside, far = (BodyView.of(standing(across), body) for across in (0.0, 0.6, 1.2))
    found = find_others([seen(beside)], moved, body)
    assert found is not None
    mask = beside.visibility.mask
    assert float(found[0][mask].mean()) > 0.95
    assert find_others([seen(far)], moved, body) is None
    everybody = (moved.visibility.mask | far.visibility.mask)[None].float()
    assert find_others([seen(far)], moved, body, everybody) is not None
    assert find_others([seen(far)], moved, body, moved.visibility.mask[None].float()) is None
    hidden = seen(beside).keypoints
    hidden = replace(hidden, names=tuple(f"unknown_{n}" for n in range(len(LIMBS))))
    assert find_others([Observation(keypoints=hidden)], moved, body) is None


def shifted(view: BodyView, share: float) -> Observation:
    """The keypoints of a body, moved to the right by a share of its height."""
    found = seen(view)
    pixels = project_perspective(view.vertices, view.intrinsics)[0]
    height = float(pixels[:, 1].max() - pixels[:, 1].min())
    xy = found.keypoints.xy + np.array([share * height, 0.0])
    return replace(found, keypoints=replace(found.keypoints, xy=xy))


def test_the_moved_one_is_told_from_everyone_by_where_the_keypoints_are(body):
    moved, beside_it = (BodyView.of(standing(across), body) for across in (0.0, 0.6))
    own, other = shifted(moved, 0.1), seen(beside_it)
    assert beside([other, own], moved) == [other]
    assert beside([own, other], moved) == [other]
    assert beside([other], moved) == [other], "who is moved need not be among them"
    assert beside([], moved) == []


def test_the_moved_one_found_twice_is_nobody_else(body):
    moved, neighbour = (BodyView.of(standing(across), body) for across in (0.0, 0.6))
    again, apart = shifted(moved, 0.5 * SAME), shifted(moved, 2.5 * SAME)
    assert find_others([again], moved, body) is None
    assert find_others([apart], moved, body) is not None
    assert bodies_beside([moved], moved) is None
    found, expected = bodies_beside([moved, neighbour], moved), silhouettes([neighbour], moved)
    assert found is not None and expected is not None and torch.equal(found, expected)


def test_a_neighbour_stays_to_the_bit_whatever_the_mask_holds(body, generator):
    image = 0.2 * torch.rand(1, 3, *SIZE, generator=generator)
    own, other = (BodyView.of(standing(across), body).visibility.mask for across in (-0.35, 0.35))
    colours = torch.tensor([[1.0, -1.0, -1.0], [-1.0, -1.0, 1.0]])
    for mask, colour in zip((own, other), colours, strict=True):
        image[0, :, mask[0]] = colour[:, None]
    moved = BodyView.of(standing(-0.35), body)
    others = silhouettes([BodyView.of(standing(0.35), body)], moved)
    everybody = (own | other)[None].float()
    for mask in (own[None].float(), everybody, None):
        staged = stage(
            image,
            standing(-0.35),
            standing(0.0, arm_deg=-60.0),
            body,
            size=None,
            mask=mask,
            others=others,
            outside="crop",
        )
        warp = next(staged.warps())
        free = other & ~dilate(own | warp.body[:, 0], 3)
        assert int(free.sum()) > 0.5 * int(other.sum())
        assert torch.equal(warp.image[0][:, free[0]], image[0][:, free[0]])
        blue = (warp.image[0] - colours[1][:, None, None]).abs().amax(0) < 0.2
        assert int((blue & ~other[0]).sum()) < 0.02 * int(other.sum()), "the other was moved too"
