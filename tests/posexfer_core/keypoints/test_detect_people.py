from dataclasses import replace
from math import degrees

import numpy as np
import pytest
import torch

from posexfer_core.body.params import HumanParams
from posexfer_core.keypoints.detect_people import detect_people
from posexfer_core.keypoints.detector import Landmarks
from tests.people import facing_camera
from tests.posexfer_core.silhouette_landmarker import SilhouetteLandmarker, draw_person

SIZE = (200, 520)


def standing(x_m: float, z_m: float) -> HumanParams:
    return facing_camera(SIZE, (x_m, 0.2, z_m), 300.0, arm_deg=degrees(1.1))


@pytest.fixture(scope="module")
def crowd(body) -> tuple[torch.Tensor, SilhouetteLandmarker]:
    """Three people, the middle one smaller, the last one cut off by the image's edge."""
    image = -torch.ones(3, *SIZE)
    places = ((-1.6, 4.0), (0.0, 5.5), (3.2, 4.0))
    people = [
        draw_person(image, standing(*place), body, channel) for channel, place in enumerate(places)
    ]
    return image, SilhouetteLandmarker(people)


def test_everyone_is_found_once_the_largest_first(crowd):
    image, landmarker = crowd
    people = detect_people(image, landmarker)
    assert len(people) == 3
    areas = [int((person.mask() > 0.5).sum()) for person in people]
    assert areas == sorted(areas, reverse=True)
    for person in people:
        mask = person.mask() > 0.5
        overlaps = [(mask & one).sum() / (mask | one).sum() for one in image > 0.0]
        assert max(overlaps) > 0.95


def test_landmarks_are_in_the_pixels_of_the_image(crowd, body):
    image, landmarker = crowd
    first = landmarker.people[0]
    rows, columns = np.nonzero((image[first.channel] > 0.0).numpy())
    low, high = np.array([columns.min(), rows.min()]), np.array([columns.max(), rows.max()]) + 1.0
    wanted = first.points[:, :2] * (high - low) + low
    off = [np.abs(one.points[:, :2] - wanted).max() for one in detect_people(image, landmarker)]
    assert min(off) < 3.0


def test_nobody_is_found_where_nobody_is(crowd):
    assert detect_people(-torch.ones(3, *SIZE), crowd[1]) == []


def test_somebody_whose_head_and_feet_are_cut_off_is_found_with_room_around(crowd):
    image, landmarker = crowd
    rows = (image[0] > 0.0).any(1).nonzero()[:, 0]
    cut = image[:, rows[len(rows) // 6] : rows[-len(rows) // 6]].contiguous()
    cut[1:] = -1.0
    needy = SilhouetteLandmarker(landmarker.people, room_px=3)
    (person,) = detect_people(cut, needy)
    mask, shown = person.mask() > 0.5, cut[0] > 0.0
    assert mask.shape == shown.shape
    assert (mask & shown).sum() > 0.95 * (mask | shown).sum()


@pytest.mark.parametrize(("landmarks", "found"), [(13, 3), (9, 0)])
def test_head_and_shoulders_are_enough(crowd, landmarks, found):
    image, landmarker = crowd
    visible = np.ones((33, 3))
    visible[landmarks:, 2] = 0.0

    def portraits(levels: np.ndarray) -> list[Landmarks]:
        return [replace(one, image=one.image * visible) for one in landmarker(levels)]

    assert len(detect_people(image, portraits)) == found


def windows_of(image: torch.Tensor) -> int:
    """Count how often an image is looked at from far."""
    shown: list[np.ndarray] = []
    detect_people(image, lambda levels: shown.append(levels) or [])
    return len(shown)


def test_a_figure_that_one_window_sees_in_somebody_is_nobody(crowd):
    image, landmarker = crowd
    far, shown = windows_of(image), []

    def deceived(levels: np.ndarray) -> list[Landmarks]:
        """Take heads for people, too, in one window, and in every crop from near."""
        shown.append(levels.shape)
        found = [replace(one, image=one.image * [1.0, 1.0, 0.7]) for one in landmarker(levels)]
        ghosts = [
            replace(
                one,
                image=one.image * [1.0, 1.0, 1.4],
                mask=one.mask * (np.cumsum(one.mask.any(1)) < 30)[:, None],
            )
            for one in found
        ]
        return found if 1 < len(shown) <= far else [*ghosts, *found]

    areas, wanted = (
        [int((one.mask() > 0.5).sum()) for one in detect_people(image, seeing)]
        for seeing in (deceived, landmarker)
    )
    assert areas == wanted


def test_who_is_not_found_again_from_near_is_taken_as_seen_from_far(crowd):
    image, landmarker = crowd
    far, shown = windows_of(image), []

    def far_sighted(levels: np.ndarray) -> list[Landmarks]:
        shown.append(levels.shape)
        return landmarker(levels) if len(shown) <= far else []

    people = detect_people(image, far_sighted)
    assert len(shown) > far
    assert len(people) == 3
    for person in people:
        mask = person.mask() > 0.5
        assert max((mask & one).sum() / (mask | one).sum() for one in image > 0.0) > 0.9


def test_whom_a_crop_cuts_off_is_looked_for_around_what_it_shows(crowd):
    image, landmarker = crowd
    far, shown = windows_of(image), []

    def upper_parts(levels: np.ndarray) -> list[Landmarks]:
        """See everybody without their shanks from far."""
        shown.append(levels.shape)
        found = landmarker(levels)
        if len(shown) > far:
            return found
        parts = []
        for one in found:
            rows = np.nonzero(one.mask.any(1))[0]
            knees = rows[0] + 0.7 * len(rows)
            points = one.image.copy()
            points[points[:, 1] > knees, 2] = 0.0
            mask = one.mask * (np.arange(len(one.mask)) < knees)[:, None]
            parts.append(replace(one, image=points, mask=mask))
        return parts

    areas, wanted = (
        [int((one.mask() > 0.5).sum()) for one in detect_people(image, seeing)]
        for seeing in (upper_parts, landmarker)
    )
    np.testing.assert_allclose(areas, wanted, rtol=0.02)


def test_a_raw_person_has_the_mask_and_the_size_of_the_image(crowd):
    raw = detect_people(*crowd)[0].raw()
    assert raw.image_size == SIZE
    assert raw.mask is not None and raw.mask.shape == SIZE
    assert raw.points.shape == (33, 3) and raw.world is not None


def test_pixels_belong_to_the_one_they_are_likelier_of(crowd):
    first, second, *_ = detect_people(*crowd)
    assert not (first.without([first]).crop_mask != first.crop_mask).any()
    taken = first.without([second])
    assert ((taken.mask() > 0.5) & (second.mask() > 0.5)).sum() == 0
