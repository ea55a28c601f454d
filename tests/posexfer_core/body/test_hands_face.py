from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from posexfer_core.body.hands_face import HandsFace
from posexfer_core.body.params import HumanParams
from posexfer_core.errors import ParamsError
from tests.posexfer_core.body.sample_params import random_params


def detailed(generator: torch.Generator) -> HumanParams:
    params = random_params(frames=3, persons=2)
    hands_face = HandsFace(
        fingers=torch.randn(3, 2, 30, 3, generator=generator),
        face=torch.randn(3, 2, 3, 3, generator=generator),
        expression=torch.randn(3, 2, 10, generator=generator),
    )
    return replace(params, hands_face=hands_face)


def test_details_follow_frames_and_persons(generator: torch.Generator):
    params = detailed(generator)
    one = params.select(frame=2, person=1)
    assert one.hands_face is not None and params.hands_face is not None
    assert torch.equal(one.hands_face.face[0, 0], params.hands_face.face[2, 1])
    assert one.to(dtype=torch.float64).hands_face.fingers.dtype == torch.float64  # pyright: ignore


def test_saved_details_come_back_equal(tmp_path: Path, generator: torch.Generator):
    params = detailed(generator)
    params.save(tmp_path / "a.npz")
    loaded = HumanParams.load(tmp_path / "a.npz")
    assert loaded.hands_face is not None and params.hands_face is not None
    assert torch.equal(loaded.hands_face.fingers, params.hands_face.fingers)
    arrays = dict(np.load(tmp_path / "a.npz"))
    del arrays["face"]
    np.savez(tmp_path / "b.npz", **arrays)
    with pytest.raises(ParamsError, match="not all of fingers, face, expression"):
        HumanParams.load(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", **arrays, face=np.zeros((3, 2, 4, 3)))
    with pytest.raises(ParamsError, match=r"c.npz: face has shape \(3, 2, 4, 3\)"):
        HumanParams.load(tmp_path / "c.npz")


def test_expressions_do_not_carry_to_another_body(generator: torch.Generator):
    params = detailed(generator)
    neutral = params.with_neutral_betas("smplx").hands_face
    assert neutral is not None and params.hands_face is not None
    assert not neutral.expression.any()
    assert torch.equal(neutral.fingers, params.hands_face.fingers)


def test_details_that_do_not_fit_are_refused(generator: torch.Generator):
    params = detailed(generator)
    assert params.hands_face is not None
    with pytest.raises(ParamsError, match=r"hands_face has \(3, 2\) frames and persons"):
        replace(random_params(frames=2, persons=2), hands_face=params.hands_face)
    with pytest.raises(ParamsError, match="fingers holds numbers that are NaN"):
        params.hands_face.each(lambda one: one * torch.nan)
