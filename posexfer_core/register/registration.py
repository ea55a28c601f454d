"""Registration: fit the body to a mesh, check the residual, make a posable body of the mesh."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from ..body.joints import JOINT_NAMES
from ..body.model import BodyModel
from ..body.params import HumanParams
from ..errors import MeshError
from ..fit.pose_prior import PosePrior
from ..geometry.camera_conversions import UP, front_view
from ..geometry.closest_points import Closest, closest_points
from ..geometry.normals import vertex_normals
from ..geometry.point_clouds import OrientedPoints, outward_faces, sample_surface
from ..geometry.so3 import log_map
from .icp import Fitted
from .same_topology import KnownMesh, own_places, same_topology
from .search import fit_unknown
from .surface import Surface, Unit, Up, load_surface
from .transfer_rig import transfer_skinning

MESH_POINTS, JUDGING_POINTS = 12_000, 4_000
LIMIT_MEAN_MM, LIMIT_P95_MM = 30.0, 110.0
"""Beyond either, the mesh is no body, or one in a pose that was not found."""
STRAIGHT = 0.85
"""Cosine up to which spine and legs lean in people who stand straight."""
LEGS = [JOINT_NAMES.index(f"{side}_{joint}") for side in "lr" for joint in ("hip", "knee")]
LIMIT_BEYOND_DEG = 30.0
"""How far a joint may be beyond human limits: at most 20 in four characters that were found
rightly, 34 in one that was laid on back to front."""
ONE_PERSON = (
    "Expected one whole person, without furniture or pedestal.\n"
    "Cut away what is not the person; give unit and up axis if they are unusual."
)


@dataclass(frozen=True, kw_only=True)
class Residual:
    """How far the fitted body lies from the mesh, both ways taken together."""

    mean_mm: float
    p95_mm: float

    def __str__(self) -> str:
        return f"{self.mean_mm:.1f} mm on average, {self.p95_mm:.1f} mm at the 95th percentile"


@dataclass(frozen=True, kw_only=True, eq=False)
class Registration:
    """A mesh whose pose, shape and every vertex's place on the body are known."""

    params: HumanParams
    """Pose and shape in the mesh's own axes, with a camera in front of the person. They bring the
    fitted body near the mesh, and `body` exactly onto it."""
    body: BodyModel
    """Of the mesh's own topology, posable, with the betas of the body that was fitted."""
    residual: Residual
    known: bool
    """Whether the mesh has the very topology of the body that was fitted."""
    up: Up
    """The mesh's axis that points up."""
    metres_per_unit: float
    """What the mesh's numbers were multiplied by, its fitted scale included."""
    notes: tuple[str, ...]
    """What was assumed, and how well it fits; a sentence each."""


def register_file(
    path: Path | str, body: BodyModel, *, unit: Unit = "auto", up: Up = "auto"
) -> Registration:
    """Read a mesh file and register it; see `surface.load_surface` and `register`."""
    return register(load_surface(path, unit=unit, up=up), body, name=Path(path).name)


