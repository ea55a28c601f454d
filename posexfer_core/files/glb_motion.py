"""The motion of a GLB file that holds an animated skeleton and no skin, as exporters write it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from .bvh_text import MOST_NUMBERS, Bvh
from .glb_animations import frame_rate, read_clips
from .glb_nodes import GlbAccessors, parents_of, world_matrices


def read_motion(data: bytes, document: Mapping[str, Any]) -> Bvh | None:
    """Read the nodes as the joints of a skeleton; None where nothing moves.

    Turns are measured from the nodes at rest, so that the identity is the rest pose, and offsets
    are in the file's axes. Clips follow each other.
    """
    nodes = document.get("nodes", [])
    if not document.get("animations") or any("uri" in one for one in document["buffers"]):
        return None
    clips = read_clips(document, GlbAccessors(data, document).array, set(range(len(nodes))))
    if not clips:
        return None
    frames = sum(len(clip.times) for clip in clips)
    if frames * len(nodes) * 16 > MOST_NUMBERS:
        raise ValueError(f"{frames} frames of {len(nodes)} nodes are too many")
    order, parents = _tree(nodes)
    rest = world_matrices(nodes)[order]
    moved = np.stack(
        [
            world_matrices(clip.moved(nodes, frame))[order]
            for clip in clips
            for frame in range(len(clip.times))
        ]
    )
    turns = _rotations(moved) @ _rotations(rest).swapaxes(-1, -2)
    places, offsets = moved[..., :3, 3].copy(), rest[:, :3, 3].copy()
    rotations, positions = turns.copy(), places.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            above = turns[:, parent].swapaxes(-1, -2)
            rotations[:, joint] = above @ turns[:, joint]
            positions[:, joint] = (above @ (places[:, joint] - places[:, parent])[..., None])[
                ..., 0
            ]
            offsets[joint] = rest[joint, :3, 3] - rest[parent, :3, 3]
    return Bvh(
        names=[str(nodes[at].get("name", at)) for at in order],
        parents=parents,
        offsets=offsets,
        positions=positions,
        rotations=rotations,
        frame_time=1.0 / (frame_rate(clips) or 30.0),
    )


def _tree(nodes: list[Mapping[str, Any]]) -> tuple[list[int], list[int]]:
    """Order the nodes so that parents come first; return the order, and the parents in it."""
    above = parents_of(nodes)
    order = [at for at in range(len(nodes)) if at not in above]
    for at in order:  # grows while it is read; every node comes once, under its one parent
        children = dict.fromkeys(int(child) for child in nodes[at].get("children", []))
        order += [child for child in children if above[child] == at]
    place = {at: row for row, at in enumerate(order)}
    return order, [place[above[at]] if at in above else -1 for at in order]


def _rotations(matrices: Float[ndarray, "*batch 4 4"]) -> Float[ndarray, "*batch 3 3"]:
    """Strip scales; a joint that is scaled to nothing is not turned."""
    left, size, right = np.linalg.svd(matrices[..., :3, :3])
    turn = left @ right
    turn[..., :, :] *= np.sign(np.linalg.det(turn))[..., None, None]
    return np.where((size[..., -1] > 1e-9)[..., None, None], turn, np.eye(3))
