"""The solids of the left half of the body; every number is ours, in metres.

Order matters: each solid is blended into all before it.
"""

from collections.abc import Sequence

import numpy as np

from .sdf import Ellipsoid, Loft, Part, RoundCone
from .skeleton import joint

X, Y = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def body_parts() -> list[Part]:
    """List every solid of the left half and the middle."""
    return [*_trunk(), *_head(), *_arm(), *_hand(), *_leg(), *_foot()]


def _trunk() -> list[Part]:
    # height, half width, half depth, forward shift of each cross-section
    sections = np.array(
        [
            (0.800, 0.085, 0.060, -0.010),
            (0.850, 0.148, 0.102, -0.012),
            (0.905, 0.170, 0.116, -0.012),
            (0.960, 0.164, 0.112, -0.006),
            (1.020, 0.146, 0.102, 0.002),
            (1.080, 0.136, 0.098, 0.006),
            (1.140, 0.138, 0.101, 0.008),
            (1.200, 0.148, 0.108, 0.010),
            (1.260, 0.157, 0.112, 0.008),
            (1.320, 0.158, 0.108, 0.000),
            (1.370, 0.150, 0.096, -0.010),
            (1.410, 0.115, 0.078, -0.020),
            (1.445, 0.066, 0.060, -0.026),
        ]
    )
    heights, half_widths, half_depths, forward = sections.T
    bottom, top = heights[0], heights[-1]
    core = Loft(
        (0.0, bottom, 0.0),
        (0.0, top, 0.0),
        across=X,
        stations=list((heights - bottom) / (top - bottom)),
        radii_u=list(half_widths),
        radii_v=list(half_depths),
        shifts_v=list(-forward),  # v points backwards on an upright bone
    )
    return [
        Part(core, "spine2", 0.03),
        Part(Ellipsoid((0.068, 0.868, -0.062), (0.078, 0.080, 0.068)), "pelvis", 0.035),  # buttock
        Part(Ellipsoid((0.070, 1.262, 0.072), (0.070, 0.055, 0.034), -0.25), "spine3", 0.04),
        Part(  # trapezius
            RoundCone((0.035, 1.44, -0.045), (0.150, 1.415, -0.040), 0.040, 0.036), "l_collar", 0.05
        ),
        Part(Ellipsoid((0.183, 1.402, -0.030), (0.060, 0.056, 0.058)), "l_shoulder", 0.035),
        Part(Ellipsoid((0.118, 1.345, -0.055), (0.070, 0.075, 0.045)), "spine3", 0.04),  # scapula
    ]


def _head() -> list[Part]:
    neck = Loft(
        (0.0, 1.40, -0.035),
        (0.0, 1.56, -0.005),
        across=X,
        stations=[0.0, 0.35, 0.7, 1.0],
        radii_u=[0.070, 0.058, 0.055, 0.056],
        radii_v=[0.066, 0.059, 0.058, 0.060],
    )
    cranium = Ellipsoid((0.0, 1.632, -0.004), (0.0765, 0.092, 0.097))
    jaw = Ellipsoid((0.0, 1.560, 0.040), (0.054, 0.066, 0.058), 0.15)
    chin = Ellipsoid((0.0, 1.511, 0.066), (0.024, 0.018, 0.020))
    nose = RoundCone((0.0, 1.613, 0.092), (0.0, 1.578, 0.110), 0.008, 0.0125)
    brow = Ellipsoid((0.033, 1.617, 0.078), (0.022, 0.010, 0.012))
    ear = Ellipsoid((0.0775, 1.595, -0.008), (0.010, 0.032, 0.019), 0.15)
    mouth = RoundCone((0.0, 1.538, 0.092), (0.018, 1.538, 0.086), 0.009, 0.007)
    return [
        Part(neck, "neck", 0.03),
        Part(cranium, "head", 0.03),
        Part(jaw, "head", 0.035),
        Part(chin, "head", 0.02),
        Part(nose, "head", 0.012),
        Part(brow, "head", 0.015),
        Part(ear, "head", 0.008),
        Part(mouth, "head", 0.014),
    ]


def _arm() -> list[Part]:
    upper = Loft(
        joint("l_shoulder").tolist(),
        joint("l_elbow").tolist(),
        across=Y,
        stations=[-0.1, 0.1, 0.3, 0.55, 0.8, 1.0],
        radii_u=[0.050, 0.052, 0.048, 0.0455, 0.041, 0.039],
        radii_v=[0.050, 0.053, 0.051, 0.047, 0.041, 0.039],
    )
    lower = Loft(
        joint("l_elbow").tolist(),
        joint("l_wrist").tolist(),
        across=Y,
        stations=[0.0, 0.12, 0.3, 0.6, 0.85, 1.04],
        radii_u=[0.039, 0.042, 0.0435, 0.036, 0.027, 0.0235],
        radii_v=[0.039, 0.043, 0.045, 0.038, 0.031, 0.0295],
    )
    return [Part(upper, "l_shoulder", 0.02), Part(lower, "l_elbow", 0.015)]


