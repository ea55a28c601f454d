import json
import pickle
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from posexfer_core.diffusion.base import Base
from posexfer_core.diffusion.base_files import BaseFiles
from posexfer_core.diffusion.latents import decode_latents, encode_image
from posexfer_core.diffusion.text import encode_text
from posexfer_core.errors import CheckpointError, ConfigError
from posexfer_core.network.config import SD15_LATENT_SCALE, SDXL_LATENT_SCALE
from posexfer_core.network.sites import UNetShape
from tests.small_bases import small_text, write_sd15, write_sdxl, write_single_file
from tests.small_shapes import SD15_SHAPED, SDXL_SHAPED


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_sd15(tmp_path_factory.mktemp("sd15") / "base")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_single_file(tmp_path_factory.mktemp("single") / "base.safetensors")


@torch.no_grad()
def test_a_folder_and_a_single_file_hold_the_same_base(folder, checkpoint, generator):
    sample = torch.randn(1, 4, 9, 6, generator=generator)
    image = torch.rand(1, 3, 64, 48, generator=generator) * 2.0 - 1.0
    predicted, decoded = [], []
    for path in (folder, checkpoint):
        base = Base(BaseFiles(model=path))
        unet, vae = base.load_unet(), base.load_vae()
        text = encode_text(base.load_text_encoders(), base.load_tokenizers())
        assert text.tokens.shape == (1, 8, 24)
        assert not any(one.requires_grad for one in (*unet.parameters(), *vae.parameters()))
        predicted.append(unet(sample, 500, text.tokens).sample)
        decoded.append(decode_latents(vae, encode_image(vae, image)))
    torch.testing.assert_close(*predicted, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(*decoded, atol=1e-5, rtol=1e-5)


def test_the_shape_of_the_network_is_read_off_the_base(folder, checkpoint):
    for path in (folder, checkpoint):
        unet = Base(BaseFiles(model=path)).load_unet()
        assert replace(UNetShape.of_diffusers(unet.config), sample_size=(64, 64)) == SD15_SHAPED


@torch.no_grad()
def test_sdxl_has_two_text_encoders_and_pooled_text(tmp_path):
    base = Base(BaseFiles(model=write_sdxl(tmp_path)))
    text = encode_text(base.load_text_encoders())
    assert text.tokens.shape == (1, 8, SDXL_SHAPED.cross_attention_dim)
    assert text.pooled is not None and text.pooled.shape == (1, SDXL_SHAPED.pooled_text)
    ids = torch.tensor([[6, 7, 0, 0, 0, 0, 0, 0]])  # start, end, and the second's own padding
    second = small_text(16, projected=True)(ids, output_hidden_states=True)
    torch.testing.assert_close(text.tokens[..., 24:], second.hidden_states[-2])
    torch.testing.assert_close(text.pooled, second.text_embeds)


@torch.no_grad()
def test_the_empty_prompt_needs_no_tokenizer(folder):
    base = Base(BaseFiles(model=folder))
    encoders, tokenizers = base.load_text_encoders(), base.load_tokenizers()
    with_tokenizer = encode_text(encoders, tokenizers).tokens
    assert torch.equal(encode_text(encoders).tokens, with_tokenizer)
    with pytest.raises(ConfigError, match="0 tokenizers"):
        encode_text(encoders, (), "a coat")


def test_what_a_base_predicts_is_read_from_it(folder, checkpoint, tmp_path):
    assert Base(BaseFiles(model=folder)).make_scheduler().config["prediction_type"] == "epsilon"
    marked = tmp_path / "v.safetensors"
    save_file({**load_file(checkpoint), "v_pred": torch.zeros(0)}, marked)
    for path, expected in ((checkpoint, "epsilon"), (marked, "v_prediction")):
        scheduler = Base(BaseFiles(model=path)).make_scheduler()
        assert scheduler.config["prediction_type"] == expected


@pytest.mark.parametrize(
    ("part", "load", "words"),
    [
        ("unet", Base.load_unet, "No UNet in the folder"),
        ("vae", Base.load_vae, "No VAE in the folder"),
        ("text_encoder", Base.load_text_encoders, "No text encoder in the folder"),
        ("image_encoder", Base.load_image_encoder, "No CLIP vision encoder in the folder"),
    ],
)
def test_a_missing_part_is_three_lines(folder, tmp_path, part, load, words):
    shutil.copytree(folder, tmp_path / "base")
    shutil.rmtree(tmp_path / "base" / part)
    with pytest.raises(CheckpointError, match=words) as caught:
        load(Base(BaseFiles(model=tmp_path / "base")))
    assert len(str(caught.value).splitlines()) == 3


def test_parts_may_lie_elsewhere(folder, checkpoint, tmp_path):
    shutil.copytree(folder, tmp_path / "base")
    shutil.move(tmp_path / "base" / "vae", tmp_path / "their_vae")
    for vae in (tmp_path / "their_vae", checkpoint):
        assert Base(BaseFiles(model=tmp_path / "base", vae=vae)).load_vae() is not None
    beside = BaseFiles(model=checkpoint, image_encoder=folder / "image_encoder")
    assert Base(beside).load_image_encoder() is not None


def test_a_vae_of_its_own_has_the_latents_of_its_base(checkpoint, tmp_path):
    state = {n: v for n, v in load_file(checkpoint).items() if n.startswith("first_stage_model.")}
    save_file(state, tmp_path / "vae.safetensors")
    base = write_sdxl(tmp_path / "base")
    for model, scale in ((checkpoint, SD15_LATENT_SCALE), (base, SDXL_LATENT_SCALE)):
        vae = Base(BaseFiles(model=model, vae=tmp_path / "vae.safetensors")).load_vae()
        assert vae.config["scaling_factor"] == scale


def test_a_schedule_of_another_kind_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "base")
    config = tmp_path / "base" / "scheduler" / "scheduler_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"rescale_betas_zero_snr": True}))
    with pytest.raises(CheckpointError, match="rescale_betas_zero_snr") as caught:
        Base(BaseFiles(model=tmp_path / "base")).make_scheduler()
    assert len(str(caught.value).splitlines()) == 3


