import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModel,
)

from posexfer_core.body.model import BodyModel
from posexfer_core.diffusion.parts import NETWORK_FILE
from posexfer_core.diffusion.pipeline import PoseTransferPipeline
from posexfer_core.errors import CheckpointError, ConfigError
from posexfer_core.network.autoencoder import PatchAutoencoder
from posexfer_core.network.guidance import Guidance
from posexfer_core.network.weights import save_bundle
from posexfer_core.transfer.inputs import warp_images
from tests.posexfer_core.diffusion.toys import (
    CONFIG,
    SHAPE,
    standing,
    toy_network,
    toy_pipeline,
    toy_unet,
)

IMAGE = torch.linspace(-1.0, 1.0, 64 * 40).reshape(1, 1, 64, 40).repeat(1, 3, 1, 1)


@cache
def warped(body: BodyModel) -> torch.Tensor:
    return warp_images(IMAGE, standing(body), standing(body, arm=1.0))


def draw(pipeline: PoseTransferPipeline, body, **changes) -> torch.Tensor:
    pipeline.set_progress_bar_config(disable=True)
    return pipeline(
        IMAGE,
        standing(body),
        standing(body, arm=1.0),
        warped=warped(body),
        num_inference_steps=2,
        guidance=Guidance(pose=2.0, identity=1.5),
        generator=torch.Generator().manual_seed(0),
        output_type="pt",
        **changes,
    ).images


def files_of(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_a_bundle_holds_everything(body, tmp_path):
    pipeline = toy_pipeline()
    save_bundle(
        tmp_path / "all.safetensors",
        pipeline.network,
        unet_config=SHAPE.diffusers_config(),
        unet_state=pipeline.unet.state_dict(),
        autoencoder=pipeline.vae,
        dtype=None,
    )
    loaded = PoseTransferPipeline.from_bundle(tmp_path / "all.safetensors")
    assert torch.equal(draw(loaded, body), draw(pipeline, body))


@pytest.mark.slow
def test_a_saved_pipeline_draws_the_same_when_loaded(body, tmp_path):
    pipeline = toy_pipeline()
    expected = draw(pipeline, body)
    pipeline.save_pretrained(tmp_path)
    loaded = PoseTransferPipeline.from_pretrained(tmp_path)
    assert torch.equal(draw(loaded, body), expected)
    assert torch.equal(draw(pipeline, body), expected)  # saving changed nothing
    assert files_of(tmp_path) == [
        "model_index.json",
        "posexfer.safetensors",
        "scheduler/scheduler_config.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
    ]


def test_a_pipeline_loads_in_half_precision(body, tmp_path):
    toy_pipeline().save_pretrained(tmp_path)
    loaded = PoseTransferPipeline.from_pretrained(tmp_path, dtype=torch.bfloat16)
    parts = (loaded.unet, loaded.network, loaded.vae)
    assert {next(part.parameters()).dtype for part in parts} == {torch.bfloat16}
    assert torch.isfinite(draw(loaded, body)).all()


def tiny_kl() -> AutoencoderKL:
    sizes: dict[str, Any] = {
        "block_out_channels": (8, 8, 8, 8),
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "norm_num_groups": 4,
    }
    return AutoencoderKL(latent_channels=4, scaling_factor=0.18215, **sizes).eval()


def tiny_taesd() -> AutoencoderTiny:
    return AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
    ).eval()


@pytest.mark.slow
@pytest.mark.parametrize("make", [tiny_kl, tiny_taesd])
def test_diffusers_autoencoders_are_saved_in_their_own_layout(body, tmp_path, make):
    torch.manual_seed(3)
    pipeline = toy_pipeline()
    pipeline.vae = make()
    expected = draw(pipeline, body)
    pipeline.save_pretrained(tmp_path)
    assert "vae/diffusion_pytorch_model.safetensors" in files_of(tmp_path)
    loaded = PoseTransferPipeline.from_pretrained(tmp_path)
    assert type(loaded.vae) is type(pipeline.vae)
    assert torch.equal(draw(loaded, body), expected)
    loaded.vae = toy_pipeline().vae
    loaded.save_pretrained(tmp_path / "back")
    again = PoseTransferPipeline.from_pretrained(tmp_path / "back")
    assert isinstance(again.vae, PatchAutoencoder)


