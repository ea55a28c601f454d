"""Body parameters from files of any known format, recognised by their content."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..body.model import BodyModel
from ..body.params import FORMAT as OWN
from ..body.params import HumanParams
from ..errors import ParamsError
from ..files.archive import plain_arrays
from ..files.containers import describe, read_container
from ..files.fields import as_text
from ..files.pickles import DAMAGE
from . import (
    bvh,
    fitted,
    hmr,
    joint_motions,
    meshcapade_mcs,
    meshcapade_smpl,
    mocap,
    romp,
    scenes,
    smplx_layers,
    video,
    weak_perspective,
)
from .format import Format, Person
from .track import Source
from .unknown import unknown_file

logger = logging.getLogger(__name__)

FORMATS: tuple[Format, ...] = (
    *hmr.FORMATS,
    *meshcapade_mcs.FORMATS,
    *meshcapade_smpl.FORMATS,
    *weak_perspective.FORMATS,
    *romp.FORMATS,
    *video.FORMATS,
    *scenes.FORMATS[:3],  # 3DPW, Multi-HMR and SMPLify-X, whose keys are theirs alone
    *mocap.FORMATS,
    *scenes.FORMATS[3:],
    *fitted.FORMATS,
    *smplx_layers.FORMATS,
    *bvh.FORMATS,
    *joint_motions.FORMATS,
)
"""Every format, the ones with the rarest keys first: the first that matches is used."""
NAMES = ("posexfer", *(one.name for one in FORMATS))


def read_params(
    path: Path | str,
    *,
    format: str | None = None,
    frame: int | None = None,
    person: int | None = 0,
    image_size: tuple[int, int] | None = None,
    body: BodyModel | None = None,
) -> HumanParams:
    """Read one person from a body parameter file of ours or of another tool.

    What had to be assumed is logged as a warning. The betas keep the name of the body they were
    made for (`beta_space`); `body_family.convert_betas` gives the parameters to the body at hand.

    Args:
        path: the file.
        format: a name in `NAMES`, where the content alone would be taken for something else.
        frame: which frame of this person, counted from 0; all of them when left out.
        person: which person, counted from 0 in the file's order; None for the only one.
        image_size: `(height, width)` in pixels of the image the file is about; used where the
            file does not hold it.
        body: the user's own body of the file's family, where there is one: some files place the
            pelvis, which is then turned into a translation exactly.

    Raises:
        ParamsError: the file is missing, damaged, unknown, asks to run code, has no such person
            or frame, or holds numbers that cannot be meant.
    """
    people = read_people(path, format=format, image_size=image_size, body=body)
    return people.params(frame, person)


def read_people(
    path: Path | str,
    *,
    format: str | None = None,
    image_size: tuple[int, int] | None = None,
    body: BodyModel | None = None,
) -> "FilePeople":
    """Open a body parameter file of everyone in it; arguments and errors are `read_params`'s."""
    path = Path(path)
    if format is not None and format not in NAMES:
        raise ParamsError(f"There is no format {format!r}; known are {', '.join(NAMES)}.")
    if image_size is not None and min(image_size) < 1:
        raise ParamsError(f"image_size is {image_size}, expected (height, width) in pixels.")
    content = read_container(path)
    if format == NAMES[0] or (format is None and _is_own(content)):
        logger.info("%s is read as %s.", path.name, NAMES[0])
        whole = HumanParams.from_arrays(plain_arrays(content, path.name), path.name)
        own = [_OwnPerson(whole, number) for number in range(whole.persons)]
        return FilePeople(people=own, name=path.name)
    with np.errstate(all="ignore"):  # as in `_read_as`
        known = _recognise(content, path.name, format)
    logger.info("%s is read as %s (%s).", path.name, known.name, known.title)
    return people_as(known, Source(path=path, content=content, image_size=image_size, body=body))


def people_as(known: Format, source: Source) -> "FilePeople":
    """Read the people of a file by one format.

    Raises:
        ParamsError: the content cannot be used.
    """
    with _read_as(known, source):
        people = known.read(source)
    return FilePeople(people=people, name=source.path.name, reading=lambda: _read_as(known, source))


@dataclass(frozen=True, kw_only=True)
class FilePeople:
    """Everyone in a file, in its order."""

    people: Sequence[Person]
    name: str
    """Of the file."""
    reading: Callable[[], AbstractContextManager[None]] = nullcontext
    """What explains errors."""

    def params(self, frame: int | None, person: int | None) -> HumanParams:
        """Give one person's parameters, and log what the reader had to assume.

        Raises:
            ParamsError: there is no such person or frame, or the content cannot be used.
        """
        with self.reading():
            one = self.people[_number(person, len(self.people), self.name)]
            params = one.params(frame, self.name)
        for note in dict.fromkeys(one.notes):
            logger.warning(note)
        return params

    def others(self, person: int) -> list[HumanParams]:
        """Give the first frame of everyone but one; a warning names who cannot be read."""
        found = []
        for number, one in enumerate(self.people):
            try:
                if number != person:
                    with self.reading():
                        found.append(one.params(0, self.name))
            except ParamsError as error:
                logger.warning("Person %d is left out: %s", number, error)
        return found


@dataclass(frozen=True)
class _OwnPerson:
    """A person of a file of ours."""

    whole: HumanParams
    number: int

    @property
    def notes(self) -> list[str]:
        """Nothing is assumed."""
        return []

    def params(self, frame: int | None, name: str) -> HumanParams:
        """Pick this person."""
        return self.whole.select(frame, self.number)


@contextmanager
def _read_as(known: Format, source: Source) -> Iterator[None]:
    """Say in errors as what a file was read."""
    try:
        with np.errstate(all="ignore"):  # what is not finite is found, and named, in the end
            yield
    except ParamsError as error:
        raise ParamsError(f"Read as {known.title}: {error}") from error
    except (RuntimeError, *DAMAGE) as error:
        raise ParamsError(
            f"{source.path.name} looks like {known.title}, but its content cannot be used "
            f"({type(error).__name__}: {str(error)[:160]}). It holds "
            f"{describe(source.content)[:400]}."
        ) from error


def _is_own(content: object) -> bool:
    return isinstance(content, dict) and as_text(content.get("format")) == OWN


def _recognise(content: object, name: str, wanted: str | None) -> Format:
    """Find the format that was asked for, or the first whose keys are there."""
    for known in FORMATS:
        if wanted == known.name or (wanted is None and known.matches(content)):
            return known
    raise unknown_file(name, content, FORMATS)


def _number(person: int | None, count: int, name: str) -> int:
    """Check a person's number; where none is given, the file must hold one person."""
    if person is None and count == 1:
        return 0
    if person is None or not 0 <= person < count:
        asked = "which one was not said" if person is None else f"there is no person {person}"
        raise ParamsError(f"{name}: {asked}; the file holds {count}, counted from 0.")
    return person
