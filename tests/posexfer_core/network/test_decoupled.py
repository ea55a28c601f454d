import pytest
import torch
import torch.nn.functional as F

from posexfer_core.network.config import NetworkConfig
from posexfer_core.network.decoupled import DecoupledCrossAttention
from posexfer_core.network.fourier import FourierFeatures, position_grid
from posexfer_core.network.sites import enumerate_sites

SITE, HEIGHT, WIDTH = "down_1_0", 3, 4


def query(generator, batch=2):
    return torch.randn(batch, HEIGHT * WIDTH, 64, generator=generator)


@pytest.mark.parametrize("decoupled", [True, False])
@pytest.mark.parametrize("control_3d", [True, False])
def test_nothing_is_added_before_training(
    toy_network, toy_inputs, generator, decoupled, control_3d
):
    network = toy_network(trained=False, decoupled=decoupled, control_3d=control_3d)
    kv = network.precompute_kv(network.condition(toy_inputs()))
    assert not network.attend(SITE, query(generator), kv, HEIGHT, WIDTH).any()


def split(values):
    return values.unflatten(-1, (4, 16)).transpose(1, 2)


def test_precomputed_keys_and_values_are_those_of_direct_attention(
    toy_network, toy_inputs, generator
):
    network = toy_network()
    condition = network.condition(toy_inputs())
    site, q = network.sites[SITE], query(generator)
    features = network.position_features
    place = site.position(features(position_grid(HEIGHT, WIDTH)))
    key_place = site.position(features(condition.pose_uvz[..., :2]))

    def attention(branch, asked, key, value):
        found = F.scaled_dot_product_attention(split(asked), split(key), split(value))
        return branch.out(found.transpose(1, 2).flatten(2))

    by_identity = attention(
        site.identity,
        q,
        site.identity.to_key(condition.c_id),
        site.identity.to_value(condition.c_id),
    )
    by_pose = attention(
        site.pose,
        q + place,
        site.pose.to_key(condition.c_pose) + key_place,
        site.pose.to_value(condition.c_pose),
    )
    kv = network.precompute_kv(condition)
    added = network.attend(SITE, q, kv, HEIGHT, WIDTH, 0.7, 1.3)
    torch.testing.assert_close(added, 0.7 * by_identity + 1.3 * by_pose)


def test_scales_turn_branches_off_and_may_differ_by_sample(toy_network, toy_inputs, generator):
    network = toy_network()
    kv = network.precompute_kv(network.condition(toy_inputs()))
    q = query(generator)
    identity = network.attend(SITE, q, kv, HEIGHT, WIDTH, 1.0, 0.0)
    pose = network.attend(SITE, q, kv, HEIGHT, WIDTH, 0.0, 1.0)
    assert identity.any() and pose.any()
    assert not network.attend(SITE, q, kv, HEIGHT, WIDTH, 0.0, 0.0).any()
    by_sample = torch.tensor([1.0, 0.0])[:, None, None]
    mixed = network.attend(SITE, q, kv, HEIGHT, WIDTH, by_sample, 1.0 - by_sample)
    torch.testing.assert_close(mixed[0], identity[0])
    torch.testing.assert_close(mixed[1], pose[1])


def test_joint_attention_softmaxes_over_all_tokens_at_once(toy_network, toy_inputs, generator):
    network = toy_network(decoupled=False)
    condition = network.condition(toy_inputs())
    site, q = network.sites[SITE], query(generator)
    features = network.position_features
    tokens = torch.cat([condition.c_id, condition.c_pose], 1)
    key = site.tokens.to_key(tokens)
    key[:, condition.c_id.shape[1] :] += site.position(features(condition.pose_uvz[..., :2]))
    asked = q + site.position(features(position_grid(HEIGHT, WIDTH)))
    found = F.scaled_dot_product_attention(
        split(asked), split(key), split(site.tokens.to_value(tokens))
    )
    expected = site.tokens.out(found.transpose(1, 2).flatten(2))
    kv = network.precompute_kv(condition)
    added = network.attend(SITE, q, kv, HEIGHT, WIDTH, 1.0, 0.5)
    torch.testing.assert_close(added, 0.75 * expected)


def test_queries_in_half_precision_get_an_answer_in_half_precision(
    toy_network, toy_inputs, generator
):
    network = toy_network()
    kv = network.precompute_kv(network.condition(toy_inputs()))
    q = query(generator)
    exact = network.attend(SITE, q, kv, HEIGHT, WIDTH)
    half = network.attend(SITE, q.bfloat16(), kv, HEIGHT, WIDTH)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), exact, rtol=0.05, atol=0.05)


@torch.no_grad()
def test_queries_favour_points_at_their_own_place_before_training():
    torch.manual_seed(0)
    config = NetworkConfig()
    features = FourierFeatures(2, config.position_bands)
    for site in enumerate_sites(config.unet):
        module = DecoupledCrossAttention(site, config, features.width)
        assert module.position is not None
        place = module.position(features(position_grid(16, 11)))
        place = place.unflatten(-1, (site.heads, -1)).transpose(0, 1)
        logits = place @ place.transpose(1, 2) / place.shape[-1] ** 0.5
        own = logits.diagonal(dim1=1, dim2=2)
        torch.testing.assert_close(own, torch.full_like(own, 8.0))
        assert torch.equal(logits.argmax(-1), torch.arange(176).expand(site.heads, -1))
