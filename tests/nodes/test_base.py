"""An adapter over a small base of random weights: both hosts draw the same from its file.

The file is one that the commands of training made of DeepFashion in miniature, too.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from posexfer_core.body.model import BodyModel
from posexfer_core.diffusion.base_files import BaseFiles
from posexfer_core.diffusion.pipeline import PoseTransferPipeline
from posexfer_core.network.config import Ablation, NetworkConfig
from posexfer_core.network.guidance import Guidance
from posexfer_core.network.sites import UNetShape
from posexfer_core.network.weights import save_bundle
from tests.nodes.networks import SMALL
from tests.nodes.test_same_image import SEED, STEPS, staged_and_drawn
from tests.posexfer_core.diffusion.toys import toy_network
from tests.small_bases import VISION, ldm_vae, small_vae, write_sd15, write_sdxl
from tests.small_shapes import SD15_SHAPED, SDXL_SHAPED
from tests.training.adapter_run import train_adapter
from tests.training.miniature import make_flawed_deepfashion

GUIDANCE = Guidance(pose=1.5, identity=2.0)
NAME = "adapter.safetensors"
CONFIG = NetworkConfig.over(
    SD15_SHAPED,
    **(SMALL | {"clip_width": 32, "prior_widths": (8, 8, 16, 16), "latent_scale": 0.18215}),
    ablation=Ablation(prior_head=False),
)


@dataclass(frozen=True)
class Family:
    """A small base, and the adapter for it."""

    name: str
    trained: bool
    """By the commands of training; else an adapter whose every branch is heard."""
    shape: UNetShape
    write: Callable[[Path], Path]
    vae_scale: float


FAMILIES = (
    Family("sd15", False, SD15_SHAPED, write_sd15, 0.18215),
    Family("sd15", True, SD15_SHAPED, write_sd15, 0.18215),
    Family("sdxl", True, SDXL_SHAPED, write_sdxl, 0.13025),
)


@pytest.fixture(scope="module")
def deepfashion(tmp_path_factory):
    root = tmp_path_factory.mktemp("deepfashion")
    make_flawed_deepfashion(root, BodyModel.bundled())
    return root


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(
    scope="module", params=FAMILIES, ids=lambda one: f"{one.name}, trained: {one.trained}"
)
def family(request):
    return request.param


@pytest.fixture(scope="module")
def pipeline(host, family, deepfashion, samples, tmp_path_factory):
    """Ours, from the base in diffusers' layout and the adapter where the host looks for it."""
    folder = tmp_path_factory.mktemp("run")
    base, adapter = family.write(folder / "base"), host.base / "models" / "model_patches" / NAME
    CLIPVisionModelWithProjection(CLIPVisionConfig(**VISION)).half().float().save_pretrained(
        base / "image_encoder"
    )  # the host keeps CLIP in half precision
    if family.trained:
        shutil.copy(train_adapter(folder, deepfashion, base, family.name, samples=samples), adapter)
    else:
        save_bundle(adapter, toy_network(CONFIG), dtype=None)
    built = PoseTransferPipeline.from_base(BaseFiles(model=base), adapter)
    built.set_progress_bar_config(disable=True)
    return built


@pytest.fixture(scope="module")
def parts(pack, family, pipeline, tmp_path_factory):
    """MODEL, VAE and CLIP_VISION of the same weights, as the host makes them."""
    import comfy.model_base
    from comfy.clip_vision import ClipVisionModel
    from comfy.sd import VAE

    with pytest.MonkeyPatch.context() as patch:
        if family.name == "sdxl":  # tells its UNet pooled text and sizes
            patch.setattr(comfy.model_base, "BaseModel", comfy.model_base.SDXL)
        model = pack.module("nodes.host.models").make_unet(
            family.shape, pipeline.unet.state_dict(), velocity=False
        )
    model.model.latent_format.scale_factor = family.vae_scale
    sizes = {"ch": 32, "ch_mult": [1, 1, 1, 1], "num_res_blocks": 1, "z_channels": 4}
    described = {**sizes, "double_z": True, "in_channels": 3, "out_ch": 3, "resolution": 256}
    described |= {"attn_resolutions": [], "dropout": 0.0}
    state = {
        name: value[..., None, None] if ".attn_1." in name and value.ndim == 2 else value
        for name, value in ((ldm_vae(n), v) for n, v in small_vae().state_dict().items())
    }
    vae = VAE(
        sd=state,
        config={"params": {"ddconfig": described, "embed_dim": 4}},
        dtype=torch.float32,
    )
    path = tmp_path_factory.mktemp("clip") / "config.json"
    path.write_text(json.dumps({**VISION, "model_type": "clip_vision_model", "num_channels": 3}))
    clip = ClipVisionModel(path)
    clip.load_sd(pipeline.image_encoder.state_dict())
    return model, vae, clip


def test_the_pipeline_and_the_nodes_draw_the_same_from_an_adapter(pack, family, pipeline, parts):
    model, vae, clip = parts
    expected = staged_and_drawn(pipeline, "walking", GUIDANCE, "latent")
    prompt = pipeline.encode_prompt("", 1)
    text = [[prompt.tokens, {"pooled_output": prompt.pooled} if family.name == "sdxl" else {}]]
    image, body, *_ = pack.run("DemoPerson", person="painted person")
    pose_model, no_model, no_vae = pack.run("LoadModel", weights=NAME)
    assert "holds no UNet" in no_model.message and "holds no VAE" in no_vae.message
    (features,) = pack.run(
        "FeatureLift3D",
        pose_model=pose_model,
        image=image,
        source_body=body,
        clip_vision=clip,
        vae=vae,
    )
    target_body = pack.run("LoadSMPLMesh", file="demo/walking.npz")[0]
    (conditioned,) = pack.run(
        "ControlGuidanceApply3D", model=model, features=features, target_body=target_body
    )
    found = pack.run(
        "PoseTransferSampler",
        model=conditioned,
        seed=SEED,
        steps=STEPS,
        vae=vae,
        positive=text,
        negative=text,
        pose_guidance=GUIDANCE.pose,
        identity_guidance=GUIDANCE.identity,
    )[0]["samples"]
    found = found * family.vae_scale  # the host's latents are those of the VAE
    assert found.shape == expected.shape
    assert float((found - expected).norm() / expected.norm()) < 1e-4
