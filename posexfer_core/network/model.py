"""The pose-transfer network: from a source image and a target body to the UNet's condition."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .colour_carrier import carry_colours
from .condition import Condition, ConditionInputs, Dropout
from .config import NetworkConfig
from .control import make_control
from .decoupled import DecoupledCrossAttention, JointCrossAttention
from .encoder import ClipAppearanceEncoder, ConvAppearanceEncoder
from .feature_lifting import FeatureLifting, HumanParamHead
from .fourier import FourierFeatures, position_grid
from .geometric_logits import query_terms
from .kv_cache import KeyValues, Rows, attending_rows
from .latent_prior import LatentPrior
from .prior import PosePrior2D
from .sites import enumerate_sites

HumanParams6D = tuple[Float[Tensor, "batch 24 6"], Float[Tensor, "batch 10"]]
"""Rotations as two columns each, and betas, of the source's body."""


class PoseTransferNetwork(nn.Module):
    """Everything that is added to a UNet, and nothing of the UNet or its host."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        width, ablation = config.token_width, config.ablation
        make_encoder = ConvAppearanceEncoder if config.encoder == "conv" else ClipAppearanceEncoder
        self.encoder = make_encoder(config)
        self.feature_lifting = FeatureLifting(width)
        self.params_head = HumanParamHead(width)
        self.control = make_control(config) if ablation.control_3d else None
        self.prior = PosePrior2D(config) if ablation.prior_2d and ablation.map_groups else None
        self.null_identity = nn.Parameter(0.02 * torch.randn(width))
        self.null_pose = nn.Parameter(0.02 * torch.randn(width)) if ablation.control_3d else None
        self.position_features = FourierFeatures(2, config.position_bands)
        make_site = DecoupledCrossAttention if ablation.decoupled else JointCrossAttention
        self.sites = nn.ModuleDict(
            {
                site.key: make_site(site, config, self.position_features.width)
                for site in enumerate_sites(config.unet)
            }
        )

    def condition(self, inputs: ConditionInputs, dropout: Dropout | None = None) -> Condition:
        """Compute what the UNet is conditioned on, once per image, at the usual temperature."""
        _, f_3d = self.feature_lifting(self.encoder(inputs))
        condition = self._condition(inputs, f_3d, dropout or Dropout())
        if (prior := condition.latent_prior) is None:
            return condition
        tempered = prior.with_temperature(self.config.sampling.temperature)
        return replace(condition, latent_prior=tempered)

    def condition_and_params(
        self, inputs: ConditionInputs, dropout: Dropout | None = None
    ) -> tuple[Condition, HumanParams6D]:
        """Compute the condition, at temperature 1, and the source's body in one pass: for training.

        The body is read from the image though its identity is dropped.
        """
        f_med, f_3d = self.feature_lifting(self.encoder(inputs))
        return self._condition(inputs, f_3d, dropout or Dropout()), self.params_head(f_med)

    def predict_prior(
        self, inputs: ConditionInputs, dropout: Dropout | None = None
    ) -> LatentPrior | None:
        """Compute the prior over the latents alone, at temperature 1; none without a prior head."""
        return self._residuals_and_prior(self.seen_as(inputs), dropout or Dropout())[1]

    def seen_as(self, inputs: ConditionInputs) -> ConditionInputs:
        """Take the depth from the points where there shall be none, and carry the colours.

        Colours that are given were carried with the points' depth, and are kept unless it goes.
        """
        if self.config.ablation.z_mode == "zero" and inputs.points[..., 2].any():
            inputs = inputs.with_depth(torch.zeros_like(inputs.points[..., 2]))
        if "carried" not in self.config.ablation.map_groups or "carried" in inputs.maps:
            return inputs
        carried = F.interpolate(carry_colours(inputs), size=inputs.image.shape[-2:])
        return replace(inputs, maps={**inputs.maps, "carried": carried.to(inputs.image)})

    def _condition(
        self, inputs: ConditionInputs, f_3d: Float[Tensor, "batch tokens width"], dropout: Dropout
    ) -> Condition:
        c_id = f_3d
        if dropout.keep_identity is not None:
            null = self.null_identity.to(f_3d.dtype)
            c_id = torch.where(dropout.keep_identity[:, None, None], f_3d, null)
        inputs = self.seen_as(inputs)
        c_pose, pose_uvz = self._pose(inputs, c_id, dropout)
        residuals, latent_prior = self._residuals_and_prior(inputs, dropout)
        return Condition(
            c_id=c_id,
            c_pose=c_pose,
            pose_uvz=pose_uvz,
            residuals=residuals,
            latent_prior=latent_prior,
        )

    def _residuals_and_prior(
        self, inputs: ConditionInputs, dropout: Dropout
    ) -> tuple[tuple[Tensor, ...], LatentPrior | None]:
        if self.prior is None:
            return (), None
        return self.prior(inputs.maps, inputs.warp_latents, dropout.kept_maps(), inputs.image)

    def _pose(
        self, inputs: ConditionInputs, c_id: Float[Tensor, "batch tokens width"], dropout: Dropout
    ) -> tuple[Float[Tensor, "batch points width"], Float[Tensor, "batch points 3"]]:
        if self.control is None or self.null_pose is None:
            return c_id[:, :0], inputs.points[:, :0]
        c_pose = self.control(inputs, c_id, self.encoder.body_places(inputs))
        uvz = inputs.points
        if self.config.pose_from == "vector":  # a token without a place
            uvz = torch.zeros_like(uvz[:, :1])
        if dropout.keep_pose is not None:
            kept = dropout.keep_pose[:, None, None]
            c_pose = torch.where(kept, c_pose, self.null_pose.to(c_pose.dtype))
            uvz = torch.where(kept, uvz, 0.0)
        return c_pose, uvz

    def precompute_kv(self, condition: Condition) -> KeyValues:
        """Project the tokens to every site's keys and values, once per image.

        Outside of training, samples of null tokens are found, which need no attention.
        """
        c_id, c_pose, uvz = condition.c_id, condition.c_pose, condition.pose_uvz
        attending: tuple[Rows, Rows] = (None, None)
        if not torch.is_grad_enabled():
            attending = (attending_rows(c_id), attending_rows(c_pose, uvz))
        geometric = self.config.geometric_logits
        features = uvz if geometric else self.position_features(uvz[..., :2])
        sites = {
            key: self._site(key).keys_values(c_id, c_pose, features, attending)
            for key in self.sites
        }
        return KeyValues(sites, len(c_id))

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
        site, keys = self._site(site_key), kv[site_key]
        position = self.query_position(site_key, kv, height, width)
        asked = query.to(keys.identity.key.dtype)
        return site(asked, keys, position, identity_scale, pose_scale).to(query.dtype)

    def _site(self, key: str) -> DecoupledCrossAttention | JointCrossAttention:
        site = self.sites[key]
        assert isinstance(site, DecoupledCrossAttention | JointCrossAttention)
        return site

    def query_position(
        self, site_key: str, kv: KeyValues, height: int, width: int
    ) -> Float[Tensor, "queries _"] | None:
        """Compute `pos`, or the geometric terms, of a grid's queries, once per size.

        None without 3D control.
        """
        if self.control is None:
            return None
        project, device = self._site(site_key).position, kv[site_key].identity.key.device

        def compute() -> Tensor:
            if project is None:
                return query_terms(height, width, device=device)
            return project(self.position_features(position_grid(height, width, device=device)))

        return kv.position(site_key, height, width, compute)
