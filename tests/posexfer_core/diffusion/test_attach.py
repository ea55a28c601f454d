from dataclasses import replace

import pytest
import torch

from posexfer_core.diffusion.attach import attach
from posexfer_core.diffusion.text import no_text
from posexfer_core.errors import ConfigError
from posexfer_core.network.condition import Condition, Dropout
from posexfer_core.network.config import Ablation
from posexfer_core.network.guidance import Guidance, stacked_condition
from posexfer_core.network.sites import UNetShape
from tests.posexfer_core.diffusion.toys import CONFIG, SHAPE, random_inputs, toy_network, toy_unet


def sample_and_context(generator: torch.Generator, batch: int = 2, size: tuple[int, int] = (8, 5)):
    sample = torch.randn(batch, SHAPE.latent_channels, *size, generator=generator)
    context = torch.randn(batch, 3, SHAPE.cross_attention_dim, generator=generator)
    return sample, context


@torch.no_grad()
def test_without_a_condition_and_after_detach_the_base_predicts_the_same_bits(generator):
    unet, network = toy_unet(), toy_network()
    sample, context = sample_and_context(generator)
    base = unet(sample, 10, context).sample
    processors = list(unet.attn_processors.values())
    with attach(unet, network) as attachment:
        assert torch.equal(attachment.predict(sample, 10, context), base)
        attachment.set_condition(network.condition(random_inputs(generator)))
        assert not torch.allclose(attachment.predict(sample, 10, context), base, atol=1e-2)
        attachment.set_condition(None)
        assert torch.equal(attachment.predict(sample, 10, context), base)
    assert torch.equal(unet(sample, 10, context).sample, base)
    assert list(unet.attn_processors.values()) == processors
    hooks = [module for module in unet.modules() if module._forward_hooks]
    assert not hooks and not unet._forward_pre_hooks


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_fresh_network_leaves_the_base_as_it_is(generator, dtype):
    adapter = replace(CONFIG, ablation=Ablation(prior_head=False))  # for a UNet from elsewhere
    unet, network = toy_unet().to(dtype), toy_network(adapter, fresh=True).to(dtype)
    sample, context = (x.to(dtype) for x in sample_and_context(generator))
    base = unet(sample, 10, context).sample
    with attach(unet, network) as attachment:
        attachment.set_condition(network.condition(random_inputs(generator).to(dtype)))
        assert torch.equal(attachment.predict(sample, 10, context), base)


@torch.no_grad()
def test_someone_elses_call_of_the_unet_is_conditioned_too(generator):
    unet, network = toy_unet(), toy_network()
    sample, context = sample_and_context(generator)
    with attach(unet, network) as attachment:
        attachment.set_condition(network.condition(random_inputs(generator)))
        ours = attachment.predict(sample, 10, context)
        theirs = unet(sample=sample, timestep=10, encoder_hidden_states=context).sample
    assert torch.equal(ours, theirs)


