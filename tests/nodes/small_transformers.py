"""Files that ComfyUI takes for FLUX.1 Fill, FLUX.2 Klein, Qwen-Image-Edit and Wan VACE: one layer.

Untrained, as narrow as the host's detection lets them be; without text encoders.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.nodes.small_sd15 import filled, write_halves

_FLUX = {"hidden_size": 256, "num_heads": 2, "depth": 1, "depth_single_blocks": 1}
FLUX_FILL = _FLUX | {
    "in_channels": 96,
    "out_channels": 16,
    "patch_size": 2,
    "vec_in_dim": 768,
    "context_in_dim": 4096,
    "mlp_ratio": 4.0,
    "axes_dim": [16, 56, 56],
    "theta": 10000,
    "qkv_bias": True,
    "guidance_embed": True,
    "txt_ids_dims": [],
}
"""For hosts that take FLUX of any width; older ones know the real one alone."""
KLEIN = _FLUX | {
    "in_channels": 128,
    "out_channels": 128,
    "patch_size": 1,
    "vec_in_dim": None,
    "context_in_dim": 7680,
    "mlp_ratio": 3.0,
    "axes_dim": [32, 32, 32, 32],
    "theta": 2000,
    "qkv_bias": False,
    "guidance_embed": False,
    "txt_ids_dims": [3],
    "global_modulation": True,
    "mlp_silu_act": True,
    "ops_bias": False,
}
KLEIN_VAE = {
    "double_z": True,
    "z_channels": 32,
    "resolution": 256,
    "in_channels": 3,
    "out_ch": 3,
    "ch": 128,
    "ch_mult": [1, 2, 4, 4],
    "num_res_blocks": 2,
    "attn_resolutions": [],
    "batch_norm_latent": True,
}
"""The decoder may be narrower; the encoder may not."""
WAN_VACE = {"dim": 256, "ffn_dim": 256, "num_heads": 2, "num_layers": 1}
WAN_VAE = {
    "z_dim": 16,
    "dim_mult": [1, 2, 4, 4],
    "num_res_blocks": 2,
    "attn_scales": [],
    "temperal_downsample": [False, True, True],
}
WAN_VAE_WIDTH = 96
"""The real one, the only one that older hosts take."""


def write_small_flux(models: Path) -> None:
    """Put FLUX.1 Fill and its VAE under `models`; needs the host's modules imported."""
    from comfy.ldm.flux.model import Flux
    from comfy.taesd.taesd import TAESD

    torch.manual_seed(7)
    _write_transformer(models, "flux1-fill-dev", Flux(**FLUX_FILL, **_plain()))
    path = models / "vae" / "ae.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(filled(TAESD(latent_channels=16)), path)


def write_small_klein(models: Path) -> None:
    """Put FLUX.2 Klein and its VAE under `models`; needs the host's modules imported."""
    from comfy.ldm.flux.model import Flux
    from comfy.ldm.models.autoencoder import AutoencoderKL

    torch.manual_seed(8)
    _write_transformer(models, "flux-2-klein-base-4b-fp8", Flux(**KLEIN, **_plain()))
    narrow = KLEIN_VAE | {"ch": 32}
    vae = filled(AutoencoderKL(ddconfig=KLEIN_VAE, embed_dim=32, decoder_ddconfig=narrow))
    vae["bn.running_var"] = torch.ones_like(vae["bn.running_var"])
    write_halves(models / "vae" / "flux2-vae.safetensors", vae)


def write_small_qwen(models: Path, *, vae_width: int) -> None:
    """Put Qwen-Image-Edit, which has one width alone, and its VAE under `models`: 0.7 GB.

    Needs the host's modules imported.
    """
    from comfy.ldm.qwen_image.model import QwenImageTransformer2DModel

    torch.manual_seed(9)
    transformer = QwenImageTransformer2DModel(num_layers=1, **_plain())
    marker = {"__index_timestep_zero__": torch.zeros(0)}  # says that this is version 2511
    _write_transformer(models, "qwen_image_edit_2511_bf16", transformer, marker)
    _write_wan_vae(models / "vae" / "qwen_image_vae.safetensors", vae_width)


def write_small_wan(models: Path, *, vae_width: int) -> None:
    """Put Wan VACE and its VAE under `models`; needs the host's modules imported."""
    from comfy.ldm.wan.model import VaceWanModel

    torch.manual_seed(10)
    wan = VaceWanModel(**WAN_VACE, vace_layers=1, vace_in_dim=96, **_plain())
    _write_transformer(models, "wan2.1_vace_14B_fp16", wan)
    _write_wan_vae(models / "vae" / "wan_2.1_vae.safetensors", vae_width)


def _plain() -> dict[str, object]:
    """Give what every transformer of the host is made of."""
    import comfy.ops

    operations = comfy.ops.disable_weight_init
    return {"operations": operations, "dtype": torch.float32, "device": "cpu"}


def _write_transformer(
    models: Path, name: str, transformer: nn.Module, marker: dict[str, Tensor] | None = None
) -> None:
    state = _with_unit_scales(filled(transformer)) | (marker or {})
    write_halves(models / "diffusion_models" / f"{name}.safetensors", state)


def _write_wan_vae(path: Path, width: int) -> None:
    from comfy.ldm.wan.vae import WanVAE

    write_halves(path, _with_unit_scales(filled(WanVAE(dim=width, **WAN_VAE))))


def _with_unit_scales(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Let norms scale by one."""
    return {
        name: torch.ones_like(value) if name.endswith(("scale", "gamma")) else value
        for name, value in state.items()
    }
