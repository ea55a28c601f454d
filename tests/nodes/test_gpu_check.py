"""The dry run of `make gpu-check` in ComfyUI."""

from tests.nodes.gpu_check import LIMITS, differences


def test_the_nodes_draw_alike_in_every_precision(pack):
    from comfy.cli_args import args

    before = dict(vars(args))
    found = differences(pack)
    assert all(found[kind] <= limit for kind, limit in LIMITS.items())
    assert found["bf16"] > found["fp32"], "the host chose another precision"
    assert vars(args) == before
