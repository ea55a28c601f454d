"""Small weights, bodies and an image that stand in for a user's files, made on the spot."""

import shutil
from pathlib import Path

import torch

from posexfer_core.body.params import HumanParams
from posexfer_core.geometry.camera import intrinsics_matrix
from posexfer_core.network.autoencoder import AutoencoderConfig, PatchAutoencoder
from posexfer_core.network.weights import save_bundle
from tests.nodes.host_process import ROOT
from tests.nodes.networks import NETWORKS
from tests.posexfer_core.diffusion.toys import toy_network, toy_unet

SIZE = (128, 88)


def standing_params(*, bend: float = 0.0, frames: int = 1) -> HumanParams:
    """A person 4 m away who faces the camera, the right forearm bent towards it."""
    pose = torch.zeros(frames, 1, 24, 3)
    pose[..., 0, 0] = torch.pi
    pose[..., 16, 2], pose[..., 17, 2] = -1.1, 1.1
    pose[..., 19, 1] = bend
    return HumanParams(
        pose=pose,
        betas=torch.zeros(frames, 1, 10),
        transl=torch.tensor([0.0, 0.0, 4.0]).repeat(frames, 1, 1),
        intrinsics=intrinsics_matrix(1.8 * SIZE[0], SIZE).repeat(frames, 1, 1),
        image_size=SIZE,
    )


def write_small_files(base: Path) -> None:
    """Put parameter files, an image and weights where ComfyUI looks for them in `base`."""
    standing_params().save(base / "input" / "standing.npz")
    standing_params(bend=1.2).save(base / "input" / "bent.npz")
    standing_params(frames=3).save(base / "models" / "smpl" / "walk.npz")
    demo = ROOT / "posexfer_core" / "assets" / "demo" / "source.png"
    shutil.copy(demo, base / "input" / "posexfer_source.png")
    weights = base / "models" / "model_patches"
    for name, kind in (("toy", "tiny"), ("other_family", "sd15")):
        config = NETWORKS[kind]
        torch.manual_seed(3)
        save_bundle(
            weights / f"{name}.safetensors",
            toy_network(config),
            unet_config=config.unet.diffusers_config(),
            unet_state=toy_unet(config.unet).state_dict(),
            autoencoder=PatchAutoencoder(
                AutoencoderConfig(width=8, blocks=1, latent_channels=config.unet.latent_channels)
            ),
            dtype=torch.float16,
        )
    save_bundle(weights / "adapter.safetensors", toy_network(NETWORKS["tiny"]))
