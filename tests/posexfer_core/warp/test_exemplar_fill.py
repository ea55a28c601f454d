"""Holes that are filled with texture."""

import torch

from posexfer_core.warp.exemplar_fill import _coherence, _nearest, texture_of_hole
from posexfer_core.warp.filters import dilate
from posexfer_core.warp.patch_match import improve_places


def fill_with_texture(
    image: torch.Tensor, hole: torch.Tensor, avoid: torch.Tensor | None = None
) -> torch.Tensor:
    filled = image.clone()
    filled[0, :, hole[0]] = texture_of_hole(image, hole, avoid)
    return filled


def stripes(height: int = 96, width: int = 128, period: int = 8) -> torch.Tensor:
    """Upright black and white stripes."""
    line = ((torch.arange(width) // (period // 2)) % 2).float() * 2 - 1
    return line.expand(1, 3, height, width).clone()


def hole_in(image: torch.Tensor) -> torch.Tensor:
    hole = torch.zeros(1, *image.shape[-2:], dtype=torch.bool)
    hole[:, 36:60, 50:80] = True
    return hole


def test_only_the_hole_changes_and_what_it_hid_does_not_matter_within_its_edge(generator):
    image = 2 * torch.rand(1, 3, 96, 128, generator=generator) - 1
    hole = hole_in(image)
    spoilt = torch.where(hole[:, None], torch.tensor(1.0), image)
    filled = fill_with_texture(spoilt, hole)
    known = ~hole[:, None].expand_as(image)
    assert torch.equal(filled[known], image[known])
    other = fill_with_texture(torch.where(hole[:, None], torch.tensor(-1.0), image), hole)
    within = ~dilate(~hole, 1)[:, None].expand_as(image)
    torch.testing.assert_close(filled[within], other[within])


def test_the_edge_of_a_hole_fades_into_what_is_around():
    image = torch.zeros(1, 3, 96, 128)
    hole = hole_in(image)
    image[:, :, 36:60, 50:80] = 1.0
    filled = fill_with_texture(image, hole)[0, 0, 48, 50:56]
    assert float(filled[0]) > 0.3  # what is there, a third of a pixel from the edge
    assert float(filled[1:].abs().max()) < 0.05


def test_a_guess_has_the_colour_of_what_is_known_nearest():
    image = torch.full((1, 3, 96, 128), 0.7)
    image[:, :, :, 65:] = -0.5
    hole = torch.zeros(1, 96, 128, dtype=torch.bool)
    hole[:, 8:88, 50:80] = True
    guess = _nearest(torch.where(hole[:, None], torch.tensor(1.0), image), hole)
    row = guess[0, 0, 48]
    assert float((row[50:60] - 0.7).abs().max()) < 0.05  # a smooth fill is at 0.4 in column 59
    assert float((row[70:80] + 0.5).abs().max()) < 0.05
    assert torch.equal(
        guess[~hole[:, None].expand_as(guess)], image[~hole[:, None].expand_as(image)]
    )


def test_nothing_is_copied_from_other_people(generator):
    image = -0.5 + 0.2 * torch.rand(1, 3, 96, 128, generator=generator)
    hole, other = hole_in(image), torch.zeros(1, 96, 128, dtype=torch.bool)
    other[:, 20:80, 80:110] = True
    image = torch.where(other[:, None], torch.tensor(0.8), image)
    assert float((fill_with_texture(image, hole)[:, 0][hole] > 0).float().mean()) > 0.05
    assert not (fill_with_texture(image, hole, other)[:, 0][hole] > 0).any()


def test_stripes_go_on_through_the_hole():
    image = stripes()
    hole = hole_in(image)
    filled = fill_with_texture(torch.where(hole[:, None], torch.tensor(0.0), image), hole)
    error = (filled - image).abs()[:, 0][hole]
    assert float((error < 0.2).float().mean()) > 0.85


def test_a_texture_keeps_its_contrast_where_a_smooth_fill_has_none(generator):
    image = 0.5 * torch.sign(torch.rand(1, 1, 96, 128, generator=generator) - 0.5)
    image = image.expand(1, 3, -1, -1).contiguous()
    hole = hole_in(image)
    filled = fill_with_texture(image * ~hole[:, None], hole)[:, 0][hole]
    assert float(filled.std()) > 0.25  # of 0.5; a smooth fill has under 0.1


def test_large_images_take_their_own_pixels():
    image = stripes(768, 1024, 64)
    hole = torch.zeros(1, 768, 1024, dtype=torch.bool)
    hole[:, 300:480, 420:640] = True
    filled = fill_with_texture(image * ~hole[:, None], hole)[:, 0][hole]
    assert float(((filled.abs() - 1).abs() < 0.1).float().mean()) > 0.7


def test_nothing_to_fill_and_nothing_to_fill_from_change_nothing():
    image = stripes()
    assert torch.equal(fill_with_texture(image, torch.zeros(1, 96, 128, dtype=torch.bool)), image)
    assert torch.equal(fill_with_texture(image, torch.ones(1, 96, 128, dtype=torch.bool)), image)


def test_pixels_from_everywhere_are_no_texture_and_those_of_one_piece_are():
    rows, columns = torch.meshgrid(torch.arange(20), torch.arange(30), indexing="ij")
    piece = torch.stack([rows + 3, columns - 2], -1)
    everywhere = torch.randint(20, (20, 30, 2), generator=torch.Generator().manual_seed(0))
    assert float(_coherence(piece).min()) == 1.0
    assert float(_coherence(everywhere).max()) == 0.0


def test_places_come_to_lie_together_where_only_a_weak_grain_differs(generator):
    patches = 0.02 * torch.randn(30 * 40, 78, generator=generator)
    patches[::7] = 1.0  # things
    rows, columns = torch.meshgrid(torch.arange(30), torch.arange(40), indexing="ij")
    own = torch.stack([rows, columns], -1)
    targets = own[10:20, 10:30].reshape(-1, 2)
    allowed = torch.ones(30, 40, dtype=torch.bool)
    allowed[8:22, 8:32] = False
    sources = allowed.nonzero()
    start = own.clone()
    drawn = sources[torch.randint(len(sources), (len(targets),), generator=generator)]
    start[10:20, 10:30] = drawn.view(10, 20, 2)
    shares, things = [], []
    for together in (0.0, 1.0):
        places = start
        for _ in range(3):
            places, _ = improve_places(patches, targets, allowed, places, generator, together)
        shift = (places - own)[10:20, 10:30]
        shares.append(float((shift[:, 1:] == shift[:, :-1]).all(-1).float().mean()))
        differ = (patches[:, 0] == 1.0).view(30, 40)
        taken = differ[places[..., 0], places[..., 1]][10:20, 10:30]
        things.append(int((taken & ~differ[10:20, 10:30]).sum()))
    assert shares[1] > shares[0] + 0.2
    assert things == [0, 0]


def test_the_same_hole_is_filled_the_same_again(generator):
    image = 2 * torch.rand(1, 3, 96, 128, generator=generator) - 1
    first, again = (fill_with_texture(image, hole_in(image)) for _ in range(2))
    assert torch.equal(first, again)
