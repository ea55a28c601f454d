"""Where in a source the places of a surface look for their colours."""

import torch

from posexfer_core.warp.warp_to_pose import prepare_source


def test_a_photo_in_bytes_has_the_colours_of_the_photo(posed, generator):
    view = posed()
    levels = torch.randint(0, 256, (1, 3, *view.size), generator=generator)
    image = levels / 127.5 - 1.0
    field = prepare_source(image, view, view.visibility.mask[:, None].float()).sampler.field
    grid = 2.4 * torch.rand(1, 40, 50, 2, generator=generator) - 1.2
    corners = torch.tensor([[[[-3.0, -3.0], [3.0, -3.0], [-3.0, 3.0], [3.0, 3.0]]]])
    for places in (grid, corners):
        held = field.in_bytes()
        assert held.image.dtype == torch.uint8
        torch.testing.assert_close(held.colours(places), field.colours(places), atol=1e-3, rtol=0.0)
