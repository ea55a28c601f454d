"""What neither a place nor its like shows is mirrored at the edge of what is seen."""

import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.warp.counterparts import TRUNK_WITHOUT_HEAD
from posexfer_core.warp.reflections import _mirrored, find_reflections


def test_columns_are_mirrored_at_the_nearest_edge_to_and_fro():
    seen = torch.zeros(3, 60, dtype=torch.bool)
    seen[0, 12:26] = True
    seen[1, 12:18] = True  # too narrow
    region = torch.ones_like(seen)
    region[2, :30], seen[2, 6:20] = False, True  # on another limb
    asked = [(7.5, 0), (28.5, 0), (43.5, 0), (15.0, 0), (25.5, 1), (36.5, 2)]
    columns, found = _mirrored(torch.tensor(asked), seen, region)
    assert found.tolist() == [True, True, True, False, False, False]
    assert columns[:4].tolist() == [16.5, 23.5, 15.5, 15.0]  # seen: stays


def test_a_hidden_belly_looks_at_its_sides_at_the_same_height(posed):
    view = posed()
    places = view.canonical
    trunk = torch.isin(view.parts, view.parts.new_tensor(TRUNK_WITHOUT_HEAD))
    belly = trunk & (places[:, 0].abs() < 0.05) & (places[:, 1].abs() < 0.3)
    kinds = find_reflections(view, ~belly, torch.zeros_like(belly))
    assert len(kinds) == 4
    assert belly.sum() > 100
    own = kinds[0].allowed | kinds[1].allowed
    assert torch.equal(own, own & belly)
    assert float(own[belly].float().mean()) > 0.95
    for kind in kinds[:2]:
        found = kind.carried(places[None])[0][kind.allowed]
        asked = places[kind.allowed]
        assert float((found[:, 1] - asked[:, 1]).abs().max()) < 0.01
        apart = (found[:, 0].abs() - (0.1 - asked[:, 0].abs())).abs()
        assert float(apart.median()) < 0.02


def test_arms_heads_and_what_has_nothing_beside_it_are_left_alone(posed):
    view = posed()
    nothing = torch.zeros(len(view.parts), dtype=torch.bool)
    assert find_reflections(view, nothing, nothing) == []
    assert find_reflections(view, ~nothing, nothing) == []
    arm = view.parts == JOINT_INDEX["l_elbow"]
    assert find_reflections(view, ~arm, nothing) == []