@torch.no_grad()
def test_strengths_of_zero_leave_the_residuals_alone(generator):
    unet, network = toy_unet(), toy_network()
    sample, context = sample_and_context(generator)
    condition = network.condition(random_inputs(generator))
    condition = replace(condition, latent_prior=None)
    bare = replace(condition, residuals=())
    with attach(unet, network) as attachment:
        attachment.set_condition(bare, identity_scale=0.0, pose_scale=0.0)
        tokens_off = attachment.predict(sample, 10, context)
        attachment.set_condition(condition, identity_scale=0.0, pose_scale=0.0)
        residuals_only = attachment.predict(sample, 10, context)
    assert torch.equal(tokens_off, unet(sample, 10, context).sample)
    assert not torch.allclose(residuals_only, tokens_off, atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("level", range(3))
def test_every_level_of_the_residuals_is_heard_and_enters_before_downsampling(generator, level):
    unet, network = toy_unet(), toy_network()
    sample, context = sample_and_context(generator)
    condition = network.condition(random_inputs(generator))
    one_level = tuple(
        residual if number == level else torch.zeros_like(residual)
        for number, residual in enumerate(condition.residuals)
    )
    with attach(unet, network) as attachment:
        attachment.set_condition(replace(condition, residuals=one_level))
        heard = attachment.predict(sample, 10, context)
        attachment.set_condition(replace(condition, residuals=()))
        unheard = attachment.predict(sample, 10, context)
    assert not torch.allclose(heard, unheard, atol=1e-3)


@torch.no_grad()
def test_two_images_at_once_equal_each_alone(generator):
    unet, network = toy_unet(), toy_network()
    sample, context = sample_and_context(generator)
    condition = network.condition(random_inputs(generator))
    steps = torch.tensor([700, 20])
    with attach(unet, network) as attachment:
        attachment.set_condition(condition)
        both = attachment.predict(sample, steps, context)
        for row in (0, 1):
            one = slice(row, row + 1)
            attachment.set_condition(_row(condition, one))
            alone = attachment.predict(sample[one], steps[one], context[one])
            torch.testing.assert_close(both[one], alone, atol=1e-5, rtol=1e-4)


def _row(condition: Condition, one: slice) -> Condition:
    return condition.map_tensors(lambda tensor: tensor[one])


@torch.no_grad()
def test_odd_latent_sizes_work(generator):
    unet, network = toy_unet(), toy_network()
    sample, context = sample_and_context(generator, size=(33, 21))
    with attach(unet, network) as attachment:
        attachment.set_condition(network.condition(random_inputs(generator, height=264, width=168)))
        assert attachment.predict(sample, 10, context).shape == sample.shape


def test_keys_and_values_are_projected_once_and_not_at_every_step(generator, monkeypatch):
    unet, network = toy_unet(), toy_network()
    sample, context = sample_and_context(generator)
    calls = []
    project = network.precompute_kv
    monkeypatch.setattr(network, "precompute_kv", lambda c: calls.append(1) or project(c))
    projections = [
        module
        for name, module in network.named_modules()
        if name.endswith(("to_key", "to_value")) and name.startswith("sites.")
    ]
    counted = []
    for module in projections:
        module.register_forward_hook(lambda *_: counted.append(1))
    with torch.no_grad(), attach(unet, network) as attachment:
        attachment.set_condition(network.condition(random_inputs(generator)))
        for step in (900, 500, 100):
            attachment.predict(sample, step, context)
    assert len(calls) == 1
    assert len(counted) == len(projections)


@pytest.mark.parametrize("autocast", [False, True])
def test_gradients_reach_the_network_and_the_unet(generator, autocast):
    unet, network = toy_unet(), toy_network()
    sample, context = sample_and_context(generator)
    for _ in range(2):  # a fresh condition at each step, as in training
        with (
            torch.autocast("cpu", torch.bfloat16, enabled=autocast),
            attach(unet, network) as attachment,
        ):
            attachment.set_condition(network.condition(random_inputs(generator)))
            loss = attachment.predict(sample, torch.tensor([5, 800]), context).square().mean()
        loss.backward()
    unused = {"null_identity", "null_pose", "params_head"}
    for name, parameter in network.named_parameters():
        if name.split(".")[0] not in unused:
            assert parameter.grad is not None and parameter.grad.any(), name
    assert all(parameter.grad is not None for parameter in unet.parameters())


def test_activation_checkpointing_gives_the_same_gradients(generator):
    inputs = random_inputs(generator)
    sample, context = sample_and_context(generator)
    gradients = []
    for checkpointing in (False, True):
        unet, network = toy_unet().train(), toy_network()
        if checkpointing:
            unet.enable_gradient_checkpointing()
        attachment = attach(unet, network)
        attachment.set_condition(network.condition(inputs))
        attachment.predict(sample, 10, context).square().mean().backward()
        attachment.detach()
        gradients.append([p.grad for p in unet.parameters()])
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cross_attention_dim": 24}, "cross_attention_dim is 24, expected 16"),
        ({"latent_channels": 9}, "in_channels is 9, expected 4"),
        ({"heads": (2, 2, 4)}, "64 channels in 2 heads, expected 64 channels in 4 heads"),
        ({"attention": (False, True, False)}, "attn2 is missing, expected 32 channels"),
        ({"attention": (True, True, True)}, "attn2 is 64 channels in 4 heads, expected none"),
    ],
)
def test_a_unet_of_another_shape_is_refused(changes: dict, words: str):
    other = toy_unet(UNetShape(**({**SHAPE.__dict__} | changes)))
    before = list(other.attn_processors.values())
    with pytest.raises(ConfigError) as caught:
        attach(other, toy_network())
    assert words in str(caught.value)
    assert list(other.attn_processors.values()) == before


def test_attaching_twice_is_refused():
    unet, network = toy_unet(), toy_network()
    attach(unet, network)
    with pytest.raises(ConfigError, match="attached to this UNet already"):
        attach(unet, network)


@torch.no_grad()
def test_a_condition_of_another_batch_is_refused(generator):
    unet, network = toy_unet(), toy_network()
    with attach(unet, network) as attachment:
        attachment.set_condition(network.condition(random_inputs(generator, batch=3)))
        with pytest.raises(ConfigError, match="for 3 samples, the UNet was given 2"):
            attachment.predict(*_with_step(*sample_and_context(generator)))


def _with_step(sample: torch.Tensor, context: torch.Tensor):
    return sample, 10, context


@torch.no_grad()
@pytest.mark.parametrize("mode", ["three", "two"])
def test_one_stacked_pass_equals_separate_passes_by_hand(generator, mode):
    unet, network = toy_unet(), toy_network()
    inputs = random_inputs(generator)
    sample = torch.randn(2, SHAPE.latent_channels, 8, 5, generator=generator)
    context = no_text(unet, 2).tokens
    guidance = Guidance(pose=2.5, identity=4.0, mode=mode)
    with attach(unet, network) as attachment:

        def alone(identity: bool, pose: bool) -> torch.Tensor:
            condition = network.condition(
                inputs,
                Dropout(
                    keep_identity=torch.tensor([identity] * 2),
                    keep_pose=torch.tensor([pose] * 2),
                ),
            )
            attachment.set_condition(condition)
            return attachment.predict(sample, 300, context)

        none, pose, full = alone(False, False), alone(False, True), alone(True, True)
        if mode == "three":
            by_hand = none + 2.5 * (pose - none) + 4.0 * (full - pose)
        else:
            by_hand = none + 4.0 * (full - none)
        attachment.set_condition(stacked_condition(network, inputs, guidance.weights))
        stacked = attachment.predict_guided(guidance, sample, 300, context)
    torch.testing.assert_close(stacked, by_hand, atol=2e-5, rtol=1e-4)
    assert not torch.allclose(none, pose, atol=1e-2) and not torch.allclose(pose, full, atol=1e-2)
