"""Anny as a body: a fine mesh of all ages and builds, where the package `anny` is installed.

Anny (arXiv:2511.03589) is Apache-2.0, its MakeHuman assets CC0; it brings 104 bones and shapes
that are blended, not added. Here it is turned into a body like SMPL: 24 joints, a T-pose, and one
shape direction for each of Anny's own numbers, straight through the grown-up in their middle.
"""

import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..conventions import BETA_COUNT
from ..errors import BodyFileError
from ..geometry.so3 import swing
from .joints import JOINT_NAMES, PARENTS
from .model import BodyModel, canonical_places, joint_transforms, skin

PHENOTYPES = ("gender", "age", "muscle", "weight", "height", "proportions")
"""What the first six betas turn; the other four do nothing."""
ADULT = {"age": 0.67}
"""Anny's numbers run from 0 to 1, and are 0.5 where not given here."""
PHENOTYPE_STEP = 0.1
"""How far one unit of a beta turns one of Anny's numbers."""
REGRESSED_FROM = 40
"""Vertices that a joint is regressed from."""
BONES = {
    "pelvis": ("root", "pelvis"),
    "hip": ("upperleg",),
    "knee": ("lowerleg",),
    "ankle": ("foot",),
    "foot": ("toe2-1", "toe"),
    "spine1": ("spine04", "spine05"),
    "spine2": ("spine03",),
    "spine3": ("spine02", "spine01"),
    "neck": ("neck",),
    "head": ("head", "eye"),
    "collar": ("clavicle", "shoulder"),
    "shoulder": ("upperarm",),
    "elbow": ("lowerarm",),
    "wrist": ("wrist",),
    "hand": ("finger3-1", "finger", "metacarpal"),
}
"""SMPL's joint, without its side → beginnings of the bones it stands for; it lies at the head of
the first bone that begins with the first of them."""
STRAIGHTENED = ("hip", "knee", "shoulder", "elbow", "wrist")
"""Joints whose bone is turned to where the bundled body's points: from Anny's rest to a T-pose."""


def anny_body() -> BodyModel:
    """Build the body; the first time on a machine, Anny prepares its files for a minute.

    Raises:
        BodyFileError: the package is missing.
    """
    model = _anny()
    labels = list(model.bone_labels)
    weights = _joint_weights(model.dense_vertex_bone_weights.float().cpu(), labels)
    heads = [_bone_of(joint, labels) for joint in JOINT_NAMES]
    middle = _t_pose(*_at_rest(model, {}, heads), weights)
    turned = [_around(model, name, heads, weights) for name in PHENOTYPES]
    shapedirs = torch.zeros(*middle[0].shape, BETA_COUNT)
    for at, (more, less) in enumerate(turned):
        shapedirs[..., at] = (more[0] - less[0]) / 2
    shapes = [middle, *(shape for pair in turned for shape in pair)]
    vertices, regressor = middle[0], _regressors(shapes, weights)
    return BodyModel(
        v_template=vertices,
        faces=torch.as_tensor(model.faces).long().cpu(),
        shapedirs=shapedirs,
        posedirs=None,
        joint_regressor=regressor,
        skin_weights=weights,
        keypoint_vertices=BodyModel.bundled().nearest_keypoints(
            canonical_places(vertices, regressor)
        ),
        beta_space="anny",
    )


def _anny() -> Any:
    """Build Anny's own model."""
    try:
        package = import_module("anny")
    except ImportError as failure:
        raise BodyFileError(
            f"Anny needs the package anny, which is not installed ({failure}). Install it with "
            "`pip install anny`, or leave the body out: the bundled one is used."
        ) from failure
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that its own skinning, not used here, is slow
        return package.Anny().to(torch.float32)


def _bone_of(joint: str, labels: Sequence[str]) -> int:
    """Find the bone at whose head a joint lies."""
    beginning = BONES[_without_side(joint)][0]
    return next(at for at, label in enumerate(labels) if _matches(joint, label, beginning))


def _without_side(joint: str) -> str:
    return joint.removeprefix("l_").removeprefix("r_")


def _matches(joint: str, label: str, beginning: str) -> bool:
    """Tell whether a bone belongs to a joint: same side, or either where the joint has none."""
    side = {"l_": ".L", "r_": ".R"}.get(joint[:2], "")
    return label.startswith(beginning) and label.endswith(side)


