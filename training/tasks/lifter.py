"""Train the pose lifter, on poses that are mixed anew at every step."""

import copy
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from posexfer_core.files.configs import read_config
from posexfer_core.pose_networks.pose_lifting_network import (
    LIFTED_NAMES,
    LiftedKeypoints,
    PoseLifter,
    PoseLifterConfig,
    lifter_inputs,
)
from posexfer_core.pose_networks.weights import LIFTER

from ..config import LifterTraining
from ..data.simulated_detections import draw_detections, lifted_skeleton
from ..sample_random import SampleRandom

SHEET_PEOPLE, SHEET_PX = 8, 128
TRUE_RGB, FOUND_RGB = (-1.0, 0.6, -1.0), (1.0, -0.4, -0.4)


class LifterLoss(nn.Module):
    """The pose lifter with the likelihood of the true places."""

    def __init__(self, network: PoseLifter) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: dict[str, Tensor], rng: SampleRandom) -> dict[str, Float[Tensor, ""]]:
        """Compute the negative log-likelihood under a Laplace distribution in space.

        `-log p = d / s + 3 log s` but for a constant.
        """
        with torch.autocast(batch["sight"].device.type, enabled=False):
            found: LiftedKeypoints = self.network(batch["sight"])
            apart = ((found.xyz - batch["places"]).square().sum(-1) + 1e-6).sqrt()
            loss = (apart / found.scales + 3.0 * found.scales.log()).mean()
        return {"loss": loss, "place_m": apart.mean()}


class LifterTask:
    """Poses in memory, varied anew at every step."""

    def __init__(
        self,
        poses: Float[np.ndarray, "poses 24 3"],
        settings: LifterTraining,
        changes: dict[str, Any],
    ) -> None:
        self.poses, self.settings, self.skeleton = poses, settings, lifted_skeleton()
        self.model: nn.Module = LifterLoss(
            PoseLifter(read_config(PoseLifterConfig, changes, name="[model]"))
        )

    def __len__(self) -> int:
        """Count the poses."""
        return len(self.poses)

    def batch(self, indices: list[int], rng: SampleRandom) -> dict[str, Tensor]:
        """Simulate detections of people in these poses, with limbs of others."""
        others = self.poses[rng.integers(len(self)).numpy()]
        drawn = draw_detections(self.poses[indices], others, self.skeleton, self.settings, rng)
        rays, places = (torch.from_numpy(x).float() for x in (drawn.rays, drawn.places))
        return {"sight": lifter_inputs(rays, torch.from_numpy(drawn.seen)), "places": places}

    @torch.no_grad()
    def sample(self, model: nn.Module) -> Float[Tensor, "3 height width"]:
        """Show eight people from the camera above, from their side below; predictions in red."""
        indices = torch.linspace(0, len(self) - 1, SHEET_PEOPLE).long().tolist()
        batch = self.batch(indices, SampleRandom.seeded(0, range(SHEET_PEOPLE)))
        network = copy.deepcopy(cast(LifterLoss, model).network).cpu()
        found = network(batch["sight"]).xyz
        rows = []
        for axes in ([0, 1], [2, 1]):
            cells = torch.full((SHEET_PEOPLE, 3, SHEET_PX, SHEET_PX), -0.8)
            for places, colour in ((batch["places"], TRUE_RGB), (found, FOUND_RGB)):
                at = ((places[..., axes] / 2.4 + 0.5) * SHEET_PX).long().clamp(1, SHEET_PX - 2)
                for person in range(SHEET_PEOPLE):
                    for x, y in at[person].tolist():
                        cells[person, :, y - 1 : y + 2, x - 1 : x + 2] = torch.tensor(colour)[
                            :, None, None
                        ]
            rows.append(torch.cat(list(cells), -1))
        return torch.cat(rows, -2)

    def export(self, model: nn.Module, path: Path, recipe: dict[str, object]) -> None:
        """Write the network."""
        about = {**recipe, "points": list(LIFTED_NAMES)}
        LIFTER.save(path, cast(LifterLoss, model).network, recipe=about)
