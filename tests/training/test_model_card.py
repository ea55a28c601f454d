from pathlib import Path

import torch

from posexfer_core.network.autoencoder import AutoencoderConfig, PatchAutoencoder
from posexfer_core.network.weights import AUTOENCODER
from training.model_card import write_model_card


def test_a_card_says_what_how_and_how_well(tmp_path: Path):
    torch.manual_seed(0)
    weights = tmp_path / "bundle.safetensors"
    recipe = {"steps": 7, "config": {"run": {"seed": 3, "data": "a|b"}}}
    network = PatchAutoencoder(AutoencoderConfig(width=8, blocks=1))
    AUTOENCODER.save(weights, network, recipe=recipe)
    card = write_model_card(weights, losses={"loss": 0.25}, hardware="2 x cpu").read_text()
    assert card.startswith("# bundle\n")
    for row in ("| steps | 7 |", "| hardware | 2 x cpu |", "| seed | 3 |", "| loss | 0.25 |"):
        assert row in card.splitlines()
    assert "| data | a\\|b |" in card and "### [run]" in card
