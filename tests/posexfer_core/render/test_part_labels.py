import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.render.part_labels import part_shares, parts_map
from tests.posexfer_core.body.sample_params import facing_params
from tests.posexfer_core.render.test_maps import square_view


def labels_of_vertices(view: BodyView) -> torch.Tensor:
    """Give each pixel the label of its triangle's nearest corner, without any smoothing."""
    seen = view.visibility
    corners = view.parts[view.faces[seen.face_id.long().clamp(min=0)]]
    labels = corners.gather(-1, seen.barycentric.argmax(dim=-1, keepdim=True))[..., 0]
    return torch.where(seen.mask, labels.long(), -1)


def test_shares_are_means_over_the_neighbours():
    parts = torch.tensor([0, 0, 5])
    faces = torch.tensor([[0, 1, 2]])
    shares = part_shares(parts, faces)
    # all three are each other's neighbours: one round of averaging makes them equal, and stays
    expected = torch.zeros(3, 24)
    expected[:, 0], expected[:, 5] = 2 / 3, 1 / 3
    torch.testing.assert_close(shares, expected)


def test_one_part_alone_is_everywhere():
    view = square_view(2.0)
    assert torch.equal(parts_map(view), torch.where(view.visibility.mask, 3, -1))


def test_parts_are_where_they_belong(body: BodyModel):
    parts = parts_map(BodyView.of(facing_params(), body))[0]
    column = torch.arange(parts.shape[1])
    left_hand = (parts == 22) | (parts == 20)
    right_hand = (parts == 23) | (parts == 21)
    assert (left_hand * column).sum() / left_hand.sum() > (
        (right_hand * column).sum() / right_hand.sum()
    )
    assert set(parts.unique().tolist()) <= set(range(-1, 24))


def test_borders_move_by_little_and_get_shorter(body: BodyModel):
    view = BodyView.of(facing_params(), body).reframed((0.0, 0.0), 3.0, (768, 528))
    rough, smooth = labels_of_vertices(view), parts_map(view)
    assert torch.equal(rough < 0, smooth < 0)
    on = rough >= 0
    assert float((rough == smooth)[on].float().mean()) > 0.93

    def border(labels: torch.Tensor) -> int:
        return int(
            (labels[:, 1:] != labels[:, :-1]).sum() + (labels[..., 1:] != labels[..., :-1]).sum()
        )

    assert border(smooth) < 0.95 * border(rough)