def _hand() -> list[Part]:
    """Make a palm that faces down, four fingers and a thumb, slightly spread and curled."""
    wrist = joint("l_wrist")
    palm = Loft(
        wrist.tolist(),
        _moved(wrist, 0.100, -0.004, 0.0),
        across=Y,
        stations=[0.0, 0.35, 0.7, 1.0],
        radii_u=[0.021, 0.018, 0.0165, 0.013],
        radii_v=[0.028, 0.040, 0.044, 0.041],
    )
    parts = [Part(palm, "l_wrist", 0.012)]
    # forward shift of the knuckle, length, radius, yaw: index, middle, ring, little finger
    for forward, length, radius, yaw in (
        (0.0315, 0.070, 0.0092, 0.14),
        (0.0107, 0.079, 0.0096, 0.045),
        (-0.0102, 0.073, 0.0092, -0.05),
        (-0.0300, 0.056, 0.0082, -0.17),
    ):
        knuckle = np.array(_moved(wrist, 0.090, -0.003, forward))
        direction = _unit(np.array([np.cos(yaw), -0.10, np.sin(yaw)]))
        curled = _unit(np.array(_moved(direction, 0.0, -0.12, 0.0)))
        middle = knuckle + direction * length * 0.55
        tip = middle + curled * length * 0.48
        parts += [
            Part(
                RoundCone(knuckle.tolist(), middle.tolist(), radius, 0.92 * radius), "l_hand", 0.003
            ),
            Part(
                RoundCone(middle.tolist(), tip.tolist(), 0.92 * radius, 0.78 * radius),
                "l_hand",
                0.002,
            ),
        ]
    root = _moved(wrist, 0.028, -0.006, 0.026)
    middle = _moved(root, 0.030, -0.010, 0.030)
    tip = _moved(middle, 0.038, -0.006, 0.016)
    return [
        *parts,
        Part(RoundCone(root, middle, 0.0165, 0.0125), "l_wrist", 0.012),
        Part(RoundCone(middle, tip, 0.0125, 0.0095), "l_hand", 0.006),
    ]


def _leg() -> list[Part]:
    thigh = Loft(
        joint("l_hip").tolist(),
        joint("l_knee").tolist(),
        across=X,
        stations=[-0.02, 0.10, 0.3, 0.55, 0.8, 0.95, 1.05],
        radii_u=[0.086, 0.089, 0.081, 0.068, 0.056, 0.053, 0.051],
        radii_v=[0.088, 0.094, 0.089, 0.076, 0.063, 0.058, 0.055],
        shifts_u=[0.002, 0.004, 0.0, -0.002, 0.0, 0.0, 0.0],
        shifts_v=[0.0, 0.004, -0.004, -0.006, -0.004, -0.004, -0.002],
    )
    kneecap = Ellipsoid((0.103, 0.492, 0.034), (0.032, 0.042, 0.022))
    shank = Loft(
        joint("l_knee").tolist(),
        joint("l_ankle").tolist(),
        across=X,
        stations=[-0.02, 0.1, 0.28, 0.5, 0.75, 0.92, 1.02],
        radii_u=[0.051, 0.050, 0.054, 0.047, 0.034, 0.030, 0.031],
        radii_v=[0.055, 0.054, 0.057, 0.050, 0.038, 0.035, 0.036],
        shifts_v=[0.0, 0.006, 0.016, 0.012, 0.004, 0.0, 0.0],
    )
    return [
        Part(thigh, "l_hip", 0.02),
        Part(kneecap, "l_knee", 0.015),
        Part(shank, "l_knee", 0.008),
    ]


def _foot() -> list[Part]:
    x, _, z = joint("l_ankle")
    sole = Loft(
        (x, 0.062, z),
        (x + 0.014, 0.036, 0.140),
        across=X,
        stations=[-0.18, 0.0, 0.35, 0.7, 1.0],
        radii_u=[0.030, 0.034, 0.038, 0.046, 0.042],
        radii_v=[0.052, 0.054, 0.044, 0.030, 0.022],
        cap=0.9,
    )
    heel = Ellipsoid((x, 0.036, z - 0.030), (0.031, 0.036, 0.034))
    parts = [Part(sole, "l_ankle", 0.02), Part(heel, "l_ankle", 0.02)]
    # sideways shift, reach, radius: from the big toe outwards
    toes = (
        (-0.020, 0.172, 0.0175),
        (0.004, 0.170, 0.0135),
        (0.022, 0.162, 0.0125),
        (0.036, 0.150, 0.0120),
        (0.048, 0.136, 0.0115),
    )
    for index, (sideways, reach, radius) in enumerate(toes):
        root = (x + 0.012 + 0.8 * sideways, 0.026, 0.105 - 0.004 * index)
        tip = (x + 0.016 + sideways, 0.018, reach)
        parts.append(Part(RoundCone(root, tip, 0.019, radius), "l_foot", 0.010))
    return parts


def _moved(point: Sequence[float] | np.ndarray, *shift: float) -> tuple[float, ...]:
    return tuple(float(a) + b for a, b in zip(point, shift, strict=True))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
