"""A conditioned MODEL among everything else that ComfyUI does to MODELs."""

import copy
from types import SimpleNamespace

import pytest
import torch

from tests.nodes.networks import NETWORKS, make_inputs, network_in
from tests.posexfer_core.diffusion.toys import toy_network, toy_unet

CONFIG = NETWORKS["sd15"]
STEPS = 3


@pytest.fixture(scope="module")
def toy(host, pack):
    """A small MODEL of the SD 1.5 family, a network for it, and a way to sample."""
    models, attaching = pack.module("nodes.host.models"), pack.module("nodes.host.attach")
    guidance = pack.module("posexfer_core.network.guidance")
    network = network_in(pack, toy_network(CONFIG))
    model = models.make_unet(CONFIG.unet, toy_unet(CONFIG.unet).state_dict(), velocity=False)
    transfer = models.PoseTransferModel.of("toy", network)
    generator = torch.Generator().manual_seed(5)
    inputs = make_inputs(CONFIG, generator)
    width = CONFIG.unet.cross_attention_dim
    text = [[[torch.randn(1, 7, width, generator=generator), {}]] for _ in range(2)]

    def apply(base=model, mask=None, transfer=transfer, **strengths):
        def make(size, branches, device):
            dtype = next(transfer.network.parameters()).dtype
            return guidance.stacked_condition(transfer.network, inputs.to(dtype), branches)

        given = pack.module("nodes.host.control_patch").Strengths(**strengths)
        return attaching.attach(base, transfer, make, given, mask=mask)

    def sample(patched, cfg=4.0, batch=1, size=(9, 6), noise=None, callback=None):
        latent = torch.zeros(batch, CONFIG.latent_channels, *size)
        if noise is None:
            noise = host.sample.prepare_noise(latent, 42)
        with torch.inference_mode():
            return host.sample.sample(
                patched, noise, STEPS, cfg, "euler", "normal", *text, latent, disable_pbar=True,
                seed=42, callback=callback,
            )  # fmt: skip

    return SimpleNamespace(
        model=model,
        transfer=transfer,
        apply=apply,
        sample=sample,
        base=sample(model),
        full=sample(apply()),
        control=lambda patched: patched.get_attachment(attaching.CONTROL_PATCH),
        attaching=attaching,
        cross_attentions=pack.module("nodes.host.family").cross_attentions,
        text=text,
        errors=pack.module("posexfer_core.errors"),
    )


def far(a, b):
    return float((a - b).abs().mean())


def assert_alike(found, expected):
    """Samples agree to a ten-thousandth of their largest value: kernels round differently."""
    torch.testing.assert_close(found, expected, atol=1e-4 * float(expected.abs().max()), rtol=0.0)


def test_a_condition_changes_the_image_and_repeats_to_the_bit(toy):
    assert far(toy.full, toy.base) > 1e-3
    assert torch.equal(toy.sample(toy.apply()), toy.full)


def test_strength_zero_is_the_base_bit_for_bit(toy):
    assert torch.equal(toy.sample(toy.apply(identity=0.0, pose=0.0, prior=0.0)), toy.base)


def test_the_model_that_was_patched_stays_as_it_was(toy):
    toy.apply()
    assert torch.equal(toy.sample(toy.model), toy.base)


def test_clones_share_the_networks_weights(toy):
    clone = toy.apply().clone()
    assert all(one is toy.transfer.patcher for one in clone.model_patches_models())
    assert torch.equal(toy.sample(clone), toy.full)


def test_two_halves_stacked_are_one(toy):
    half = {"identity": 0.5, "pose": 0.5, "prior": 0.5}
    stacked = toy.sample(toy.apply(toy.apply(**half), **half))
    assert_alike(stacked, toy.full)


def test_masks_of_zero_half_and_one(toy):
    mask = torch.ones(1, 72, 48)
    assert torch.equal(toy.sample(toy.apply(mask=0 * mask)), toy.base)
    assert_alike(toy.sample(toy.apply(mask=mask)), toy.full)
    left = mask.clone()
    left[..., 24:] = 0.0
    half = toy.sample(toy.apply(mask=left))
    assert 0.1 * far(toy.full, toy.base) < far(half, toy.base)
    assert far(half, toy.full) > 0.1 * far(toy.full, toy.base)


def test_start_and_end_bound_the_steps(toy):
    late, early = toy.sample(toy.apply(start=0.9)), toy.sample(toy.apply(end=0.1))
    assert 0.0 < far(late, toy.base) < far(toy.full, toy.base)
    assert far(early, toy.full) > 0.0
    assert torch.equal(toy.sample(toy.apply(start=0.7, end=0.7)), toy.base)


def test_cfg_one_evaluates_the_positive_alone(toy):
    one = toy.sample(toy.apply(), cfg=1.0)
    assert torch.isfinite(one).all()
    assert far(one, toy.sample(toy.model, cfg=1.0)) > 1e-3


def test_a_batch_of_two_is_two_batches_of_one(toy, host):
    noise = host.sample.prepare_noise(torch.zeros(2, CONFIG.latent_channels, 9, 6), 7)
    both = toy.sample(toy.apply(), batch=2, noise=noise)
    alone = torch.cat([toy.sample(toy.apply(), noise=one[None]) for one in noise])
    assert_alike(both, alone)


def test_other_sizes_than_the_condition_was_made_for(toy):
    assert torch.isfinite(toy.sample(toy.apply(), size=(11, 7))).all()


def test_everything_is_dropped_after_a_run(toy):
    patched = toy.apply()
    toy.sample(patched)
    control = toy.control(patched)
    assert control.condition is None and control.key_values is None and not control.cached


