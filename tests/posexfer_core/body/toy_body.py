"""A toy body in SMPL's file format stands in for the licensed one."""

import numpy as np

from posexfer_core.body.joints import PARENTS
from posexfer_core.body.model import BodyModel


def toy_smpl_arrays(body: BodyModel) -> dict[str, np.ndarray]:
    """Scatter 200 vertices around the bundled body's joints, with every kind of SMPL array."""
    random = np.random.default_rng(0)
    vertices = 200
    joints = (body.joint_regressor @ body.v_template).numpy()
    nearest = random.integers(0, 24, vertices)
    regressor = random.random((24, vertices)) * (nearest == np.arange(24)[:, None])
    weights = random.random((vertices, 24)) ** 8
    return {
        "v_template": joints[nearest] + random.normal(0, 0.05, (vertices, 3)),
        "f": random.integers(0, vertices, (300, 3)).astype(np.uint32),
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "J_regressor": regressor / regressor.sum(axis=1, keepdims=True),
        "shapedirs": random.normal(0, 0.01, (vertices, 3, 10)),
        "posedirs": random.normal(0, 0.01, (vertices, 3, 207)),
        "kintree_table": np.array([PARENTS, range(24)]).astype(np.uint32),
    }
