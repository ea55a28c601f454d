from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.diffusion.pipeline import PoseTransferPipeline
from posexfer_core.errors import ConfigError, ImageError
from posexfer_core.files.images import to_pil
from posexfer_core.network.guidance import Guidance
from posexfer_core.transfer.inputs import warp_images
from tests.posexfer_core.diffusion.toys import CONFIG, standing, toy_pipeline


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_image(size: tuple[int, int] = (64, 40), count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, *size, generator=seeded(7)) * 2.0 - 1.0


@cache
def usual_warp(body: BodyModel) -> torch.Tensor:
    return warp_images(random_image(), standing(body), standing(body, arm=1.0))


def draw(pipeline: PoseTransferPipeline, body, **changes) -> torch.Tensor:
    """Draw; the warp of the usual image and bodies is computed once for all tests."""
    settings: dict[str, Any] = {
        "image": random_image(),
        "source": standing(body),
        "target": standing(body, arm=1.0),
        "num_inference_steps": 2,
        "generator": seeded(),
        "output_type": "pt",
    }
    if not changes.keys() & settings.keys() & {"image", "source", "target"}:
        settings["warped"] = usual_warp(body)
    return pipeline(**(settings | changes)).images


@pytest.mark.slow
def test_the_seed_decides_the_result(body):
    pipeline = toy_pipeline()
    once, again = draw(pipeline, body), draw(pipeline, body)
    assert torch.equal(once, again)
    assert not torch.allclose(once, draw(pipeline, body, generator=seeded(1)), atol=1e-3)
    assert once.shape == (1, 3, 64, 40)
    assert once.abs().max() <= 1.0


def test_the_condition_is_computed_once_per_image(body, monkeypatch):
    pipeline = toy_pipeline()
    calls = {"condition": 0, "precompute_kv": 0}
    steps = []
    for name in calls:
        monkeypatch.setattr(pipeline.network, name, _counted(pipeline.network, name, calls))
    pipeline.unet.register_forward_pre_hook(lambda _, args: steps.append(len(args[0])))
    guidance = Guidance(pose=2.0, identity=3.0)
    draw(pipeline, body, num_inference_steps=4, guidance=guidance)
    assert calls == {"condition": 1, "precompute_kv": 1}
    assert steps == [3, 3, 3, 3]  # one call of the UNet a step, three branches each


def _counted(network, name, calls):
    original = getattr(network, name)

    def counting(*args, **kwargs):
        calls[name] += 1
        return original(*args, **kwargs)

    return counting


@pytest.mark.slow
def test_several_at_once_equal_each_alone(body):
    pipeline = toy_pipeline()
    targets = [standing(body, arm=1.0), standing(body, turn=1.0)]
    images = random_image(count=2)
    generators = [seeded(1), seeded(2)]
    both = draw(
        pipeline,
        body,
        image=images,
        target=BodyView.stack(targets),
        generator=generators,
    )
    for row in (0, 1):
        alone = draw(
            pipeline,
            body,
            image=images[row : row + 1],
            target=targets[row],
            generator=[seeded(row + 1)],
        )
        torch.testing.assert_close(both[row : row + 1], alone, atol=1e-4, rtol=1e-3)


def test_one_image_serves_several_targets(body):
    targets = BodyView.stack([standing(body, arm=1.0), standing(body, turn=1.0)])
    assert draw(toy_pipeline(), body, target=targets).shape == (2, 3, 64, 40)


def test_sizes_that_halve_badly_work(body):
    size = (264, 168)
    drawn = draw(
        toy_pipeline(),
        body,
        image=random_image(size),
        source=standing(body, size),
        target=standing(body, size),
        num_inference_steps=1,
    )
    assert drawn.shape == (1, 3, *size)


