"""An exported adapter over a small base of random weights: both hosts draw from the same files."""

import json

import pytest
import torch
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from posexfer_core.diffusion.base_files import BaseFiles
from posexfer_core.diffusion.pipeline import PoseTransferPipeline
from posexfer_core.network.config import Ablation, NetworkConfig
from posexfer_core.network.guidance import Guidance
from posexfer_core.network.weights import save_bundle
from tests.nodes.networks import SMALL
from tests.nodes.test_same_image import SEED, STEPS, staged_and_drawn
from tests.posexfer_core.diffusion.toys import toy_network
from tests.small_bases import VISION, ldm_vae, small_vae, write_sd15
from tests.small_shapes import SD15_SHAPED

CONFIG = NetworkConfig.over(
    SD15_SHAPED,
    **(SMALL | {"clip_width": 32, "prior_widths": (8, 8, 16, 16), "latent_scale": 0.18215}),
    ablation=Ablation(prior_head=False),
)
GUIDANCE = Guidance(pose=1.5, identity=2.0)


@pytest.fixture(scope="module")
def files(host, tmp_path_factory):
    """The base in diffusers' layout, and the adapter where the host looks for it."""
    adapter = host.base / "models" / "model_patches" / "adapter.safetensors"
    save_bundle(adapter, toy_network(CONFIG), dtype=None)
    base = write_sd15(tmp_path_factory.mktemp("sd15") / "base")
    CLIPVisionModelWithProjection(CLIPVisionConfig(**VISION)).half().float().save_pretrained(
        base / "image_encoder"
    )  # the host keeps CLIP in half precision
    return base, adapter


@pytest.fixture(scope="module")
def pipeline(files):
    base, adapter = files
    built = PoseTransferPipeline.from_base(BaseFiles(model=base), adapter)
    built.set_progress_bar_config(disable=True)
    return built


@pytest.fixture(scope="module")
def parts(pack, pipeline, tmp_path_factory):
    """MODEL, VAE and CLIP_VISION of the same weights, as the host makes them."""
    from comfy.clip_vision import ClipVisionModel
    from comfy.sd import VAE

    model = pack.module("nodes.host.models").make_unet(
        SD15_SHAPED, pipeline.unet.state_dict(), velocity=False
    )
    model.model.latent_format.scale_factor = CONFIG.latent_scale
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


def test_the_pipeline_and_the_nodes_draw_the_same_from_an_adapter(pack, pipeline, parts):
    model, vae, clip = parts
    expected = staged_and_drawn(pipeline, "walking", GUIDANCE, "latent")
    text = [[pipeline.encode_prompt("", 1).tokens, {}]]
    image, body, *_ = pack.run("DemoPerson", person="painted person")
    pose_model, no_model, no_vae = pack.run("LoadModel", weights="adapter.safetensors")
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
    found = found * CONFIG.latent_scale  # the host's latents are those of the VAE
    assert found.shape == expected.shape
    assert float((found - expected).norm() / expected.norm()) < 1e-4
