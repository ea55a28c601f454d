"""The same weights and the same condition predict the same through diffusers and ComfyUI."""

import pytest
import torch

from posexfer_core.diffusion.attach import attach
from posexfer_core.network.condition import ConditionInputs
from posexfer_core.network.config import MAP_CHANNELS, NetworkConfig, UNetShape
from posexfer_core.network.guidance import FULL, NONE, POSE, stacked_condition
from tests.posexfer_core.diffusion.toys import toy_network, toy_unet

TINY_SHAPED = UNetShape(
    block_out_channels=(32, 32, 64),
    layers_per_block=1,
    heads=(2, 2, 4),
    attention=(False, True, True),
    cross_attention_dim=16,
    latent_channels=16,
)
SD15_SHAPED = UNetShape(
    block_out_channels=(32, 64, 128, 128),
    layers_per_block=2,
    heads=(8, 8, 8, 8),
    attention=(True, True, True, False),
    cross_attention_dim=24,
    latent_channels=4,
)
SMALL = {
    "token_width": 24,
    "encoder_widths": (8, 16, 24),
    "points": 16,
    "control_heads": 2,
    "control_blocks": 1,
    "prior_blocks": 1,
}
NETWORKS = {
    "tiny": NetworkConfig(**SMALL, unet=TINY_SHAPED, prior_widths=(8, 16, 16)),
    "sd15": NetworkConfig(**SMALL, unet=SD15_SHAPED, prior_widths=(8, 8, 16, 16), anchored=False),
    "joint": NetworkConfig(
        **SMALL, unet=TINY_SHAPED, prior_widths=(8, 16, 16), decoupled=False, prior_2d=False
    ),
}
BRANCHES = (FULL, POSE, NONE)
SIZE = (9, 6)  # odd: halves are rounded up


def make_inputs(config: NetworkConfig, generator: torch.Generator) -> ConditionInputs:
    height, width = (8 * side for side in SIZE)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    return ConditionInputs(
        picture=noise(1, 3, height, width),
        source_maps=noise(1, 4, height, width),
        points=noise(1, config.points, 3).clamp(-1.0, 1.0),
        points_canonical=noise(1, config.points, 3),
        maps={name: noise(1, count, height, width) for name, count in MAP_CHANNELS.items()},
        draft_latents=noise(1, config.latent_channels, *SIZE),
    )


def predict_in_host(pack, model, x, timestep, context, kinds):
    """Call the MODEL as a sampler does, and read what its UNet predicted."""
    pe = pack.module("nodes.host.attach")
    seen = []

    def record(executor, *args, **kwargs):
        seen.append(executor(*args, **kwargs))
        return seen[-1]

    model = model.clone()
    model.wrappers[pe.WrappersMP.DIFFUSION_MODEL] = {
        "first": [record],
        **model.wrappers.get(pe.WrappersMP.DIFFUSION_MODEL, {}),
    }
    sampling = model.get_model_object("model_sampling")
    sigma = sampling.sigma(torch.tensor([float(timestep)])).expand(len(x))
    options = {
        **model.model_options["transformer_options"],
        "wrappers": model.wrappers,
        "cond_or_uncond": list(kinds),
        "sigmas": sigma,
        pe.BRANCHES: BRANCHES,
    }
    noisy = x * (sigma[:, None, None, None] ** 2 + 1.0).sqrt()
    with torch.no_grad():
        model.model.apply_model(noisy, sigma, c_crossattn=context, transformer_options=options)
    return seen[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_branch_is_predicted_alike(pack, generator, name):
    config = NETWORKS[name]
    unet, network = toy_unet(config.unet), toy_network(config)
    models, host = pack.module("nodes.host.models"), pack.module("nodes.host.attach")
    theirs = pack.module("posexfer_core.network.model").PoseTransferNetwork(
        pack.module("posexfer_core.network.config").NetworkConfig.from_dict(config.to_dict())
    )
    theirs.load_state_dict(network.state_dict())
    model = models.make_unet(config.unet, unet.state_dict())
    inputs = make_inputs(config, generator)
    with torch.no_grad():
        condition = stacked_condition(network, inputs, BRANCHES)

    patched = host.attach(
        model,
        models.PoseTransferModel.of("toy", theirs),
        lambda size, branches, device: condition,
        host.Strengths(identity=0.7, pose=1.3),
    )
    x = torch.randn(1, config.latent_channels, *SIZE, generator=generator).repeat(3, 1, 1, 1)
    context = torch.randn(3, 5, config.unet.cross_attention_dim, generator=generator)
    found = predict_in_host(pack, patched, x, 321, context, kinds=(0, 1, 2))

    with attach(unet, network) as attachment, torch.no_grad():
        base = attachment.predict(x, torch.tensor(321), context)
        attachment.set_condition(condition, identity_scale=0.7, pose_scale=1.3)
        expected = attachment.predict(x, torch.tensor(321), context)
    assert (expected - base).abs().amax() > 0.05, "the condition is heard"
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0.0)
    for first in range(3):
        for second in range(first):
            assert (found[first] - found[second]).abs().amax() > 1e-3, "branches differ"
