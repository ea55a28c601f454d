"""A posed body from any file: parameters, a motion, or a mesh that a body is fitted to."""

from dataclasses import dataclass
from pathlib import Path

from ..body.model import BodyModel
from ..body.params import HumanParams
from ..errors import ParamsError
from ..files.bvh_text import Bvh
from ..files.glb_animations import frame_rate
from ..files.glb_skins import GlbSkins
from ..files.meshes import SUFFIXES as MESHES
from ..files.meshes import posed_vertices, read_moving
from ..register.surface import Unit, Up
from .body_family import convert_betas
from .bvh import MOTION
from .read import people_as, read_params
from .track import Source


@dataclass(frozen=True, kw_only=True, eq=False)
class PosedFile:
    """One person of a file, and the body that it poses."""

    params: HumanParams
    body: BodyModel
    """The body that `params` pose: the one at hand, or that of the file's own mesh."""
    notes: tuple[str, ...] = ()
    """Of a mesh: what was assumed, and how well the body fits."""


def is_mesh(path: Path) -> bool:
    """Recognise meshes by their suffix."""
    return path.suffix.lower() in MESHES


def read_posed(
    path: Path,
    body: BodyModel,
    *,
    frame: int | None = 0,
    person: int | None = 0,
    format: str | None = None,
    image_size: tuple[int, int] | None = None,
    unit: Unit = "auto",
    up: Up = "auto",
    keep_betas: bool = False,
) -> PosedFile:
    """Read one person from a parameter file, a motion or a mesh.

    Args:
        path: of any kind.
        body: that parameters are posed on, and that is fitted to meshes.
        frame: which frame, from 0; None for all. Frames of a GLB's animations are numbered one
            animation after the other.
        person: which person, from 0; None for the only one.
        format: of a parameter file, where its content alone would be taken for another.
        image_size: height and width, pixels, for parameter files that do not hold it.
        unit: of a mesh's numbers.
        up: the axis of a mesh that points up.
        keep_betas: leave the betas of another body as they are; `body` cannot pose them then.

    Raises:
        ParamsError: the file is no parameter file, or has no such frame or person.
        MeshError: the file is a mesh that cannot be read or shows no person.
    """
    if not is_mesh(path):
        params = read_params(
            path,
            format=format,
            frame=frame,
            person=person,
            image_size=image_size,
            body=body,
        )
        return PosedFile(params=params if keep_betas else convert_betas(params, body), body=body)
    moving = read_moving(path)
    if isinstance(moving, Bvh):
        source = Source(path=path, content=moving, image_size=image_size, body=body)
        params = people_as(MOTION, source).params(frame, person)
        return PosedFile(params=params if keep_betas else convert_betas(params, body), body=body)
    from ..register.registration import register_file

    count = max(moving.frames, 1) if moving is not None else 1
    if person or (frame or 0) >= count:
        raise ParamsError(
            f"{path.name} is a mesh: it shows one person in {count} frame(s), numbered from 0; "
            f"frame {frame or 0} of person {person or 0} was asked for."
        )
    found = register_file(path, body, unit=unit, up=up)
    params, notes = found.params, found.notes
    if moving is not None and moving.clips:
        from ..register.follow_mesh import follow

        wanted = range(count) if frame is None else [frame]
        vertices = (posed_vertices(moving, path.name, one) for one in wanted)
        params = follow(found, vertices, frame_rate(moving.clips))
        notes = (*notes, f"{path.name} is animated: {_describe(moving)}; {_said(frame)}.")
    return PosedFile(params=params, body=found.body, notes=notes)


def _describe(skins: GlbSkins) -> str:
    """List the clips with their frames."""
    starts = [0]
    for clip in skins.clips:
        starts.append(starts[-1] + len(clip.times))
    return ", ".join(
        f"{clip.name!r} has frames {start} to {stop - 1}"
        for clip, start, stop in zip(skins.clips, starts, starts[1:], strict=False)
    )


def _said(frame: int | None) -> str:
    return "all are read" if frame is None else f"frame {frame} is read"
