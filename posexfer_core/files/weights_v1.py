"""Weights files of version 1: what their tensors and settings are called in version 2."""

import re
from collections.abc import Mapping
from typing import Any

TENSORS = {
    "network.lift.inner.0.": "network.feature_lifting.mlp_med.0.",
    "network.lift.inner_out.": "network.feature_lifting.mlp_med.2.",
    "network.lift.outer.0.": "network.feature_lifting.mlp_3d.0.",
    "network.lift.outer_out.": "network.feature_lifting.mlp_3d.2.",
    "network.lift.norm.": "network.feature_lifting.norm.",
    "network.control.embedding.place.": "network.control.embedding.f_proj.",
    "network.control.embedding.body.": "network.control.embedding.canonical_proj.",
    "network.control.blocks.*.to_query.": "network.control.blocks.*.phi_q.",
    "network.control.blocks.*.to_key.": "network.control.blocks.*.phi_k.",
    "network.control.blocks.*.to_value.": "network.control.blocks.*.phi_v.",
    "network.prior.from_draft.": "network.prior.from_warp.",
    "network.prior.foretell.correct.": "network.prior.head.to_mean_std.",
    "network.prior.foretell.tell.": "network.prior.head.from_mean_std.",
    "network.prior.foretell.": "network.prior.head.",
}
"""Start of a tensor's name → the same in version 2; the first that fits, `*` is any one part."""

SETTINGS = {
    "anchored": "ablation.prior_head",
    "decoupled": "ablation.decoupled",
    "prior_2d": "ablation.prior_2d",
    "control_3d": "ablation.control_3d",
    "warp": "ablation.warp",
    "maps": "ablation.maps",
    "z_mode": "ablation.z_mode",
    "temperature": "sampling.temperature",
    "guidance_pose": "sampling.guidance_pose",
    "guidance_identity": "sampling.guidance_identity",
}
"""Setting of the part "network" → table and setting in version 2."""

ONLY_PART = {
    "posexfer-autoencoder": "autoencoder",
    "posexfer-lifter": "lifter",
    "posexfer-regressor": "regressor",
}
"""Format whose header held the settings of its one part without naming it → that part."""


def rename_tensor(name: str) -> str:
    """Give a tensor of version 1 its name in version 2."""
    for old, new in TENSORS.items():
        pattern = re.escape(old).replace(r"\*", r"([^.]+)")
        if re.match(pattern, name):
            return re.sub(pattern, new.replace("*", r"\1"), name, count=1)
    return name


def convert_config(format_name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings of every part, as version 1 wrote them, their places in version 2."""
    if format_name in ONLY_PART:
        return {ONLY_PART[format_name]: config}
    converted = {part: settings for part, settings in config.items() if settings is not None}
    if isinstance(network := config.get("network"), Mapping):
        tables: dict[str, Any] = {}
        for name, value in network.items():
            table, _, setting = str(SETTINGS.get(name, name)).rpartition(".")
            (tables.setdefault(table, {}) if table else tables)[setting] = value
        converted["network"] = tables
    return converted