def test_nothing_at_a_path_is_three_lines(tmp_path):
    with pytest.raises(CheckpointError, match="there is nothing at") as caught:
        BaseFiles(model=tmp_path / "missing")
    assert len(str(caught.value).splitlines()) == 3


class Payload:
    def __reduce__(self):
        return (print, ("run",))


def test_pickles_are_refused_unless_they_hold_tensors_alone(checkpoint, tmp_path, capsys):
    state = load_file(checkpoint)
    torch.save({"state_dict": state}, tmp_path / "plain.ckpt")
    assert Base(BaseFiles(model=tmp_path / "plain.ckpt")).load_unet() is not None
    (tmp_path / "bad.ckpt").write_bytes(pickle.dumps({"state_dict": Payload()}))
    torch.save({"state_dict": state, "callbacks": Payload()}, tmp_path / "worse.ckpt")
    for name in ("bad.ckpt", "worse.ckpt"):
        with pytest.raises(CheckpointError, match=f"{name} is refused"):
            Base(BaseFiles(model=tmp_path / name)).load_unet()
    assert "run" not in capsys.readouterr().out


def test_a_folder_of_pickles_is_refused_by_name(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "base")
    weights = next((tmp_path / "base" / "unet").glob("*.safetensors"))
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(CheckpointError, match=r"diffusion_pytorch_model\.bin"):
        Base(BaseFiles(model=tmp_path / "base")).load_unet()


def test_another_file_is_no_base(tmp_path):
    save_file({"lora.weight": torch.zeros(2)}, tmp_path / "lora.safetensors")
    with pytest.raises(CheckpointError, match="holds no UNet"):
        Base(BaseFiles(model=tmp_path / "lora.safetensors")).load_unet()