def register(surface: Surface, body: BodyModel, *, name: str = "the mesh") -> Registration:
    """Fit a body to a mesh: pose, shape, place and, where the unit is not known, scale.

    Raises:
        MeshError: the mesh is no body, or is in a pose that was not found.
    """
    faces = outward_faces(surface.vertices, surface.faces)
    mesh = sample_surface(surface.vertices, faces, MESH_POINTS)
    known = same_topology(body, len(surface.vertices), faces)
    fitted = KnownMesh(body).fit(surface.vertices) if known else fit_unknown(body, surface, mesh)
    if not known:
        _check_limits(fitted.pose.rotations, name)
    posed = _Posed.of(body, fitted)
    scale = float(fitted.scale[0])
    vertices = surface.vertices * scale
    residual = posed.residual(vertices, faces)
    _check_residual(residual, name)
    closest = own_places(faces, len(vertices)) if known else posed.closest(vertices, faces)
    up, doubts = _up(fitted.pose.rotations[0], surface)
    return Registration(
        params=placed_params(body, fitted.pose.rotations, posed.betas, fitted.pose.transl, up),
        body=transfer_skinning(
            body, posed.rotations, posed.betas, posed.transl, vertices, faces, closest
        ),
        residual=residual,
        known=known,
        up=up,
        metres_per_unit=surface.metres_per_unit * scale,
        notes=(
            *surface.notes,
            *doubts,
            f"{name}: {up} is up; the body lies {residual} from the mesh.",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Posed:
    """The body that was fitted, whole."""

    rotations: Float[Tensor, "1 24 3 3"]
    betas: Float[Tensor, "1 10"]
    transl: Float[Tensor, "1 3"]
    vertices: Float[ndarray, "vertices 3"]
    normals: Float[ndarray, "vertices 3"]
    faces: Int[ndarray, "faces 3"]

    @classmethod
    def of(cls, body: BodyModel, fitted: Fitted) -> "_Posed":
        """Pose the body; `fitted` holds one."""
        pose = fitted.pose
        rotations, betas, transl = (
            torch.from_numpy(array).to(body.v_template)
            for array in (pose.rotations, pose.betas, pose.transl)
        )
        with torch.no_grad():
            geometry = body(rotations, betas, transl)
            normals = vertex_normals(geometry.vertices, body.faces)
        return cls(
            rotations=rotations.cpu(),
            betas=betas.cpu(),
            transl=transl.cpu(),
            vertices=geometry.vertices[0].double().cpu().numpy(),
            normals=normals[0].double().cpu().numpy(),
            faces=body.faces.cpu().numpy(),
        )

    def closest(
        self, vertices: Float[ndarray, "others 3"], faces: Int[ndarray, "other_faces 3"]
    ) -> Closest:
        """Find every vertex of a mesh on this body."""
        normals = vertex_normals(torch.from_numpy(vertices)[None], torch.from_numpy(faces.copy()))
        wanted = OrientedPoints(points=vertices, normals=normals[0].numpy())
        return closest_points(wanted, self.vertices, self.normals, self.faces)

    def residual(
        self, vertices: Float[ndarray, "others 3"], faces: Int[ndarray, "other_faces 3"]
    ) -> Residual:
        """Measure from points all over the mesh to this skin, and from this skin to the mesh."""
        mesh = sample_surface(vertices, faces, JUDGING_POINTS)
        skin = sample_surface(self.vertices, self.faces, JUDGING_POINTS)
        normals = vertex_normals(torch.from_numpy(vertices)[None], torch.from_numpy(faces.copy()))
        there = closest_points(mesh, self.vertices, self.normals, self.faces)
        back = closest_points(skin, vertices, normals[0].numpy(), faces)
        gaps = 1000.0 * np.concatenate([there.distance, back.distance])
        return Residual(mean_mm=float(gaps.mean()), p95_mm=float(np.percentile(gaps, 95)))


def _check_residual(residual: Residual, name: str) -> None:
    if residual.mean_mm > LIMIT_MEAN_MM or residual.p95_mm > LIMIT_P95_MM:
        raise MeshError(
            f"{name} is not recognised as one person: the nearest body lies {residual} from it "
            f"(at most {LIMIT_MEAN_MM:.0f} and {LIMIT_P95_MM:.0f} mm).\n{ONE_PERSON}"
        )


def _check_limits(rotations: Float[ndarray, "1 24 3 3"], name: str) -> None:
    excess = np.degrees(PosePrior().beyond_limits(rotations)[0])
    if excess.max() > LIMIT_BEYOND_DEG:
        joint = JOINT_NAMES[1 + int(excess.argmax())]
        raise MeshError(
            f"{name} is not recognised as one person: {joint} of the nearest body is bent by "
            f"{excess.max():.0f} degrees more than people can (at most {LIMIT_BEYOND_DEG:.0f}).\n"
            f"{ONE_PERSON}"
        )


def _up(rotations: Float[ndarray, "24 3 3"], surface: Surface) -> tuple[Up, list[str]]:
    """Name the axis that points up, with what had to be assumed.

    It is the one nearest to the spine. In files whose standard has another axis up people may lie,
    but who stands straight, as characters at rest, is taken for upright.
    """
    if surface.up != "auto":
        return surface.up, []
    along = {axis: float(rotations[0, :, 1] @ np.array(vector)) for axis, vector in UP.items()}
    nearest: Up = max(along, key=along.__getitem__)  # pyright: ignore[reportAssignmentType]
    standard = surface.standard_up
    if standard in (None, nearest):
        return nearest, []
    if min(along[nearest], rotations[LEGS, 1, 1].min()) < STRAIGHT:
        return standard, []
    return nearest, [
        f"The file's kind has {standard} up, but the body stands straight along {nearest}, which "
        f"was taken for up; where it lies, give {standard} (--mesh-up {standard})."
    ]


def placed_params(
    body: BodyModel,
    rotations: Float[ndarray, "frames 24 3 3"],
    betas: Float[Tensor, "frames 10"],
    transl: Float[ndarray, "frames 3"],
    up: Up,
) -> HumanParams:
    """Put a person before a camera that looks at the front, in all frames."""
    rest = body.rest(betas.to(body.v_template))[1][:, 0].double().cpu().numpy()
    pose = log_map(rotations)
    (intrinsics, size), camera = front_view(pose[:, 0], rest + transl, up, None)
    return HumanParams(
        pose=_tensor(pose)[:, None],
        betas=betas[:, None].float().cpu(),
        transl=_tensor(transl)[:, None],
        intrinsics=_tensor(intrinsics),
        image_size=size,
        camera_from_world=_tensor(camera),
        beta_space=body.beta_space,
    )


def _tensor(array: ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))