def test_an_unknown_source_body_and_fewer_conditions_work(body):
    pipeline = toy_pipeline()
    usual = draw(pipeline, body, num_inference_steps=1)
    for changes in ({"source": None}, {"warp": False}, {"prior": False}, {"pose_strength": 0.0}):
        changed = draw(pipeline, body, num_inference_steps=1, **changes)
        assert torch.isfinite(changed).all()
        assert not torch.allclose(changed, usual, atol=1e-3), changes


@pytest.mark.slow
def test_pillow_images_go_in_and_out(body):
    pipeline = toy_pipeline()
    image = random_image()
    drawn = pipeline(
        to_pil(image),
        standing(body),
        standing(body, arm=1.0),
        num_inference_steps=2,
        generator=seeded(),
    ).images
    assert isinstance(drawn, list) and drawn[0].size == (40, 64)
    (again,) = pipeline(
        [to_pil(image)],
        standing(body),
        standing(body, arm=1.0),
        num_inference_steps=2,
        generator=seeded(),
    ).to_tuple()
    assert again[0].tobytes() == drawn[0].tobytes()


@pytest.mark.slow
def test_noise_may_be_given(body):
    pipeline = toy_pipeline()
    noise = torch.randn(1, 4, 8, 5, generator=seeded())
    assert torch.equal(draw(pipeline, body, latents=noise), draw(pipeline, body))
    with pytest.raises(ImageError, match=r"expected \(1, 4, 8, 5\)"):
        draw(pipeline, body, latents=torch.zeros(1, 4, 8, 8))


def test_a_callback_sees_every_step_and_may_change_or_stop_it(body):
    pipeline = toy_pipeline()
    seen = []

    def watch(pipe, step, timestep, tensors):
        seen.append((step, int(timestep), sorted(tensors)))
        pipe.interrupt = step == 1
        return {"latents": torch.zeros_like(tensors["latents"])}

    latents = draw(
        pipeline,
        body,
        num_inference_steps=5,
        callback_on_step_end=watch,
        callback_on_step_end_tensor_inputs=["latents", "prediction"],
        output_type="latent",
    )
    assert seen == [(0, 999, ["latents", "prediction"]), (1, 799, ["latents", "prediction"])]
    assert not latents.any()
    assert len(pipeline.unet._forward_pre_hooks) == 0
    with pytest.raises(ConfigError, match="cannot be shown"):
        draw(
            pipeline,
            body,
            callback_on_step_end=watch,
            callback_on_step_end_tensor_inputs=["mask"],
        )


@pytest.mark.slow
def test_schedulers_that_draw_noise_follow_the_seed(body):
    pipeline = toy_pipeline()
    pipeline.scheduler = DDPMScheduler.from_config(pipeline.scheduler.config)
    once, again = draw(pipeline, body), draw(pipeline, body)
    assert torch.equal(once, again)


def test_half_precision_works(body):
    assert torch.isfinite(draw(toy_pipeline().to(torch.bfloat16), body)).all()


def test_the_unet_is_given_back_when_something_fails(body):
    pipeline = toy_pipeline()
    before = list(pipeline.unet.attn_processors.values())

    def fail(*_):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        draw(pipeline, body, callback_on_step_end=fail)
    assert list(pipeline.unet.attn_processors.values()) == before


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"image": random_image((60, 40))}, ImageError, "60x40"),
        ({"image": random_image()[0]}, ImageError, r"expected \(batch, 3"),
        ({"image": random_image(count=3), "target": 2}, ImageError, "2 target bodies for 3"),
        ({"num_inference_steps": 0}, ConfigError, "at least 1"),
        ({"prompt": "a person"}, ConfigError, "no text encoder"),
    ],
)
def test_what_does_not_go_together_is_refused(body, changes, error, words):
    if changes.get("target"):
        changes = changes | {"target": BodyView.stack([standing(body)] * changes["target"])}
    with pytest.raises(error, match=words):
        draw(toy_pipeline(), body, **changes)


def test_clip_weights_need_a_vision_model():
    with pytest.raises(ConfigError, match="image_encoder"):
        toy_pipeline(replace(CONFIG, encoder="clip"))
