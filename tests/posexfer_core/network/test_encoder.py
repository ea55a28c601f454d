from dataclasses import replace

import pytest
import torch

from posexfer_core.errors import ConfigError


@pytest.mark.parametrize(("size", "tokens"), [((48, 32), 6), ((40, 24), 6), ((16, 16), 1)])
def test_every_sixteenth_of_the_image_is_a_token(toy_network, toy_inputs, size, tokens):
    encoder = toy_network().encoder
    assert encoder(toy_inputs(3, size=size)).shape == (3, tokens, 24)


def test_tokens_tell_where_they_are(toy_network, toy_inputs):
    inputs = toy_inputs(1, size=(32, 48))
    flat = replace(
        inputs,
        image=torch.zeros_like(inputs.image),
        source_maps=torch.zeros_like(inputs.source_maps),
    )
    network = toy_network(trained=False)
    tokens = network.encoder(flat)[0]
    distances = torch.cdist(tokens, tokens) + torch.eye(6)
    assert distances.min() > 0.1


def test_tokens_tell_which_place_of_the_body_they_show(toy_network, toy_inputs):
    encoder = toy_network().encoder
    inputs = toy_inputs(1, size=(16, 16))
    maps = torch.ones(1, 4, 16, 16)
    maps[:, :3] = 0.25
    half = maps.clone()
    half[..., 8:] = 0.0  # half the pixels show the same place, the others no body
    none, whole, some = (
        encoder(replace(inputs, source_maps=each)) - encoder.to_tokens.bias
        for each in (torch.zeros_like(maps), maps, half)
    )
    assert encoder.body_places(replace(inputs, source_maps=half)).share.item() == 0.5
    places = encoder.body_places(replace(inputs, source_maps=half)).canonical
    torch.testing.assert_close(places, torch.full((1, 1, 3), 0.25))
    assert not torch.equal(whole, none) and not torch.equal(some, whole)


def test_tokens_may_be_of_eight_pixels(toy_network, toy_inputs):
    network, inputs = toy_network(token_stride=8), toy_inputs(1, size=(48, 40))
    assert network.encoder(inputs).shape == (1, 30, 24)
    assert network.encoder.body_places(inputs).share.shape == (1, 30, 1)


def test_clip_states_show_no_place_and_latents_show_their_own(toy_network, toy_inputs):
    network, inputs = toy_network(encoder="clip"), toy_inputs(2)
    shown = network.encoder.body_places(inputs)
    assert shown.share.shape == (2, 5 + 9, 1)
    assert not shown.share[:, :5].any() and shown.share[:, 5:].all()


def test_clip_tokens_come_before_those_of_the_latents(toy_network, toy_inputs):
    network, inputs = toy_network(encoder="clip"), toy_inputs(2)  # latents of 6x5: 3x3 patches
    assert network.encoder(inputs).shape == (2, 5 + 9, 24)
    other = replace(inputs, source_latents=torch.zeros(2, 4, 6, 5))
    assert torch.equal(network.encoder(other)[:, :5], network.encoder(inputs)[:, :5])


def test_clip_encoder_says_what_is_missing(toy_network, toy_inputs):
    with pytest.raises(ConfigError, match="clip_hidden"):
        toy_network(encoder="clip").condition(replace(toy_inputs(), clip_hidden=None))
