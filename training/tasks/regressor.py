"""Train the regressor of bodies from one image, on augmented images of synthetic people."""

import copy
from pathlib import Path
from typing import Any, cast

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from posexfer_core.body.model import BodyModel, pose_joints
from posexfer_core.body.view import BodyView
from posexfer_core.files.configs import read_config
from posexfer_core.pose_networks.regressor import params_from_output
from posexfer_core.pose_networks.regressor_network import (
    BodyRegressor,
    BodyRegressorConfig,
    RegressorOutput,
    cell_centres,
)
from posexfer_core.pose_networks.weights import REGRESSOR
from posexfer_core.render.overlay import overlay_body

from ..config import RegressorTraining
from ..data.augment import augment
from ..data.people import People, RestJoints, load_people
from ..data.shards import ShardDataset
from ..data.views import View
from ..sample_random import SampleRandom

SHEET_IMAGES = 8


class RegressorLoss(nn.Module):
    """The regressor with its losses."""

    def __init__(
        self, network: BodyRegressor, rest: RestJoints, weights: RegressorTraining
    ) -> None:
        super().__init__()
        self.network, self.rest, self.weights = network, rest, weights
        size = (network.config.height, network.config.width)
        self.aspect = size[1] / size[0]

    def forward(self, batch: dict[str, Tensor], rng: SampleRandom) -> dict[str, Float[Tensor, ""]]:
        """Compare bodies in their rotations, joints in space and in the image, and camera."""
        found = self.network(batch["image"].contiguous(memory_format=torch.channels_last))
        with torch.autocast(batch["image"].device.type, enabled=False):
            losses = self._losses(found, batch)
        weights = self.weights
        loss = (
            weights.rotation_weight * losses["rotation"]
            + weights.joint_weight * (losses["joint_m"] + losses["place_m"])
            + weights.pixel_weight * losses["pixel"]
            + weights.map_weight * losses["map"]
            + weights.camera_weight * losses["camera"]
            + weights.beta_weight * losses["beta"]
        )
        return {"loss": loss, **losses}

    def _losses(self, found: RegressorOutput, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        turned = _length((found.rotations - batch["rotations"]).flatten(-2))
        joints = pose_joints(found.rotations, self.rest(batch["betas"]))[1]
        wanted = batch["joints"] - batch["joints"][:, :1]
        camera = found.camera - torch.cat(
            [batch["pixels"][:, 0], batch["log_scale"][:, None]], dim=-1
        )
        stretch = found.joints_ndc.new_tensor([self.aspect, 1.0])
        apart = _length((found.joints_ndc - batch["pixels"]) * stretch)
        inside = (batch["pixels"].abs() < 1.0).all(-1).float()
        return {
            "rotation": turned[:, 1:].mean() + 0.2 * turned[:, 0].mean(),
            "joint_m": _length(joints - joints[:, :1] - wanted).mean(),
            "place_m": _length(found.joints - wanted).mean(),
            "pixel": _mean_inside(apart, inside),
            "map": _mean_inside(map_cross_entropy(found.maps, batch["pixels"]), inside),
            "camera": camera.abs().mean(),
            "beta": (found.betas - batch["betas"]).square().mean(),
        }


class RegressorTask:
    """Images in memory, augmented anew at every step."""

    def __init__(
        self, data: ShardDataset, settings: RegressorTraining, changes: dict[str, Any]
    ) -> None:
        config = read_config(BodyRegressorConfig, changes, name="[model]")
        self.settings = settings
        self.body = BodyModel.bundled()
        self.people = load_people(data, (config.height, config.width), self.body)
        network = BodyRegressor(config)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model: nn.Module = RegressorLoss(network, RestJoints(self.body), settings)

    def __len__(self) -> int:
        """Count the images: two a pair."""
        return len(self.people)

    def batch(self, indices: list[int], rng: SampleRandom) -> dict[str, Tensor]:
        """Turn, zoom, shift and mirror images, and augment a share of them."""
        people = self.people.take(indices)
        view = View.draw(self.settings, rng)
        images = view.images(people.images.float() / 127.5 - 1.0)
        chosen = rng.uniform() < self.settings.augmented_share
        if chosen.any():
            images[chosen] = augment(images[chosen], rng.take(chosen))
        return {"image": images, **targets(view.people(people), view.shift)}

    @torch.no_grad()
    def sample(self, model: nn.Module) -> Float[Tensor, "3 height width"]:
        """Show eight images above the bodies that are predicted."""
        network = copy.deepcopy(cast(RegressorLoss, model).network).cpu()
        chosen = torch.linspace(0, len(self) - 1, SHEET_IMAGES).long().tolist()
        images = self.people.take(chosen).images.float() / 127.5 - 1.0
        found = network(images)
        shown = []
        for row, image in enumerate(images):
            params = params_from_output(found, row, (image.shape[-2], image.shape[-1]))
            shown.append(overlay_body(image[None], BodyView.of(params, self.body))[0])
        rows = torch.stack([images, torch.stack(shown)])
        return rearrange(rows, "rows people rgb h w -> rgb (rows h) (people w)").clamp(-1.0, 1.0)

    def export(self, model: nn.Module, path: Path, recipe: dict[str, object]) -> None:
        """Write the network."""
        REGRESSOR.save(path, cast(RegressorLoss, model).network, recipe=recipe)


def targets(people: People, shift: Float[Tensor, "batch 2"]) -> dict[str, Tensor]:
    """Compute the true outputs; `shift` is where the camera's axis meets the image."""
    height, width = people.images.shape[-2:]
    joints, focal = people.joints, people.focal
    at = focal[:, None, None] * joints[..., :2] / joints[..., 2:] + shift[:, None]
    return {
        "rotations": people.rotations,
        "betas": people.betas,
        "joints": joints,
        "pixels": at / at.new_tensor([width / height, 1.0]),
        "log_scale": (focal / joints[:, 0, 2]).log(),
    }


def map_cross_entropy(
    maps: Float[Tensor, "batch joints rows columns"], pixels: Float[Tensor, "batch joints 2"]
) -> Float[Tensor, "batch joints"]:
    """Compute the cross-entropy with the four places around each joint, weighed bilinearly.

    Args:
        maps: logarithms of shares.
        pixels: where the joints are, NDC.
    """
    cell = pixels.new_tensor([2.0 / maps.shape[-1], 2.0 / maps.shape[-2]])
    apart = (cell_centres(maps) - pixels[:, :, None]).abs() / cell
    wanted = (1.0 - apart).clamp_min(0.0).prod(-1)
    return -(wanted * maps.flatten(2)).sum(-1)


def _mean_inside(
    values: Float[Tensor, "batch joints"], inside: Float[Tensor, "batch joints"]
) -> Float[Tensor, ""]:
    """Average over the joints inside each image, then over images: so batches can be split."""
    return ((values * inside).sum(-1) / inside.sum(-1).clamp_min(1.0)).mean()


def _length(vectors: Tensor) -> Tensor:
    """Compute norms, with a gradient at zero too."""
    return (vectors.square().sum(-1) + 1e-8).sqrt()
