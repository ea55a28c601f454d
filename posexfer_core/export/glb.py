"""A posed body as a binary glTF 2.0 file, which any 3D viewer opens.

The file's frame is glTF's: y up, z towards the viewer, metres; the feet stand on y = 0 and the
pelvis above the origin, turned as the camera saw it.
"""

import math
from typing import Any

from jaxtyping import Float
from torch import Tensor

from ..body.view import BodyView
from ..geometry.normals import vertex_normals
from .gltf import GltfArrays, body_mesh, skin_material


def standing_vertices(view: BodyView) -> Float[Tensor, "batch vertices 3"]:
    """Bring vertices to glTF's frame, feet on the floor and pelvis above the origin."""
    flip = view.vertices.new_tensor([1.0, -1.0, -1.0])
    vertices, pelvis = view.vertices * flip, view.joints[:, :1] * flip
    floor = vertices[..., 1].amin(dim=1)
    origin = pelvis[:, 0].clone()
    origin[:, 1] = floor
    return vertices - origin[:, None]


def glb_bytes(view: BodyView) -> bytes:
    """Write the first body as the content of a `.glb` file."""
    vertices = standing_vertices(view)[0]
    normals = vertex_normals(vertices[None], view.faces)[0]
    arrays = GltfArrays()
    return arrays.glb(
        {
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0, "name": "body"}],
            "meshes": [body_mesh(arrays, vertices, normals, view.faces)],
            "materials": [skin_material()],
        }
    )


def viewer_camera(view: BodyView) -> dict[str, Any]:
    """Describe the first body's camera as 3D viewers do, in the frame of `standing_vertices`.

    Returns:
        `position` and `target` (the pelvis's distance ahead) as {x, y, z}, metres; `fov`, vertical,
        degrees; `zoom` 1 and `cameraType`.
    """
    depth, floor = float(view.joints[0, 0, 2]), -float(view.vertices[0, :, 1].max())
    position = {"x": -float(view.joints[0, 0, 0]), "y": -floor, "z": depth}
    focal_px = float(view.intrinsics[0, 1, 1])
    return {
        "position": position,
        "target": {**position, "z": 0.0},
        "zoom": 1,
        "cameraType": "perspective",
        "fov": math.degrees(2.0 * math.atan2(view.size[0] / 2.0, focal_px)),
    }
