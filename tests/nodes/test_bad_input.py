"""What cannot work is told on the node it concerns, with what to do, as a page would show it."""

import pytest
import trimesh

from tests.nodes.server import Outcome, Server
from tests.nodes.zero_text import ZERO_TEXT


def node(kind: str, **inputs) -> dict:
    return {"class_type": kind, "inputs": inputs}


def shown(image: list) -> dict:
    return node("PreviewImage", images=image)


def body(file: str = "input/standing.npz") -> dict:
    return node("PoseXfer_LoadSMPLMesh", file=file)


def transfer(*, unet: str, image: dict) -> dict:
    """A graph whose pose-transfer model is 'toy', with the MODEL of another file."""
    return {
        "weights": node("PoseXfer_LoadModel", weights="toy.safetensors"),
        "other": node("PoseXfer_LoadModel", weights=unet),
        "body": body(),
        "empty": node("EmptyImage", width=88, height=128, batch_size=1, color=200),
        "image": image,
        "lift": node("PoseXfer_FeatureLift3D", pose_model=["weights", 0], image=["image", 0]),
        "apply": node(
            "PoseXfer_ControlGuidanceApply3D", model=["other", 1], features=["lift", 0],
            target_body=["body", 0],
        ),
        "draw": node(
            "PoseXfer_PoseTransferSampler", model=["apply", 0], steps=1, width=88, height=128,
            vae=["weights", 2],
        ),
        "show": shown(["draw", 1]),
    }  # fmt: skip


def outcome_of(server: Server, prompt: dict) -> Outcome:
    """Post a prompt, with every widget that it leaves out at its default."""
    for one in prompt.values():
        one["inputs"] = {**server.defaults(one["class_type"]), **one["inputs"]}
    return server.prompt(prompt)


def failure(server: Server, prompt: dict) -> tuple[str, str]:
    """Run what must fail; give the node and its sentence."""
    outcome = outcome_of(server, prompt)
    assert outcome.end == "execution_error", outcome
    return outcome.error["node_id"], outcome.error["exception_message"]


def refusal(server: Server, prompt: dict, name: str) -> str:
    """Post what must be refused before anything runs; give the sentence on a node."""
    outcome = outcome_of(server, prompt)
    assert outcome.end == "refused", outcome
    return outcome.node_errors[name]["errors"][0]["details"]


def test_a_model_of_another_family_is_told_on_apply(server):
    empty = node("EmptyImage", width=88, height=128, batch_size=1, color=200)
    name, words = failure(server, transfer(unet="other_family.safetensors", image=empty))
    assert name == "apply"
    assert "'toy' was made for" in words and "Connect the MODEL" in words


def test_a_graph_without_apply_is_told_what_to_connect(server):
    empty = node("EmptyImage", width=88, height=128, batch_size=1, color=200)
    prompt = transfer(unet="toy.safetensors", image=empty)
    prompt["draw"]["inputs"]["model"] = ["other", 1]
    name, words = failure(server, prompt)
    assert name == "draw"
    assert "3D Control Guidance Apply" in words


def blank() -> dict:
    return node("EmptyImage", width=88, height=128, batch_size=1, color=200)


def test_a_vae_of_another_family_is_told_before_anything_is_sampled(server):
    prompt = transfer(unet="toy.safetensors", image=blank())
    prompt["other_family"] = node("PoseXfer_LoadModel", weights="other_family.safetensors")
    prompt["draw"]["inputs"]["vae"] = ["other_family", 2]
    name, words = failure(server, prompt)
    assert name == "draw"
    assert "latents of 4 channels, the MODEL draws 16" in words


def test_text_of_another_family_is_told(server):
    prompt = transfer(unet="toy.safetensors", image=blank())
    prompt["clip"] = node(ZERO_TEXT, width=768, pooled=768)
    prompt["text"] = node("CLIPTextEncode", clip=["clip", 0], text="")
    prompt["draw"]["inputs"]["positive"] = ["text", 0]
    name, words = failure(server, prompt)
    assert name == "draw"
    assert "'positive' has text tokens of width 768" in words


def test_sides_that_latents_cannot_have_are_told_with_the_nearest(server):
    prompt = transfer(unet="toy.safetensors", image=blank())
    prompt["draw"]["inputs"]["width"] = 177
    name, words = failure(server, prompt)
    assert name == "draw"
    assert "width is 177 pixels" in words and "take 176" in words


def test_a_picture_that_nobody_can_decode_is_told(server):
    prompt = transfer(unet="toy.safetensors", image=blank())
    del prompt["draw"]["inputs"]["vae"]
    name, words = failure(server, prompt)
    assert name == "show"
    assert "connect one to Pose-Transfer Sampler" in words


@pytest.mark.parametrize(
    ("people", "words"),
    [([], "Frame 0"), ([{"pose_keypoints_2d": [0.0] * 54}], "Frame 0")],
    ids=["no person", "a person without points"],
)
def test_keypoints_without_a_person_are_told(server, people, words):
    frame = {"people": people, "canvas_height": 128, "canvas_width": 88}
    name, said = failure(
        server,
        {
            "image": node("EmptyImage", width=88, height=128, batch_size=1, color=0),
            "estimate": node(
                "PoseXfer_EstimateHumanParams",
                image=["image", 0], keypoints={"__value__": [frame]},
            ),
            "show": shown(["estimate", 1]),
        },
    )  # fmt: skip
    assert name == "estimate"
    assert words in said and "person" in said


def test_a_mesh_that_is_no_person_is_told(server):
    trimesh.creation.icosphere(radius=0.4).export(server.base / "input" / "ball.ply")
    prompt = {"body": body("input/ball.ply"), "show": shown(["body", 2])}
    name, words = failure(server, prompt)
    assert name == "body"
    assert "not recognised as one person" in words


def test_a_missing_file_is_told_with_the_folders_searched(server):
    prompt = {"body": body("input/nobody.npz"), "show": shown(["body", 2])}
    words = refusal(server, prompt, "body")
    assert "no file 'nobody.npz'" in words
    assert str(server.base / "input") in words


@pytest.mark.parametrize("file", ["../secret.npz", "input/../../secret.npz", "/etc/passwd"])
def test_a_path_out_of_the_folders_is_refused(server, file):
    words = refusal(server, {"body": body(file), "show": shown(["body", 2])}, "body")
    assert "not the name of a file inside the folders" in words


def test_a_name_to_save_under_stays_in_the_output_folder(server):
    prompt = {
        "body": body(),
        "save": node("PoseXfer_SaveHumanParams", body=["body", 0], filename_prefix="../out"),
    }
    name, words = failure(server, prompt)
    assert name == "save"
    assert "leads out of the output folder" in words


def test_the_pack_came_up_without_a_warning(server):
    log = server.log()
    assert "IMPORT FAILED" not in log
    lines = [line for line in log.splitlines() if "custom_nodes/posexfer" in line]
    assert any("seconds: " in line for line in lines)
    assert not any("warning" in line.lower() for line in lines)
