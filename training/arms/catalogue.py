"""The arms: one network in each of the ways to be told the target pose.

All have the same encoder, UNet, data, steps and background plate; what an arm is not told has no
parameters.
"""

from dataclasses import dataclass, replace
from typing import Any

from posexfer_core.network.config import Ablation, NetworkConfig
from posexfer_core.network.sites import UNetShape

from .network import CHANNELS
from .pairs import POINTS

SMALL_UNET = UNetShape(
    block_out_channels=(32, 64, 64),
    layers_per_block=1,
    heads=(2, 4, 4),
    attention=(1, 1, 1),
    cross_attention_dim=8,
    latent_channels=CHANNELS,
    sample_size=(16, 11),
)
"""At 64x44 pixels; attention at every level, the finest too."""
TOLD_2D = ("mask", "skeleton")
"""What systems without depth have; the poster's 2D prior is the mask."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way to tell a network the target pose."""

    told: str
    """For the table."""
    config: NetworkConfig
    human_params: bool = True
    """Off, trained without L_HPL."""


def _network(
    maps: tuple[str, ...] = (), *, points: bool = True, carried: bool = True, **changes: Any
) -> NetworkConfig:
    """Build a config; by default 3D points with everything that geometry gives attention."""
    ablation = Ablation(
        maps=(*maps, "plate", *(["carried"] if carried else [])),
        control_3d=points,
        prior_head=False,
        warp="warp" in maps,
    )
    settings: dict[str, Any] = {
        "token_width": 64,
        "encoder_widths": (16, 32, 64),
        "encoder_blocks": (1, 1, 1),
        "token_stride": 8,
        "points": POINTS,
        "control_blocks": 1,
        "control_heads": 4,
        "geometric_logits": points,
        "rest_correspondence": points,
        "point_normals": points,
        "prior_widths": (32, 32, 32),
        "prior_blocks": 1,
        "unet": SMALL_UNET,
        "ablation": ablation,
    }
    return NetworkConfig(**(settings | changes))


PLAIN: dict[str, Any] = {
    "carried": False,
    "geometric_logits": False,
    "rest_correspondence": False,
    "point_normals": False,
}
"""What geometry gives attention, taken away."""
POINTS_ALONE = Arm(told="3D points, no map of the target", config=_network())
MAIN = {
    "points": POINTS_ALONE,
    "skeleton": Arm(told="skeleton", config=_network(("skeleton",), points=False, carried=False)),
    "mask": Arm(told="skeleton + mask", config=_network(TOLD_2D, points=False, carried=False)),
    "vector": Arm(
        told="skeleton + mask + SMPL vector", config=_network(TOLD_2D, pose_from="vector", **PLAIN)
    ),
    "maps": Arm(
        told="skeleton + mask + depth + normals",
        config=_network((*TOLD_2D, "depth", "normal"), points=False, carried=False),
    ),
    "control": Arm(told="skeleton + mask + 3D points", config=_network(TOLD_2D)),
    "warp": Arm(told="skeleton + mask + 3D points + warp", config=_network((*TOLD_2D, "warp"))),
}
"""The rows of the main table."""
_FLAT = replace(POINTS_ALONE.config.ablation, z_mode="zero")
_COARSE = replace(SMALL_UNET, attention=(0, 1, 1))
OTHERS = {
    "points-plain": Arm(told="3D points, plain attention", config=_network(**PLAIN)),
    "points-not-carried": Arm(told="3D points, no colours carried", config=_network(carried=False)),
    "points-fourier": Arm(
        told="3D points, Fourier places in the logits", config=_network(geometric_logits=False)
    ),
    "points-no-depth-logit": Arm(
        told="3D points, no depth in the logits", config=_network(depth_logits=False)
    ),
    "points-no-rest": Arm(
        told="3D points, no rest correspondence", config=_network(rest_correspondence=False)
    ),
    "points-no-normals": Arm(
        told="3D points without normals", config=_network(point_normals=False)
    ),
    "points-coarse": Arm(
        told="3D points, no attention at the finest level", config=_network(unet=_COARSE)
    ),
    "points-flat": Arm(told="3D points, trained without z", config=_network(ablation=_FLAT)),
    "points-no-hpl": replace(POINTS_ALONE, told="3D points, no L_HPL", human_params=False),
}
"""One by one, each a change of the arm of points alone."""
_JOINT = replace(_network(points=False, carried=False).ablation, control_3d=True, decoupled=False)
_ONE_VECTOR: dict[str, Any] = {"pose_from": "vector", **PLAIN}
POSTER = {
    "poster-baseline": Arm(
        told="poster's baseline: SMPL vector, one attention",
        config=_network(ablation=_JOINT, **_ONE_VECTOR),
    ),
    "poster-decoupled": Arm(told="+ decoupled attention", config=_network(**_ONE_VECTOR)),
    "poster-prior": Arm(told="+ 2D prior", config=_network(("mask",), **_ONE_VECTOR)),
    "poster-control": Arm(told="+ 3D control guidance", config=_network(("mask",), **PLAIN)),
}
"""The rows of the poster's own ablation, each with one more part; its 3D control has no geometry in
the attention. What it starts from is not described: a token of the parameters beside the identity's
is what its reference, UPGPT, has."""
ARMS = MAIN | OTHERS | POSTER