WORDS = ["<|startoftext|>", "<|endoftext|>", "a</w>", "c", "o", "a", "t</w>", "coat</w>"]


def tiny_tokenizer(folder: Path) -> CLIPTokenizer:
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(WORDS)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=8)


def tiny_text_encoder() -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=len(WORDS),
        hidden_size=SHAPE.cross_attention_dim,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=8,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return CLIPTextModel(config).eval()


@pytest.fixture
def base_folder(tmp_path) -> Path:
    """A toy of the SD 1.5 family as diffusers saves it, text encoder included."""
    torch.manual_seed(4)
    parts: dict[str, Any] = {
        "vae": tiny_kl(),
        "text_encoder": tiny_text_encoder(),
        "tokenizer": tiny_tokenizer(tmp_path),
        "unet": toy_unet(),
        "scheduler": DDIMScheduler(
            beta_schedule="scaled_linear", clip_sample=False, steps_offset=1
        ),
        "safety_checker": None,
        "feature_extractor": None,
    }
    base = StableDiffusionPipeline(**parts, requires_safety_checker=False)
    base.save_pretrained(tmp_path / "base")
    return tmp_path / "base"


def vision_model() -> CLIPVisionModel:
    torch.manual_seed(5)
    config = CLIPVisionConfig(
        hidden_size=CONFIG.clip_width,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
    )
    return CLIPVisionModel(config).eval()


@pytest.mark.slow
def test_an_adapter_sits_on_a_base_of_the_sd15_family(body, tmp_path, base_folder):
    network = toy_network(replace(CONFIG, encoder="clip"))
    adapter = tmp_path / "adapter.safetensors"
    save_bundle(adapter, network, dtype=None)
    pipeline = PoseTransferPipeline.from_pretrained(
        base_folder, adapter=adapter, image_encoder=vision_model()
    )
    assert isinstance(pipeline.vae, AutoencoderKL)
    assert pipeline.scheduler.config["prediction_type"] == "epsilon"
    expected = draw(pipeline, body, prompt="a coat")
    assert not torch.allclose(expected, draw(pipeline, body), atol=1e-4)
    pipeline.save_pretrained(tmp_path / "saved")
    loaded = PoseTransferPipeline.from_pretrained(tmp_path / "saved")
    assert torch.equal(draw(loaded, body, prompt="a coat"), expected)
    assert NETWORK_FILE in files_of(tmp_path / "saved")
    assert not [name for name in files_of(tmp_path / "saved") if name.endswith((".bin", ".pt"))]


def test_an_adapter_alone_cannot_draw(tmp_path):
    save_bundle(tmp_path / "adapter.safetensors", toy_network())
    with pytest.raises(CheckpointError, match="from_pretrained"):
        PoseTransferPipeline.from_bundle(tmp_path / "adapter.safetensors")


def test_a_folder_without_our_file_is_refused(base_folder):
    with pytest.raises(CheckpointError, match=r"posexfer\.safetensors"):
        PoseTransferPipeline.from_pretrained(base_folder)


def test_a_bundle_whose_unet_does_not_fit_its_header_is_refused(tmp_path):
    pipeline = toy_pipeline()
    save_bundle(
        tmp_path / "bad.safetensors",
        pipeline.network,
        unet_config=SHAPE.diffusers_config() | {"layers_per_block": 2},
        unet_state=pipeline.unet.state_dict(),
        autoencoder=pipeline.vae,
    )
    with pytest.raises(CheckpointError, match="does not fit its own header"):
        PoseTransferPipeline.from_bundle(tmp_path / "bad.safetensors")


def test_a_base_of_another_shape_is_refused_when_drawing(body):
    pipeline = toy_pipeline()
    pipeline.unet = toy_unet(replace(SHAPE, cross_attention_dim=24))
    with pytest.raises(ConfigError, match="cross_attention_dim is 24, expected 16"):
        draw(pipeline, body)
