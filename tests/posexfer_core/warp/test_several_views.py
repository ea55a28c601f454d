from copy import copy

import pytest
import torch

from posexfer_core.geometry.rasterize import interpolate
from posexfer_core.warp.dressed_person import SourcePhoto
from posexfer_core.warp.filters import dilate
from posexfer_core.warp.several_views import other_view
from posexfer_core.warp.warp_to_pose import pose_source, prepare_source


def portrait(view, light: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Somebody red in front and blue behind, before a green wall, and their mask."""
    front = (view.canonical[:, 2] > 0).float()
    colours = light * torch.stack([front, 0.0 * front, 1.0 - front], 1)
    person = interpolate(view.visibility, view.faces, colours[None]).permute(0, 3, 1, 2)
    mask = view.visibility.mask[:, None].float()
    wall = torch.tensor([0.0, 0.7, 0.0]).view(1, 3, 1, 1)
    return torch.where(mask > 0, person, wall) * 2 - 1, mask


def trunk(warped, view) -> torch.Tensor:
    """The colours in [0, 1] well inside the body, (pixels, 3)."""
    inner = ~dilate(~view.visibility.mask, 4)
    return (warped.image.permute(0, 2, 3, 1)[inner] + 1) / 2


def test_a_photo_from_behind_gives_the_back(posed):
    ahead, behind, target = posed(), posed(yaw=3.14159), posed(yaw=3.14159)
    image, mask = portrait(ahead)
    other = SourcePhoto(portrait(behind)[0], behind, mask=portrait(behind)[1])
    alone = pose_source(prepare_source(image, ahead, mask), target)
    both = pose_source(prepare_source(image, ahead, mask, also=[other]), target)
    assert float((trunk(alone, target)[:, 0] > 0.5).float().mean()) > 0.8
    assert float((trunk(both, target)[:, 2] > 0.3).float().mean()) > 0.8
    assert both.visible.sum() > 2 * alone.visible.sum()


@pytest.mark.slow
def test_the_same_photo_again_changes_nothing_to_see(posed):
    view, target = posed(), posed(l_shoulder=(0.0, 0.0, 0.6))
    image, mask = portrait(view)
    alone = pose_source(prepare_source(image, view, mask), target)
    twice = prepare_source(image, view, mask, also=[SourcePhoto(image, view, mask)])
    assert twice.views[0].sampler.field.image.dtype == torch.uint8
    apart = (pose_source(twice, target).image - alone.image).abs()
    assert float((apart < 0.02).float().mean()) > 0.99


def test_exposures_are_matched(posed):
    view = posed()
    image, mask = portrait(view)
    dark = SourcePhoto(portrait(view, light=0.6)[0], view, mask)
    warped = pose_source(prepare_source(image, view, mask, also=[dark]), view)
    assert float(trunk(warped, view)[:, 0].median()) > 0.97


def test_a_photo_that_shows_nothing_of_the_person_keeps_its_colours(posed):
    view = posed()
    image, mask = portrait(view)
    shown = prepare_source(image, view, mask)
    hidden = copy(shown.sampler)
    hidden.vertex_own = torch.zeros_like(hidden.vertex_own)
    assert other_view(shown.sampler, hidden).gain.tolist() == [1.0, 1.0, 1.0]
