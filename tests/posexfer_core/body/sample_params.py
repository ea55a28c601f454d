"""Parameters of people before a camera, for the tests of this folder."""

import torch

from posexfer_core.body.params import HumanParams


def facing_params(**angles: tuple[float, float, float]) -> HumanParams:
    """Stand upright before the camera, 3 m away, arms out, in an image of 256 x 176.

    Args:
        angles: axis-angle of single joints, as `joint_18=(0.0, 1.0, 0.0)`.
    """
    pose = torch.zeros(24, 3)
    pose[0, 0] = torch.pi
    for name, angle in angles.items():
        pose[int(name.removeprefix("joint_"))] = torch.tensor(angle)
    return HumanParams.single(
        pose=pose,
        betas=torch.zeros(10),
        transl=torch.tensor([0.0, 0.1, 3.0]),
        intrinsics=torch.tensor([[300.0, 0.0, 88.0], [0.0, 300.0, 128.0], [0.0, 0.0, 1.0]]),
        image_size=(256, 176),
    )


def random_params(frames: int = 1, persons: int = 1, seed: int = 0) -> HumanParams:
    """Stand before the camera as `facing_params` does, in random poses and shapes."""
    generator = torch.Generator().manual_seed(seed)
    facing = facing_params()
    noise = torch.randn(frames, persons, 24, 3, generator=generator)
    return HumanParams(
        pose=facing.pose + 0.3 * noise,
        betas=torch.randn(frames, persons, 10, generator=generator),
        transl=facing.transl + 0.1 * torch.randn(frames, persons, 3, generator=generator),
        intrinsics=facing.intrinsics.repeat(frames, 1, 1),
        image_size=facing.image_size,
    )
