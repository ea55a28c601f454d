"""What is known of the people in one image."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from jaxtyping import Bool
from numpy import ndarray

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..errors import KeypointsError, ParamsError
from .joints3d import Joints3D
from .keypoint_placement import MIDPOINTS, known_names
from .keypoints import FAINTEST, FEWEST, Keypoints

Person = TypeVar("Person")


@dataclass(frozen=True, kw_only=True, eq=False)
class Observation:
    """What is known of one person in one image."""

    keypoints: Keypoints
    joints: Joints3D | None = None
    """3D joints of another estimator."""
    focal_px: float | None = None
    """Focal length of the image; its diagonal when left out."""
    start: HumanParams | None = None
    """Bodies to start from as well, such as `regress_body` returns."""
    mask: Bool[ndarray, "height width"] | None = None
    """Where in the image the person is, from `masks.check_mask`; tells how wide it is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameObservations:
    """The people of one frame, in the order of their file."""

    people: list[Observation | KeypointsError]
    """The error says why a person cannot be used."""
    name: str
    """Of the file or value, for errors."""

    @classmethod
    def of(
        cls, people: Iterable[Person], observe: Callable[[Person], Observation], *, name: str
    ) -> "FrameObservations":
        """Observe each person; errors get the person's number and the file's name."""
        found: list[Observation | KeypointsError] = []
        for number, person in enumerate(people):
            try:
                found.append(observe(person))
            except (KeypointsError, ParamsError) as error:
                found.append(KeypointsError(f"person {number} of {name}: {error}"))
        return cls(people=found, name=name)

    def person(self, number: int) -> Observation:
        """Return one person by its number, from 0.

        Raises:
            KeypointsError: there is no such person, or it cannot be used.
        """
        if not self.people:
            raise KeypointsError(
                f"no person is found in {self.name}; use an image in which one is found."
            )
        if not 0 <= number < len(self.people):
            raise KeypointsError(
                f"person {number} was asked for, but there are {len(self.people)} in {self.name}, "
                "numbered from 0."
            )
        found = self.people[number]
        if isinstance(found, KeypointsError):
            raise found
        return found

    def usable(self) -> list[Observation]:
        """Return everyone who can be used."""
        return [person for person in self.people if isinstance(person, Observation)]

    def without(self, number: int) -> list[Observation]:
        """Return everyone who can be used but one."""
        return replace(self, people=[*self.people[:number], *self.people[number + 1 :]]).usable()


def usable_keypoints(keypoints: Keypoints, body: BodyModel) -> Keypoints:
    """Keep seen keypoints that the body has; drop midpoints of two others that are there.

    Raises:
        KeypointsError: too few are left.
    """
    confidence = dict(zip(keypoints.names, keypoints.confidence, strict=True))
    names = [name for name in known_names(body, keypoints.names) if confidence[name] > FAINTEST]
    names = [name for name in names if not set(MIDPOINTS.get(name, (name + "?",))) <= set(names)]
    if len(names) < FEWEST:
        raise KeypointsError(
            f"Only {len(names)} keypoints of use are seen ({', '.join(names) or 'none'}); a fit "
            f"needs at least {FEWEST}."
        )
    return keypoints.only(names)