def _joint_weights(
    weights: Float[Tensor, "vertices bones"], labels: Sequence[str]
) -> Float[Tensor, "vertices 24"]:
    """Give each joint the weights of its bones."""
    columns = []
    for joint in JOINT_NAMES:
        mine = [
            at
            for at, label in enumerate(labels)
            if any(_matches(joint, label, name) for name in BONES[_without_side(joint)])
        ]
        columns.append(weights[:, mine].sum(dim=1))
    joined = torch.stack(columns, dim=1)
    return joined / joined.sum(dim=1, keepdim=True)


def _at_rest(
    model: Any, changes: Mapping[str, float], heads: Sequence[int]
) -> tuple[Float[Tensor, "1 vertices 3"], Float[Tensor, "1 24 3"]]:
    """Shape Anny at rest, y up and facing +z instead of z up and facing -y."""
    numbers = dict.fromkeys(PHENOTYPES, 0.5) | ADULT | dict(changes)
    pose = torch.eye(4).repeat(1, len(model.bone_labels), 1, 1)
    with torch.no_grad():
        shaped = model(pose_parameters=pose, phenotype_kwargs=numbers)
    found = shaped["rest_vertices"], shaped["rest_bone_heads"][:, list(heads)]
    x_z_back = [torch.stack([one[..., 0], one[..., 2], -one[..., 1]], dim=-1) for one in found]
    return x_z_back[0], x_z_back[1]


def _around(
    model: Any, name: str, heads: Sequence[int], weights: Tensor
) -> list[tuple[Tensor, Tensor]]:
    """Shape Anny with one number a unit up, and down."""
    middle = ADULT.get(name, 0.5)
    return [
        _t_pose(*_at_rest(model, {name: middle + step}, heads), weights)
        for step in (PHENOTYPE_STEP, -PHENOTYPE_STEP)
    ]


def _t_pose(
    vertices: Float[Tensor, "1 vertices 3"],
    joints: Float[Tensor, "1 24 3"],
    weights: Float[Tensor, "vertices 24"],
) -> tuple[Float[Tensor, "vertices 3"], Float[Tensor, "1 24 3"]]:
    """Turn arms and legs to where the bundled body's point, the pelvis at the origin."""
    bundled = BodyModel.bundled()
    wanted = bundled.joint_regressor @ bundled.v_template
    world = [torch.eye(3)]
    for joint, name in enumerate(JOINT_NAMES[1:], start=1):
        turn = torch.eye(3)
        if _without_side(name) in STRAIGHTENED:
            end = PARENTS.index(joint)
            now, then = joints[0, end] - joints[0, joint], wanted[end] - wanted[joint]
            turn = torch.from_numpy(swing(now.numpy(), then.numpy())).float()
        elif _without_side(name) == "hand":
            turn = world[PARENTS[joint]]
        world.append(turn)
    every = torch.stack(world)
    local = torch.cat([every[:1], every[list(PARENTS[1:])].mT @ every[1:]])[None]
    transforms, places = joint_transforms(local, joints)
    return skin(weights, transforms, vertices)[0] - places[0, 0], places - places[:, :1]


def _regressors(
    shapes: Sequence[tuple[Tensor, Tensor]], weights: Float[Tensor, "vertices 24"]
) -> Float[Tensor, "24 vertices"]:
    """Regress joints from the nearest vertices of their own bone and its parent's.

    Ridge regression over all shapes, towards the mean of those vertices; the weights add up to one.
    """
    regressors = torch.zeros(24, len(weights))
    vertices, joints = shapes[0]
    for joint, parent in enumerate(PARENTS):
        pulled = weights[:, joint] + (weights[:, parent] if parent >= 0 else 0.0)
        distance = (vertices - joints[0, joint]).norm(dim=1)
        chosen = torch.where(pulled > 0.5, distance, torch.inf).topk(REGRESSED_FROM, largest=False)
        even = torch.full((REGRESSED_FROM,), 1 / REGRESSED_FROM)
        rows = torch.cat([shape[chosen.indices].T for shape, _ in shapes])
        target = torch.cat([places[0, joint] for _, places in shapes])
        one = torch.full((1, REGRESSED_FROM), 10.0)  # the sum of the weights, weighted strongly
        rows, misses = torch.cat([rows, one]), torch.cat([target - rows @ even, torch.zeros(1)])
        gram = rows @ rows.T + 1e-5 * torch.eye(len(rows))
        regressors[joint, chosen.indices] = even + rows.T @ torch.linalg.solve(gram, misses)
    return regressors