def test_an_interrupt_leaves_the_next_run_clean(toy, host):
    patched = toy.apply()
    management = host.model_management

    def cancel(step, denoised, x, steps):
        management.interrupt_current_processing()
        management.throw_exception_if_processing_interrupted()  # as the server's progress does

    with pytest.raises(management.InterruptProcessingException):
        toy.sample(patched, callback=cancel)
    assert toy.control(patched).condition is None
    assert torch.equal(toy.sample(patched), toy.full)


def test_keys_and_values_are_projected_once_for_all_steps(toy, monkeypatch):
    network, calls = toy.transfer.network, []
    project = network.precompute_kv
    monkeypatch.setattr(network, "precompute_kv", lambda c: calls.append(1) or project(c))
    assert torch.equal(toy.sample(toy.apply()), toy.full)
    assert len(calls) == 1


class TheirAttention:
    """What packs of the IPAdapter type put into a free slot, and add to a slot that is taken."""

    def __init__(self, attend, callback, **settings):
        self.attend, self.added = attend, [(callback, settings)]

    def add(self, callback, **settings):
        self.added.append((callback, settings))

    def __call__(self, q, k, v, options):
        out = self.attend(q, k, v, options)
        for callback, settings in self.added:
            if settings["sigma_end"] <= float(options["sigmas"][0]) <= settings["sigma_start"]:
                out = out + callback(out, q, k, v, options, **settings)
        return out


def with_their_pack(toy, model, *, sigma_start=1e9):
    """Patch a clone as such a pack does."""
    attend = toy.attaching.plain_attention

    def theirs(out, q, k, v, options, **settings):
        return 0.3 * attend(q, k.flip(1), 0.5 * v, options)

    patched = model.clone()
    options = patched.model_options["transformer_options"] = {
        **patched.model_options["transformer_options"]
    }
    replaced = options["patches_replace"] = {**options.get("patches_replace", {})}
    slots = replaced["attn2"] = {**replaced.get("attn2", {})}
    settings = {"sigma_start": sigma_start, "sigma_end": 0.0}
    for block, _ in toy.cross_attentions(toy.model.model.diffusion_model):
        if block in slots:
            slots[block].add(theirs, **settings)
        else:
            slots[block] = TheirAttention(attend, theirs, **settings)
    return patched


def test_an_ipadapter_before_and_after_are_alike(toy):
    patched = toy.apply()
    before = toy.sample(toy.apply(with_their_pack(toy, toy.model)))
    after = toy.sample(with_their_pack(toy, patched))
    assert far(before, toy.full) > 1e-4
    assert_alike(after, before)


def test_an_ipadapter_on_a_clone_does_not_reach_the_original(toy):
    patched = toy.apply()
    with_their_pack(toy, patched)
    assert torch.equal(toy.sample(patched), toy.full)


def test_an_ipadapter_keeps_to_its_own_steps(toy):
    never = with_their_pack(toy, toy.apply(), sigma_start=-1.0)
    assert torch.equal(toy.sample(never), toy.full)


@pytest.mark.parametrize("style", ["own key", "same key"])
def test_packs_that_couple_prompts_change_nothing(toy, style):
    """Such a pack doubles the positive rows before the attention, and weighs them after it."""
    kinds = []

    def couple(n, context, value, options):
        order = kinds[:] = options["cond_or_uncond"]
        doubled = [kind for kind in order for _ in range(2 if kind == 0 else 1)]
        rows = [row for row, kind in enumerate(order) for _ in range(2 if kind == 0 else 1)]
        name = "cond_or_uncond_hook_couple" if style == "own key" else "cond_or_uncond"
        options[name] = doubled
        return n[rows], context[rows], value[rows]

    def uncouple(n, options):
        parts, row = [], 0
        for kind in kinds:
            count = 2 if kind == 0 else 1
            parts.append(n[row : row + count].mean(0, keepdim=True))
            row += count
        options.pop("cond_or_uncond_hook_couple", None)
        options["cond_or_uncond"] = list(kinds)
        return torch.cat(parts)

    coupled = toy.apply().clone()
    coupled.set_model_attn2_patch(couple)
    coupled.set_model_attn2_output_patch(uncouple)
    assert_alike(toy.sample(coupled), toy.full)
    assert kinds


def test_weights_of_half_precision_are_alike(toy, pack):
    half = copy.deepcopy(toy.transfer.network).half()
    transfer = pack.module("nodes.host.models").PoseTransferModel.of("half", half)
    patched = toy.sample(toy.apply(transfer=transfer))
    assert patched.dtype == torch.float32
    assert far(patched, toy.full) < 0.02 * far(toy.full, toy.base)


def test_negative_conditionings_are_conditioned_on_request(toy):
    assert far(toy.sample(toy.apply(everywhere=True)), toy.full) > 1e-4


def test_a_lora_applies_and_restores_before_and_after(toy, generator):
    patched = toy.apply()
    key = "diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_q.weight"
    weight = toy.model.model.state_dict()[key].clone()
    patch = {key: ("diff", (0.5 * torch.randn(weight.shape, generator=generator),))}
    lora, below = patched.clone(), toy.model.clone()
    assert lora.add_patches(patch, 1.0) == below.add_patches(patch, 1.0) == [key]
    on_top = toy.sample(lora)
    assert far(on_top, toy.full) > 1e-5
    assert torch.equal(toy.sample(toy.apply(below)), on_top)
    assert torch.equal(toy.sample(patched), toy.full)
    assert torch.equal(toy.model.model.state_dict()[key], weight)


def test_a_model_of_another_family_is_refused_in_words(toy, pack):
    other = NETWORKS["tiny"]
    models = pack.module("nodes.host.models")
    unet = models.make_unet(other.unet, toy_unet(other.unet).state_dict())
    with pytest.raises(toy.errors.ConfigError, match="were made for"):
        toy.apply(unet)
