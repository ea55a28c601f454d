"""The pose-transfer network: from a source image and a target body to what steers a UNet."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .condition import Condition, ConditionInputs
from .config import NetworkConfig
from .control import ControlGuidance3D
from .decoupled import (
    DecoupledCrossAttention,
    JointCrossAttention,
    Rows,
    SiteKeyValues,
    attending_rows,
)
from .encoder import ClipAppearanceEncoder, ConvAppearanceEncoder
from .fourier import FourierFeatures, position_grid
from .lift import FeatureLift, HumanParamHead
from .prior import PosePrior2D
from .sites import enumerate_sites

__all__ = ["Condition", "ConditionInputs", "KeyValues", "PoseTransferNetwork"]


@dataclass(frozen=True)
class KeyValues:
    """Keys and values of every site for one batch of images, and the places of queries.

    Valid for as long as the network's weights stay as they are.
    """

    sites: dict[str, SiteKeyValues]
    """By `AttentionSite.key`."""
    batch: int
    """How many samples they are of."""
    positions: dict[tuple[str, int, int], Tensor] = field(default_factory=dict)
    """`pos` of the queries by site, height and width; filled on first use."""

    def __getitem__(self, key: str) -> SiteKeyValues:
        return self.sites[key]

    def rows(self, index: Tensor) -> "KeyValues":
        """Pick samples of the batch, in any order and as often as wanted."""
        picked = {key: kv.rows(index) for key, kv in self.sites.items()}
        return KeyValues(picked, len(index), self.positions)


class PoseTransferNetwork(nn.Module):
    """Everything that is added to a UNet, and nothing of the UNet or its host."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        width = config.token_width
        make_encoder = ConvAppearanceEncoder if config.encoder == "conv" else ClipAppearanceEncoder
        self.encoder = make_encoder(config)
        self.lift = FeatureLift(width)
        self.params_head = HumanParamHead(width)
        self.control = ControlGuidance3D(config) if config.control_3d else None
        self.prior = PosePrior2D(config) if config.prior_2d and config.map_groups else None
        self.null_identity = nn.Parameter(0.02 * torch.randn(width))
        self.null_pose = nn.Parameter(0.02 * torch.randn(width)) if config.control_3d else None
        self.position_features = FourierFeatures(2, config.position_bands)
        make_site = DecoupledCrossAttention if config.decoupled else JointCrossAttention
        self.sites = nn.ModuleDict(
            {
                site.key: make_site(site, config, self.position_features.width)
                for site in enumerate_sites(config.unet)
            }
        )

    def condition(
        self,
        inputs: ConditionInputs,
        *,
        keep_identity: Bool[Tensor, "batch"] | None = None,
        keep_pose: Bool[Tensor, "batch"] | None = None,
        keep_maps: Mapping[str, Bool[Tensor, "batch"]] | None = None,
    ) -> Condition:
        """Compute what steers the UNet, once per image.

        Args:
            inputs: the source image and the target body.
            keep_identity: which samples keep their image; the others get null identity tokens,
                pose tokens computed from these, and no warp.
            keep_pose: which samples keep their target body; the others get null pose tokens and
                residuals of exactly zero.
            keep_maps: which samples keep a group of maps; a group without an entry is kept.
        """
        _, identity = self.lift(self.encoder(inputs))
        condition = self._condition(inputs, identity, keep_identity, keep_pose, keep_maps or {})
        if condition.anchor is None:
            return condition
        return replace(condition, anchor=condition.anchor.cooled(self.config.temperature))

    def condition_and_params(
        self,
        inputs: ConditionInputs,
        *,
        keep_identity: Bool[Tensor, "batch"] | None = None,
        keep_pose: Bool[Tensor, "batch"] | None = None,
        keep_maps: Mapping[str, Bool[Tensor, "batch"]] | None = None,
    ) -> tuple[Condition, Float[Tensor, "batch 24 6"], Float[Tensor, "batch 10"]]:
        """Compute the condition and read the source's body in the same pass, for training."""
        middle, identity = self.lift(self.encoder(inputs))
        rotations, betas = self.params_head(middle)
        condition = self._condition(inputs, identity, keep_identity, keep_pose, keep_maps or {})
        return condition, rotations, betas

    def predict_params(
        self, inputs: ConditionInputs
    ) -> tuple[Float[Tensor, "batch 24 6"], Float[Tensor, "batch 10"]]:
        """Read the source's body off the image: rotations as two columns each, and betas."""
        middle, _ = self.lift(self.encoder(inputs))
        return self.params_head(middle)

    def _condition(
        self,
        inputs: ConditionInputs,
        identity: Float[Tensor, "batch tokens width"],
        keep_identity: Bool[Tensor, "batch"] | None,
        keep_pose: Bool[Tensor, "batch"] | None,
        keep_maps: Mapping[str, Bool[Tensor, "batch"]],
    ) -> Condition:
        if keep_identity is not None:
            null = self.null_identity.to(identity.dtype)
            identity = torch.where(keep_identity[:, None, None], identity, null)
        pose, pose_uv = self._pose(inputs, identity, keep_pose)
        residuals, anchor = (), None
        if self.prior is not None:
            keep = self._kept_maps(keep_identity, keep_pose, keep_maps)
            residuals, anchor = self.prior(inputs.maps, inputs.warp_latents, keep, inputs.image)
        return Condition(
            identity=identity, pose=pose, pose_uv=pose_uv, residuals=residuals, anchor=anchor
        )

    def _pose(
        self,
        inputs: ConditionInputs,
        identity: Float[Tensor, "batch tokens width"],
        keep_pose: Bool[Tensor, "batch"] | None,
    ) -> tuple[Float[Tensor, "batch points width"], Float[Tensor, "batch points 2"]]:
        uv = inputs.points[..., :2]
        if self.control is None or self.null_pose is None:
            return identity[:, :0], uv[:, :0]
        pose = self.control(inputs.points, inputs.points_canonical, identity)
        if keep_pose is not None:
            kept = keep_pose[:, None, None]
            pose = torch.where(kept, pose, self.null_pose.to(pose.dtype))
            uv = torch.where(kept, uv, 0.0)
        return pose, uv

    def _kept_maps(
        self,
        keep_identity: Bool[Tensor, "batch"] | None,
        keep_pose: Bool[Tensor, "batch"] | None,
        keep_maps: Mapping[str, Bool[Tensor, "batch"]],
    ) -> dict[str, Bool[Tensor, "batch"]]:
        kept: dict[str, Tensor] = {}
        for name in self.config.map_groups:
            reasons = [keep_maps.get(name), keep_pose]
            if name == "warp":
                reasons.append(keep_identity)
            given = [reason for reason in reasons if reason is not None]
            if given:
                kept[name] = torch.stack(given).all(0)
        return kept

    def precompute_kv(self, condition: Condition) -> KeyValues:
        """Project the tokens to every site's keys and values, once per image.

        Outside of training, samples of null tokens are found, which need no attention.
        """
        identity, pose, uv = condition.identity, condition.pose, condition.pose_uv
        attending: tuple[Rows, Rows] = (None, None)
        if not torch.is_grad_enabled():
            attending = (attending_rows(identity), attending_rows(pose, uv))
        features = self.position_features(uv)
        return KeyValues(
            {
                key: self._site(key).project(identity, pose, features, attending)
                for key in self.sites
            },
            len(identity),
        )

    def attend(
        self,
        site_key: str,
        query: Float[Tensor, "batch queries channels"],
        kv: KeyValues,
        height: int,
        width: int,
        identity_scale: float | Tensor = 1.0,
        pose_scale: float | Tensor = 1.0,
    ) -> Float[Tensor, "batch queries channels"]:
        """Compute what to add before the host's output projection at one site.

        Args:
            site_key: `AttentionSite.key`.
            query: as the host projected it, row by row of a `height` x `width` grid.
            kv: what `precompute_kv` returned, a row for each of the query's.
            height: of the grid.
            width: of the grid.
            identity_scale: strength of the identity; a tensor must broadcast over the result.
            pose_scale: strength of the pose, likewise.
        """
        keys = kv[site_key]
        position = self.query_position(site_key, kv, height, width)
        added = self._site(site_key)(
            query.to(keys.identity.key.dtype), keys, position, identity_scale, pose_scale
        )
        return added.to(query.dtype)

    def _site(self, key: str) -> DecoupledCrossAttention | JointCrossAttention:
        site = self.sites[key]
        assert isinstance(site, DecoupledCrossAttention | JointCrossAttention)
        return site

    def query_position(
        self, site_key: str, kv: KeyValues, height: int, width: int
    ) -> Float[Tensor, "queries channels"] | None:
        """Project the places of a grid's queries, once per size; none without 3D control."""
        site = self._site(site_key)
        if site.position is None:
            return None
        place = (site_key, height, width)
        if place not in kv.positions:
            grid = position_grid(height, width, device=kv[site_key].identity.key.device)
            kv.positions[place] = site.position(self.position_features(grid))
        return kv.positions[place]
