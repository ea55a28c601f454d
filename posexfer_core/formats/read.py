"""Body parameters from files of any known format, recognised by their content."""

import logging
from collections.abc import Sequence
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
    path = Path(path)
    if format is not None and format not in NAMES:
        raise ParamsError(f"There is no format {format!r}; known are {', '.join(NAMES)}.")
    if image_size is not None and min(image_size) < 1:
        raise ParamsError(f"image_size is {image_size}, expected (height, width) in pixels.")
    content = read_container(path)
    if format == NAMES[0] or (format is None and _is_own(content)):
        logger.info("%s is read as %s.", path.name, NAMES[0])
        params = HumanParams.from_arrays(plain_arrays(content, path.name), path.name)
        return params.select(frame, _number(person, params.persons, path.name))
    with np.errstate(all="ignore"):  # as in `read_as`
        known = _recognise(content, path.name, format)
    logger.info("%s is read as %s (%s).", path.name, known.name, known.title)
    source = Source(path=path, content=content, image_size=image_size, body=body)
    return read_as(known, source, frame, person)


def read_as(known: Format, source: Source, frame: int | None, person: int | None) -> HumanParams:
    """Read a person by one format.

    Raises:
        ParamsError: there is no such person or frame, or the content cannot be used.
    """
    try:
        with np.errstate(all="ignore"):  # what is not finite is found, and named, in the end
            return _choose(known.read(source), source.path.name, frame, person)
    except ParamsError as error:
        raise ParamsError(f"Read as {known.title}: {error}") from error
    except (RuntimeError, *DAMAGE) as error:
        raise ParamsError(
            f"{source.path.name} looks like {known.title}, but its content cannot be used "
            f"({type(error).__name__}: {str(error)[:160]}). It holds "
            f"{describe(source.content)[:400]}."
        ) from error


def _choose(
    people: Sequence[Person], name: str, frame: int | None, person: int | None
) -> HumanParams:
    """Return one person's parameters, and log what the reader had to assume."""
    one = people[_number(person, len(people), name)]
    params = one.params(frame, name)
    for note in dict.fromkeys(one.notes):
        logger.warning(note)
    return params


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
