"""Time the maps of the bundled body at 512x512 on one core, beside trimesh's ray caster.

Run from the root of the repository: `python -m tests.benchmarks.rasterizer`.
"""

import logging
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from posexfer_core.body.model import BodyModel
from posexfer_core.geometry.camera import intrinsics_matrix
from posexfer_core.geometry.normals import vertex_normals
from posexfer_core.geometry.rasterize import Visibility, interpolate
from posexfer_core.geometry.rotations import axis_angle_to_matrix
from tests.posexfer_core.geometry.backends import rasterize_by

SIZE = (512, 512)
log = logging.getLogger(__name__)


def standing_body(body: BodyModel) -> Tensor:
    """Pose the body with its arms down, upright before the camera and filling the image."""
    axis_angle = torch.zeros(1, 24, 3)
    axis_angle[0, 0] = torch.tensor([torch.pi, 0.0, 0.3])
    axis_angle[0, 16, 2], axis_angle[0, 17, 2] = -1.0, 1.0
    with torch.no_grad():
        geometry = body(axis_angle_to_matrix(axis_angle), torch.zeros(1, 10), torch.zeros(1, 3))
    vertices = geometry.vertices
    middle = (vertices.amin(1, keepdim=True) + vertices.amax(1, keepdim=True)) / 2
    return vertices - middle + torch.tensor([0.0, 0.0, 2.6])


def draw_maps(
    vertices: Tensor, faces: Tensor, canonical: Tensor, intrinsics: Tensor, backend: str
) -> tuple[Visibility, Tensor, Tensor]:
    """Make depth and mask (one pass), normals and canonical positions (one look-up)."""
    seen = rasterize_by(backend, vertices, faces, intrinsics, SIZE)
    attributes = torch.cat([vertex_normals(vertices, faces), canonical[None]], dim=-1)
    return seen, seen.mask, interpolate(seen, faces, attributes)


def cast_rays(vertices: Tensor, faces: Tensor, intrinsics: Tensor) -> Callable[[], np.ndarray]:
    """Prepare trimesh's embree caster for the first hit of every pixel, the scene included."""
    import trimesh
    from trimesh.ray.ray_pyembree import RayMeshIntersector

    row, column = torch.meshgrid(*(torch.arange(side) + 0.5 for side in SIZE), indexing="ij")
    pixels = torch.stack([column, row, torch.ones_like(row)], dim=-1).reshape(-1, 3)
    rays = (pixels @ torch.linalg.inv(intrinsics[0]).T).numpy()
    origins = np.zeros_like(rays)

    def first_hits() -> np.ndarray:
        mesh = trimesh.Trimesh(vertices[0].numpy(), faces.numpy(), process=False)
        return RayMeshIntersector(mesh, scale_to_box=False).intersects_first(origins, rays)

    return first_hits


def milliseconds(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Give the median and the least time of some runs after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times), min(times)


def main() -> None:
    """Log one line for each way."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    body = BodyModel.bundled()
    vertices, faces, canonical = standing_body(body), body.faces, body.canonical
    camera = intrinsics_matrix(1.25 * SIZE[0], SIZE)[None]
    seen = rasterize_by("numba", vertices, faces, camera, SIZE)
    rays = cast_rays(vertices, faces, camera)
    covered = seen.mask.sum().item()
    log.info(
        "%d vertices, %d faces, %d of %d pixels covered; one core",
        vertices.shape[1], len(faces), covered, SIZE[0] * SIZE[1],
    )  # fmt: skip
    agreed = ((rays() >= 0) == seen.mask.flatten().numpy()).mean()
    log.info("trimesh's rays agree on the silhouette at %.3f%% of the pixels", 100 * agreed)
    medians = {}
    for name, repeats, work in (
        ("numba", 100, lambda: draw_maps(vertices, faces, canonical, camera, "numba")),
        ("torch", 10, lambda: draw_maps(vertices, faces, canonical, camera, "torch")),
        ("trimesh with embree, first hit only", 5, rays),
    ):
        medians[name], least = milliseconds(work, repeats)
        log.info("%-36s median %8.2f ms   least %8.2f ms", name, medians[name], least)
    ratio = medians["trimesh with embree, first hit only"] / medians["numba"]
    log.info("numba draws depth, mask, normals, canonical xyz %.0f times as fast as rays", ratio)


if __name__ == "__main__":
    main()
