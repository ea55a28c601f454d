import numpy as np
import pytest

from posexfer_core.files.glb_animations import Channel, frame_rate, read_clips

QUARTER = np.sqrt(0.5)


def channel(path: str, times, values, **kind) -> Channel:
    return Channel(node=0, path=path, times=np.array(times), values=np.array(values), **kind)


def clips_of(times, interpolation="LINEAR"):
    """Read a clip of one node that is shifted at some times."""
    arrays = [np.array(times, float), np.zeros((len(times), 3))]
    sampler = {"input": 0, "output": 1, "interpolation": interpolation}
    target = {"node": 0, "path": "translation"}
    document = {
        "animations": [{"samplers": [sampler], "channels": [{"sampler": 0, "target": target}]}]
    }
    return read_clips(document, arrays.__getitem__, {0})


def test_clips_of_several_rates_are_frames_of_one():
    times = [np.array([2.0]), np.arange(10) / 24.0, np.arange(31) / 30.0]
    arrays = [*times, *(np.zeros((len(one), 3)) for one in times)]
    target = {"node": 0, "path": "translation"}
    animations = [
        {
            "samplers": [{"input": number, "output": number + 3}],
            "channels": [{"sampler": 0, "target": target}],
        }
        for number in range(3)
    ]
    clips = read_clips({"animations": animations}, arrays.__getitem__, {0})
    assert [len(clip.times) for clip in clips] == [1, 10, 25]
    assert frame_rate(clips) == pytest.approx(24.0, rel=1e-3)
    assert clips[2].frame_rate == pytest.approx(24.0, rel=1e-3)


def test_places_are_interpolated_linearly_and_hold_at_the_ends():
    shift = channel("translation", [1.0, 2.0], [[0.0, 0.0, 0.0], [2.0, 0.0, 4.0]])
    np.testing.assert_allclose(shift.at(1.25), [0.5, 0.0, 1.0])
    np.testing.assert_allclose(shift.at(0.0), [0.0, 0.0, 0.0])
    np.testing.assert_allclose(shift.at(9.0), [2.0, 0.0, 4.0])


def test_turns_take_the_shorter_way_on_the_sphere():
    end = np.array([0.0, 0.0, QUARTER, QUARTER])  # a quarter turn about z
    for sign in (1.0, -1.0):  # both mean the same turn
        turn = channel("rotation", [0.0, 1.0], [[0.0, 0.0, 0.0, 1.0], sign * end])
        eighth = [0.0, 0.0, np.sin(np.pi / 8.0), np.cos(np.pi / 8.0)]
        np.testing.assert_allclose(turn.at(0.5), eighth, atol=1e-12)


def test_a_step_holds_until_the_next_key():
    shift = channel("scale", [0.0, 1.0], [[1.0] * 3, [2.0] * 3], steps=True)
    assert shift.at(0.999)[0] == 1.0
    assert shift.at(1.0)[0] == 2.0


def test_a_cubic_spline_without_slopes_eases_in_and_out():
    flat = np.zeros((2, 3))
    shift = channel("translation", [0.0, 2.0], [[0.0] * 3, [1.0] * 3], slopes=(flat, flat))
    assert shift.at(1.0)[0] == pytest.approx(0.5)
    assert shift.at(0.5)[0] == pytest.approx(3 / 16 - 2 / 64)  # 3 s^2 - 2 s^3 at s = 1/4


def test_baked_keys_are_the_frames_and_sparse_keys_are_sampled():
    (baked,) = clips_of(np.arange(10) / 24.0)
    assert len(baked.times) == 10
    assert baked.frame_rate == pytest.approx(24.0, rel=1e-3)
    (sparse,) = clips_of([0.0, 0.7, 1.0])
    assert len(sparse.times) == 31
    assert sparse.frame_rate == pytest.approx(30.0)
    (single,) = clips_of([0.5])
    assert len(single.times) == 1
    assert single.frame_rate is None


def test_clips_of_other_nodes_are_left_out():
    sampler = {"input": 0, "output": 1}
    target = {"node": 7, "path": "translation"}
    document = {
        "animations": [{"samplers": [sampler], "channels": [{"sampler": 0, "target": target}]}]
    }
    assert read_clips(document, [np.zeros(1), np.zeros((1, 3))].__getitem__, {0}) == []


@pytest.mark.parametrize(
    ("times", "interpolation"),
    [
        ([1.0, 0.0], "LINEAR"),
        ([0.0, np.nan], "LINEAR"),
        ([0.0], "CUBICSPLINE"),
        ([0.0, 1e9], "LINEAR"),
    ],
)
def test_keys_that_cannot_be_meant_are_refused(times, interpolation):
    with pytest.raises(ValueError, match="an animation"):
        clips_of(times, interpolation)
