import pytest
import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.render.maps import mask_map
from posexfer_core.render.overlay import add_dot, overlay_body
from tests.posexfer_core.body.sample_params import facing_params, random_params


@pytest.fixture
def view(body: BodyModel) -> BodyView:
    return BodyView.of(facing_params(), body)


def test_the_image_is_untouched_off_the_body(view: BodyView, generator: torch.Generator):
    image = torch.rand(1, 3, 256, 176, generator=generator) * 2 - 1
    drawn = overlay_body(image, view)
    on = mask_map(view)[0, 0] > 0
    assert torch.equal(drawn[..., ~on], image[..., ~on])
    assert not torch.equal(drawn[..., on], image[..., on])
    assert drawn.abs().max() <= 1.0


def test_opacity_0_shows_the_image_and_1_the_body_alone(view: BodyView):
    dark, light = torch.full((1, 3, 256, 176), -1.0), torch.full((1, 3, 256, 176), 1.0)
    assert torch.equal(overlay_body(dark, view, opacity=0.0), dark)
    on = mask_map(view)[0, 0] > 0
    torch.testing.assert_close(
        overlay_body(dark, view, opacity=1.0)[..., on],
        overlay_body(light, view, opacity=1.0)[..., on],
    )


def test_opacity_is_a_linear_blend(view: BodyView):
    image = torch.zeros(1, 3, 256, 176)
    full = overlay_body(image, view, opacity=1.0)
    torch.testing.assert_close(overlay_body(image, view, opacity=0.25), 0.25 * full)


def test_dots_are_drawn_when_asked(body: BodyModel):
    view = BodyView.of(random_params(frames=2), body, frame=None)
    image = torch.zeros(2, 3, 256, 176)
    dotted = overlay_body(image, view, keypoints=True)
    assert not torch.equal(dotted, overlay_body(image, view))
    assert dotted.abs().max() <= 1.0 + 1e-6


def test_a_disc_covers_its_area():
    disc = torch.zeros(3, 64, 48)
    add_dot(disc, (20.3, 30.8), 6.0, 0.0, torch.ones(3))
    assert float(disc[0].sum()) == pytest.approx(torch.pi * 36.0, rel=0.01)
