"""What neither a place nor its like shows is mirrored at the edge of what is seen."""

import torch

from posexfer_core.body.joints import JOINT_INDEX, TRUNK_WITHOUT_HEAD
from posexfer_core.body.view import BodyView
from posexfer_core.warp.counterparts import Counterpart, find_counterparts
from posexfer_core.warp.hairline import COLUMNS, HairBand
from posexfer_core.warp.reflections import _mirrored, find_reflections


def _kinds(view: BodyView) -> list[Counterpart]:
    nobody = torch.zeros(len(view.parts), dtype=torch.bool)
    heights = torch.full((2, COLUMNS), 0.85)
    return find_counterparts(view, nobody, HairBand(-0.1, 0.1, *heights), None)[:3]


def _flanks(view: BodyView) -> torch.Tensor:
    _, y, z = view.canonical.unbind(1)
    trunk = torch.isin(view.parts, view.parts.new_tensor(TRUNK_WITHOUT_HEAD))
    return trunk & (y > 0.1) & (y < 0.35) & (z.abs() < 0.03)


def test_columns_are_mirrored_at_the_edge_to_and_fro():
    seen = torch.zeros(2, 160, dtype=torch.bool)
    seen[0, 12:46] = True
    seen[1, 12:18] = True  # too narrow
    asked = torch.tensor([(48.5, 0), (82.5, 0), (7.5, 0), (36.5, 1)])
    columns, away = _mirrored(asked, seen, flipped=False)
    assert columns.tolist() == [43.5, 14.5, 7.5, 36.5]  # 9.5 is back at 14.5; not found: stays
    assert away.isfinite().tolist() == [True, True, False, False]
    columns, away = _mirrored(asked, seen, flipped=True)
    assert float(columns[2]) == 16.5
    assert away.isfinite().tolist() == [False, False, True, False]


def test_hidden_flanks_look_before_and_behind_them_at_the_same_height(posed):
    view = posed()
    places, flanks = view.canonical, _flanks(view)
    kinds = find_reflections(view, ~flanks, _kinds(view))
    assert len(kinds) == 8
    edges = kinds[0], kinds[4]
    found = (edges[0].allowed | edges[1].allowed)[flanks]
    assert flanks.sum() > 50
    assert float(found.float().mean()) > 0.95
    for kind in edges:
        asked = kind.allowed & flanks
        moved = kind.carried(places[None])[0]
        assert float((moved - places)[asked, 1].abs().max()) < 0.01
        assert float(moved[asked, 2].abs().min()) > 0.025  # what is seen


def test_known_places_beside_stand_for_themselves_so_that_no_seam_is_left(posed):
    view = posed()
    flanks = _flanks(view)
    faces = view.faces.long()
    kinds = find_reflections(view, ~flanks, _kinds(view))
    at_edge = flanks[faces].any(1) & ~flanks[faces].all(1)
    asked = kinds[0].allowed[faces].all(1) | kinds[4].allowed[faces].all(1)
    assert float(asked[at_edge].float().mean()) > 0.9
    known = kinds[0].allowed & ~flanks
    moved = (kinds[0].carried(view.canonical[None])[0] - view.canonical).norm(dim=1)
    assert float(moved[known].median()) == 0.0


def test_the_like_of_what_stands_for_a_place_stands_for_it_too(posed):
    view = posed()
    kinds, flanks = _kinds(view), _flanks(view)
    itself, other = find_reflections(view, ~flanks, kinds)[:2]
    both = itself.allowed & other.allowed
    through = itself.carried(kinds[0].carried(view.canonical[None]))
    torch.testing.assert_close(other.carried(view.canonical[None])[0, both], through[0, both])


def test_arms_and_what_has_nothing_seen_beside_it_are_left_alone(posed):
    view = posed()
    nothing = torch.zeros(len(view.parts), dtype=torch.bool)
    assert find_reflections(view, nothing, _kinds(view)) == []
    assert find_reflections(view, ~nothing, _kinds(view)) == []
    arm = view.parts == JOINT_INDEX["l_elbow"]
    assert find_reflections(view, ~arm, _kinds(view)) == []
