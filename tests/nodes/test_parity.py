"""The same weights and the same condition predict the same through diffusers and ComfyUI."""

import pytest
import torch

from posexfer_core.diffusion.attach import attach
from posexfer_core.diffusion.pipeline import PoseTransferPipeline
from posexfer_core.network.guidance import FULL, NONE, POSE, stacked_condition
from posexfer_core.network.noise_schedule import alpha_bar_at
from tests.nodes.host_process import ROOT
from tests.nodes.networks import NETWORKS, SIZE, make_inputs, network_in
from tests.posexfer_core.diffusion.toys import toy_network, toy_unet

BRANCHES = (FULL, POSE, NONE)
BUNDLED = ROOT / "posexfer_core" / "assets" / "tiny.safetensors"


def unet_and_network(name):
    """Random weights of a shape that has a name, or the bundled ones."""
    if name == "bundled":
        pipeline = PoseTransferPipeline.from_bundle(BUNDLED)
        return pipeline.unet.eval(), pipeline.network.eval()
    return toy_unet(NETWORKS[name].unet), toy_network(NETWORKS[name])


def predict_in_host(pack, model, x, timestep, context, kinds, added=None):
    """Call the MODEL as a sampler does, and read what its UNet predicted."""
    kind = pack.module("nodes.host.attach").WrappersMP.DIFFUSION_MODEL
    seen = []

    def record(executor, *args, **kwargs):
        seen.append(executor(*args, **kwargs))
        return seen[-1]

    model = model.clone()
    model.wrappers[kind] = {"first": [record], **model.wrappers.get(kind, {})}
    sampling = model.get_model_object("model_sampling")
    sigma = sampling.sigma(torch.tensor([float(timestep)])).expand(len(x))
    options = {
        **model.model_options["transformer_options"],
        "wrappers": model.wrappers,
        "cond_or_uncond": list(kinds),
        "sigmas": sigma,
        pack.module("nodes.host.control_patch").BRANCHES: BRANCHES,
    }
    noisy = x * (sigma[:, None, None, None] ** 2 + 1.0).sqrt()
    with torch.no_grad():
        model.model.apply_model(
            noisy, sigma, c_crossattn=context, transformer_options=options, **(added or {})
        )
    return seen[0]


def pooled_text(shape, x, generator):
    """Draw pooled text, for families that have any, and join it with sizes as the host does."""
    if not shape.pooled_text:
        return None, None
    from comfy.ldm.modules.diffusionmodules.openaimodel import Timestep

    pooled = torch.randn(len(x), shape.pooled_text, generator=generator)
    height, width = (8 * side for side in SIZE)
    sizes = torch.tensor([height, width, 0, 0, height, width])  # in the order of the host's SDXL
    embedded = Timestep(256)(sizes).flatten().expand(len(x), -1)
    return pooled, {"y": torch.cat([pooled, embedded], 1)}


@pytest.mark.parametrize("name", [*NETWORKS, "bundled"])
def test_every_branch_is_predicted_alike(pack, generator, name):
    unet, network = unet_and_network(name)
    config = network.config
    models, host = pack.module("nodes.host.models"), pack.module("nodes.host.attach")
    theirs = network_in(pack, network)
    model = models.make_unet(config.unet, unet.state_dict())
    inputs = make_inputs(config, generator)
    with torch.no_grad():
        condition = stacked_condition(network, inputs, BRANCHES)

    patched = host.attach(
        model,
        models.PoseTransferModel.of("toy", theirs),
        lambda size, branches, device: condition,
        pack.module("nodes.host.control_patch").Strengths(identity=0.7, pose=1.3),
    )
    x = torch.randn(1, config.latent_channels, *SIZE, generator=generator).repeat(3, 1, 1, 1)
    context = torch.randn(3, 5, config.unet.cross_attention_dim, generator=generator)
    pooled, added = pooled_text(config.unet, x, generator)
    found = predict_in_host(pack, patched, x, 321, context, kinds=(0, 1, 2), added=added)

    with attach(unet, network) as attachment, torch.no_grad():
        base = attachment.predict(x, torch.tensor(321), context, pooled)
        attachment.set_condition(condition, identity_scale=0.7, pose_scale=1.3)
        expected = attachment.predict(x, torch.tensor(321), context, pooled)
    assert (expected - base).abs().amax() > 0.05, "the condition is heard"
    largest = float(expected.abs().max())
    torch.testing.assert_close(found, expected, atol=1e-4 * largest, rtol=0.0)
    for first in range(3):
        for second in range(first):
            assert (found[first] - found[second]).abs().amax() > 1e-3, "branches differ"


@pytest.mark.parametrize("zero", [False, True])
def test_the_host_samples_by_the_very_schedule(pack, zero):
    """Its sigma is noise over signal; the last of a schedule that ends without any is 4518."""
    unet, network = unet_and_network("sd15")
    models = pack.module("nodes.host.models")
    model = models.make_unet(network.config.unet, unet.state_dict(), zero_terminal_snr=zero)
    alpha_bar = alpha_bar_at(torch.arange(1000), zero)
    expected = ((1.0 - alpha_bar) / alpha_bar).sqrt()
    torch.testing.assert_close(model.model.model_sampling.sigmas, expected, rtol=2e-3, atol=1e-5)
