"""Sheets of cloth between the legs."""

import math

import pytest
import torch

from posexfer_core.body.view import BodyView
from posexfer_core.warp.skirt import skirt_faces

SIZE = (384, 256)


def with_legs(posed, *, apart_deg: float, flexion_deg: float = 0.0) -> BodyView:
    """Somebody whose thighs are so far apart and forward, and whose shins hang, apart."""
    turns, flexion = {}, math.radians(flexion_deg)
    for side, sign in (("l", 1.0), ("r", -1.0)):
        turns[f"{side}_hip"] = [-flexion, 0.0, sign * math.radians(apart_deg)]
        turns[f"{side}_knee"] = [flexion, 0.0, sign * 0.4]
    return posed(size=SIZE, **turns)


@pytest.mark.parametrize(
    ("apart_deg", "flexion_deg", "joined"),
    [(10.0, 0.0, True), (-4.0, 0.0, True), (-8.0, 65.0, False)],
    ids=["legs apart", "knees together", "sitting, shins apart"],
)
def test_shins_of_somebody_who_sits_make_no_skirt(
    posed, apart_deg: float, flexion_deg: float, joined: bool
):
    view = with_legs(posed, apart_deg=apart_deg, flexion_deg=flexion_deg)
    assert bool(len(skirt_faces(view, torch.ones(SIZE)))) == joined


def test_legs_with_nothing_between_them_are_not_joined(posed):
    view = with_legs(posed, apart_deg=10.0)
    assert len(skirt_faces(view, view.visibility.mask[0].float())) == 0
