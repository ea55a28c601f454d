"""ComfyUI and the command line draw the same image from the same weights and noise."""

from typing import Literal

import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.diffusion.pipeline import PoseTransferPipeline
from posexfer_core.files.images import load_image
from posexfer_core.network.guidance import Guidance
from posexfer_core.transfer.staging import stage
from tests.nodes.host_process import ROOT

DEMO = ROOT / "posexfer_core" / "assets" / "demo"
STEPS, SEED = 5, 7
GREY_LEVEL = 1.0 / 255.0


def staged_and_drawn(
    pipeline: PoseTransferPipeline,
    pose: str,
    guidance: Guidance,
    output_type: Literal["pt", "latent"],
) -> torch.Tensor:
    """Draw the person of the demo in one of its poses, as `posexfer transfer` does."""
    source = HumanParams.load(DEMO / "source.npz")
    target = HumanParams.load(DEMO / f"{pose}.npz")
    staged = stage(load_image(DEMO / "source.png"), source, target, BodyModel.bundled())
    return pipeline(
        staged.image,
        staged.source,
        staged.target,
        warped=next(staged.warps()).planes,
        num_inference_steps=STEPS,
        guidance=guidance,
        generator=torch.Generator().manual_seed(SEED),
        output_type=output_type,
    ).images


def drawn_in_the_host(pack, pose: str, guidance: Guidance, **options) -> torch.Tensor:
    """Draw by the nodes, with the settings that they have when they are added."""
    image, body, *_ = pack.run("DemoPerson", person="painted person")
    pose_model, model, vae = pack.run("LoadModel")
    (features,) = pack.run("FeatureLift3D", pose_model=pose_model, image=image, source_body=body)
    target = pack.run("LoadSMPLMesh", file=f"demo/{pose}.npz")[0]
    (conditioned,) = pack.run(
        "ControlGuidanceApply3D", model=model, features=features, target_body=target
    )
    return pack.run(
        "PoseTransferSampler",
        model=conditioned,
        seed=SEED,
        steps=STEPS,
        vae=vae,
        pose_guidance=guidance.pose,
        identity_guidance=guidance.identity,
        **options,
    )[1]


@pytest.mark.parametrize(
    ("pose", "guidance"),
    [("walking", Guidance()), ("arm_in_front", Guidance(pose=1.5, identity=2.0))],
)
def test_both_draw_the_same_image_to_a_grey_level(pack, pose, guidance):
    drawn = staged_and_drawn(PoseTransferPipeline.from_bundle(), pose, guidance, "pt")
    expected = (drawn / 2.0 + 0.5).clamp(0.0, 1.0).movedim(1, -1)
    found = drawn_in_the_host(pack, pose, guidance)
    assert float((found - expected).abs().max()) <= GREY_LEVEL


def test_detail_can_be_left_as_latents_have_it(pack):
    restored = drawn_in_the_host(pack, "walking", Guidance())
    plain = drawn_in_the_host(pack, "walking", Guidance(), restore_detail=False)
    assert float((restored - plain).abs().mean()) > 0.5 * GREY_LEVEL
