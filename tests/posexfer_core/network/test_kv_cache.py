import pytest
import torch

from posexfer_core.network.guidance import Branch, stacked_condition
from posexfer_core.network.kv_cache import attending_rows

SITE, HEIGHT, WIDTH = "down_1_0", 3, 4


def query(generator, batch=2):
    return torch.randn(batch, HEIGHT * WIDTH, 64, generator=generator)


def test_places_of_queries_are_projected_once(toy_network, toy_inputs, generator):
    network = toy_network()
    kv = network.precompute_kv(network.condition(toy_inputs()))
    calls = []
    network.sites[SITE].position.register_forward_hook(lambda *_: calls.append(1))
    for _ in range(3):
        network.attend(SITE, query(generator), kv, HEIGHT, WIDTH)
    assert len(calls) == 1


def test_rows_of_keys_and_values_are_rows_of_the_batch(toy_network, toy_inputs, generator):
    network = toy_network()
    kv = network.precompute_kv(network.condition(toy_inputs(2)))
    q = query(generator)
    index = torch.tensor([1, 0, 1])
    picked = network.attend(SITE, q[index], kv.rows(index), HEIGHT, WIDTH)
    torch.testing.assert_close(picked, network.attend(SITE, q, kv, HEIGHT, WIDTH)[index])


@pytest.fixture
def stacked(toy_network, toy_inputs):
    """Make a network and the condition of four passes: none, pose, all and identity."""
    network = toy_network()
    branches = [
        Branch(*kept) for kept in [(False, False), (False, True), (True, True), (True, False)]
    ]
    return network, stacked_condition(network, toy_inputs(1), branches)


@torch.no_grad()
def test_null_tokens_need_no_attention_and_add_the_same(stacked, generator):
    network, condition = stacked
    q = query(generator, 4)
    spared = network.precompute_kv(condition)
    with torch.enable_grad():
        all_attend = network.precompute_kv(condition)
    assert [len(kv.key) for kv in spared[SITE]] == [2, 2]
    assert [len(kv.key) for kv in all_attend[SITE]] == [4, 4]
    for index in (range(4), [3, 1, 0], [0], [2, 2, 0, 1, 0]):
        rows = torch.tensor(index)
        torch.testing.assert_close(
            network.attend(SITE, q[rows], spared.rows(rows), HEIGHT, WIDTH, 0.7, 1.3),
            network.attend(SITE, q[rows], all_attend.rows(rows), HEIGHT, WIDTH, 0.7, 1.3),
        )


@torch.no_grad()
def test_one_token_that_differs_makes_a_sample_attend():
    tokens = torch.ones(3, 5, 4)
    tokens[1, 4, 3] = 2.0
    only = attending_rows(tokens)
    assert only is not None and only.tolist() == [1]
    tokens[0, 2] = torch.nan
    both = attending_rows(tokens)
    assert both is not None and both.tolist() == [0, 1]
    assert attending_rows(tokens[:2]) is None
    places = torch.zeros(3, 5, 2)
    places[2, 1] = 0.5
    assert attending_rows(tokens, places) is None
