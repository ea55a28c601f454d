"""Resampling of one body's surface at the vertices of another topology."""

from dataclasses import replace

import numpy as np
import torch
from einops import einsum

from ..body.view import BodyView
from ..geometry.normals import vertex_normals


def same_topology(one: BodyView, other: BodyView) -> bool:
    """Tell whether two views' vertices and faces name the same places of the skin."""
    return (
        one.faces.shape == other.faces.shape
        and one.canonical.shape == other.canonical.shape
        and bool((one.faces == other.faces).all())
    )


def on_topology_of(view: BodyView, other: BodyView) -> BodyView:
    """Show the body of `view` with the vertices, faces and parts of `other`.

    Every vertex of `other` goes to the place of `view`'s skin that has its canonical coordinates:
    the closest place of the two rest bodies. A view of the same topology stays as it is.
    """
    if same_topology(view, other):
        return view
    from ..geometry.closest_points import closest_points
    from ..geometry.point_clouds import OrientedPoints

    wanted, rest = (
        OrientedPoints(points=one.canonical.double().numpy(force=True), normals=_rest_normals(one))
        for one in (other, view)
    )
    faces = view.faces.numpy(force=True)
    found = closest_points(wanted, rest.points, rest.normals, faces)
    corners = torch.from_numpy(faces[found.face]).to(view.vertices.device)
    weights = torch.from_numpy(found.barycentric).to(view.vertices)
    vertices = einsum(
        weights, view.vertices[:, corners], "v corner, batch v corner xyz -> batch v xyz"
    )
    return replace(
        view,
        vertices=vertices,
        faces=other.faces.to(view.faces),
        canonical=other.canonical.to(view.canonical),
        parts=other.parts.to(view.parts),
        keypoint_vertices=other.keypoint_vertices,
        detail_regressors=other.detail_regressors,
    )


def _rest_normals(view: BodyView) -> np.ndarray:
    """Give the normals of the rest body, where its skin lies in canonical coordinates."""
    normals = vertex_normals(view.canonical[None].cpu(), view.faces.cpu())
    return normals[0].double().numpy()
