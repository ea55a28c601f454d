"""A person warped into another pose, with masks that say which pixels are real."""

import math

import pytest
import torch

from posexfer_core.body.joints import JOINT_INDEX
from posexfer_core.errors import ImageError
from posexfer_core.geometry.rasterize import interpolate
from posexfer_core.render.control_maps import paint_maps
from posexfer_core.warp.clothed_shell import wear
from posexfer_core.warp.filters import dilate
from posexfer_core.warp.posed_rows import _alpha
from posexfer_core.warp.surface_samples import Sample, SurfaceSampler
from posexfer_core.warp.warp_to_pose import (
    WarpedPhoto,
    pose_source,
    prepare_source,
    warp_to_pose,
)

SIZE = (192, 128)
GREY_LEVEL = 2.0 / 255.0
RED, BLUE, GREEN = (
    torch.tensor(c).view(1, 3, 1, 1) for c in ([1.0, -1, -1], [-1.0, -1, 1], [-1.0, 0.5, -1])
)


def painted(view, generator, colours=None) -> tuple[torch.Tensor, torch.Tensor]:
    """A photo of a body in coloured cloth before a green wall with some grain, and its mask."""
    cloth = wear(view, torch.full((len(view.canonical),), 0.01))
    if colours is None:
        colours = torch.sin(25.0 * view.canonical)
    person = interpolate(cloth.visibility, cloth.faces, colours[None]).permute(0, 3, 1, 2)
    mask = cloth.visibility.mask[:, None].float()
    wall = GREEN + 0.1 * torch.rand(1, 3, *view.size, generator=generator)
    return torch.where(mask > 0, person, wall), mask


def check_masks(warped: WarpedPhoto) -> None:
    parts = torch.cat([warped.visible, warped.background, warped.inpaint])
    assert (parts.sum(0) == 1).all()
    depth = paint_maps(warped.worn, ["depth"])["depth"][:, :1]
    assert torch.equal(depth > 0, warped.body)
    assert not (warped.visible & ~warped.body).any()
    assert float(warped.confidence.min()) >= 0
    assert float(warped.confidence.max()) <= 1
    assert torch.isfinite(warped.image).all()


@pytest.mark.parametrize("masked", [True, False])
def test_an_equal_pose_gives_the_source_back(posed, generator, masked):
    view = posed()
    image, mask = painted(view, generator)
    warped = warp_to_pose(image, view, view, mask if masked else None)
    check_masks(warped)
    error = (warped.image - image).abs().amax(1, keepdim=True)
    assert float(error[warped.visible].max()) <= GREY_LEVEL
    assert torch.equal(
        warped.image[warped.background.expand_as(image)], image[warped.background.expand_as(image)]
    )
    assert float(warped.visible.sum()) > (0.5 if masked else 0.4) * float(mask.sum())
    assert float(error[mask > 0].median()) <= GREY_LEVEL


@pytest.mark.slow
def test_masks_cover_the_image_in_every_pose(posed, generator):
    view = posed()
    image, mask = painted(view, generator)
    for target in (posed(yaw=math.pi), posed(l_shoulder=[0.0, 0.0, 1.2]), posed(yaw=1.0)):
        check_masks(warp_to_pose(image, view, target, mask))


def test_background_that_is_hardly_touched_is_not_touched_at_all(posed, generator, monkeypatch):
    view = posed()
    image, mask = painted(view, generator)
    hardly = "posexfer_core.warp.posed_rows._alpha"
    monkeypatch.setattr(hardly, lambda body, *_: torch.full(body[:, None].shape, 0.005))
    warped = warp_to_pose(image, view, posed(l_shoulder=[0.0, 0.0, 1.2]), mask)
    kept = warped.background.expand_as(image)
    assert bool((warped.background & warped.body).any())
    assert torch.equal(warped.image[kept], image[kept])


def test_a_back_takes_the_garments_of_its_front_and_says_that_it_was_not_seen(posed, generator):
    view, behind = posed(), posed(yaw=math.pi)
    above = view.canonical[:, 1:2] > 0.0
    image, mask = painted(view, generator, torch.where(above, RED.view(1, 3), BLUE.view(1, 3)))
    warped = warp_to_pose(image, view, behind, mask)
    assert not warped.visible.any()
    assert bool(warped.inpaint[warped.body].all())
    heights = interpolate(
        warped.worn.visibility, warped.worn.faces, warped.worn.canonical[None, :, 1:2]
    )[0, ..., 0]
    body = ~dilate(~warped.body[0], 2)[0]  # within the soft outline
    upper, lower = body & (heights > 0.1) & (heights < 0.5), body & (heights < -0.1)
    for where, colour in ((upper, RED), (lower, BLUE)):
        right = (warped.image - colour).abs().amax(1)[0][where] < 0.3
        assert float(right.float().mean()) > 0.99
    sure = warped.confidence[warped.body]
    assert float(sure.max()) <= 0.5


def test_nothing_on_a_back_of_a_head_has_the_colour_of_the_face(posed, generator):
    from posexfer_core.warp.clothed_shell import face_vertices

    view, behind = posed(size=(384, 256)), posed(yaw=math.pi, size=(384, 256))
    skin = torch.tensor([0.6, 0.2, 0.0])
    face = face_vertices(view)[:, None]
    image, mask = painted(view, generator, torch.where(face, skin, -torch.ones(3)))
    warped = warp_to_pose(image, view, behind, mask)
    labels = torch.where(warped.worn.parts == JOINT_INDEX["head"], 1.0, 0.0)
    head = interpolate(warped.worn.visibility, warped.worn.faces, labels[None, :, None])[..., 0]
    skinny = (warped.image[0, 0] > -0.2) & (head[0] > 0.9)
    assert float(skinny.float().sum()) < 0.05 * float((head > 0.9).sum())


def test_a_hand_before_the_trunk_is_not_printed_there(posed, generator):
    across = posed(l_shoulder=[0.0, -0.9, -1.1], l_elbow=[0.0, -1.6, 0.0], size=(384, 256))
    down = posed(l_shoulder=[0.0, 0.0, -1.2], r_shoulder=[0.0, 0.0, 1.2], size=(384, 256))
    hand = torch.isin(across.parts, torch.tensor([18, 20, 22]))[:, None]
    colours = torch.where(hand, RED.view(1, 3), BLUE.view(1, 3))
    image, mask = painted(across, generator, colours)
    trunk = torch.isin(across.parts, torch.tensor([0, 3, 6, 9])).float()
    covered = interpolate(across.visibility, across.faces, hand[None].float())[..., 0] > 0.9
    assert covered.sum() > 200, "the hand is not before the trunk"
    warped = warp_to_pose(image, across, down, mask)
    where = interpolate(warped.worn.visibility, warped.worn.faces, trunk[None, :, None])[0, ..., 0]
    red = (warped.image[0, 0] > 0) & (where > 0.99)
    assert float(red.float().sum()) < 0.02 * float((where > 0.99).sum())


def test_a_few_places_that_turn_away_take_what_lies_between_them(posed, generator, monkeypatch):
    view = posed(size=(384, 256))
    image, mask = painted(view, generator)
    prepared = prepare_source(image, view, mask)
    look = prepared.sampler._look

    def hidden_in_places(target, outline, where, sizes):
        found = look(target, outline, where, sizes)
        if where.kind is None:
            rows = torch.arange(target.face_id.numel())
            away = rows % 97 < 3
            assert bool((found[5][away] > 0).any())
            found[8] = torch.where(away, found[3], found[8])
            found[3:7] *= ~away
        return found

    whole = pose_source(prepared, view)
    monkeypatch.setattr(prepared.sampler, "_look", hidden_in_places)
    pitted = pose_source(prepared, view)
    lost = whole.visible & ~pitted.visible
    assert lost.sum() > 100
    apart = (whole.image - pitted.image)[lost.expand_as(image)].abs()
    assert float(apart.quantile(0.99)) < 0.05


def test_an_edge_that_the_mask_cuts_is_as_soft_as_an_outline():
    body = torch.zeros(1, 60, 60, dtype=torch.bool)
    body[:, :, 20:] = True
    seen, shown = body[:, None].float(), torch.ones(1, 1, 60, 60)
    ragged = 24 + torch.arange(60) % 2  # the mask's own edge, off by a pixel in every other row
    shown[0, 0] = (torch.arange(60) >= ragged[:, None]).float()
    sample = Sample(
        colours=torch.zeros(1, 3, 60, 60),
        own=seen,
        seen=seen,
        shown=seen * shown,
        confidence=seen,
    )
    alpha = _alpha(body, dilate(~body, 8), sample, 8)[0, 0, 5:-5]
    assert not alpha[:, :24].any()
    assert bool((alpha[:, 30:] == 1).all())
    assert float(alpha.diff(dim=1).max()) < 0.7
    assert float(alpha.diff(dim=0).abs().max()) < 0.5


def test_a_limb_behind_a_thing_is_whole_in_another_pose(posed, generator):
    """The mask leaves the thing out; the limb takes the look of the other one, and is not cut."""
    source, target = posed(), posed(l_shoulder=(0.0, 0.0, 1.0), r_shoulder=(0.0, 0.0, -1.0))
    red = RED[0, :, 0, 0].expand(len(source.canonical), 3)
    image, mask = painted(source, generator, red)
    face_id = source.visibility.face_id[0].long()
    part = source.parts[source.faces[face_id.clamp(min=0), 0].long()]
    forearm = (face_id >= 0) & torch.isin(part, torch.tensor([18, 20, 22]))
    thing = dilate(forearm[None], 3)[:, None]
    warped = warp_to_pose(torch.where(thing, BLUE, image), source, target, mask * ~thing)
    drawn = target.visibility.face_id[0].long()
    arm = torch.isin(target.parts[target.faces[drawn.clamp(min=0), 0].long()], torch.tensor([18]))
    inner = (arm & (drawn >= 0) & ~dilate(~target.visibility.mask, 1)[0])[None, None]
    assert inner.sum() > 30
    assert float((warped.image[:, :1][inner] > 0.7).float().mean()) > 0.95


def test_leftovers_stay_or_go(posed, generator):
    view, raised = posed(), posed(l_shoulder=[0.0, 0.0, 1.2])
    image, mask = painted(view, generator)
    pole = torch.zeros(SIZE, dtype=torch.bool)
    pole[110:180, 118:122] = True
    image, mask = torch.where(pole, BLUE, image), mask.maximum(pole.float())
    kept = warp_to_pose(image, view, raised, mask, leftovers="keep")
    gone = warp_to_pose(image, view, raised, mask, leftovers="remove")
    blue = [(one.image - BLUE).abs().amax(1)[0][pole] < 0.1 for one in (kept, gone)]
    assert bool(blue[0].all())
    assert not blue[1].any()
    assert bool(gone.inpaint[0, 0][pole].all())


def test_a_sliver_of_background_between_parts_of_the_hole_goes_with_them(posed, generator):
    view = posed()
    image, mask = painted(view, generator)
    for left in (112, 122):
        mask[..., 110:180, left : left + 4] = 1.0
    warped = warp_to_pose(image, view, view, mask, leftovers="remove")
    assert not warped.background[..., 112:178, 112:126].any()


@pytest.mark.slow
def test_the_size_of_the_photo_does_not_change_what_is_seen(posed, generator):
    small, large = posed(size=(384, 256)), posed(size=(1536, 1024))
    target = posed(size=(1536, 1024), l_shoulder=[0.0, 0.0, 1.2])
    image, mask = painted(large, generator)
    whole = warp_to_pose(image, large, target, mask)
    check_masks(whole)
    less = torch.nn.functional.avg_pool2d(image, 4), torch.nn.functional.avg_pool2d(mask, 4)
    fewer = warp_to_pose(
        less[0], small, posed(size=(384, 256), l_shoulder=[0.0, 0.0, 1.2]), less[1]
    )
    shares = [float(one.visible.sum() / one.body.sum()) for one in (whole, fewer)]
    assert shares[0] == pytest.approx(shares[1], abs=0.12)


def test_what_does_not_go_together_is_refused(posed):
    view = posed()
    image = torch.zeros(1, 3, *SIZE)
    with pytest.raises(ImageError, match="mask has 10x10"):
        warp_to_pose(image, view, view, torch.zeros(1, 1, 10, 10))
    with pytest.raises(ImageError, match=r"image is 64x64 .* camera has 192x128"):
        warp_to_pose(torch.zeros(1, 3, 64, 64), view, view)
    with pytest.raises(ImageError, match="found 2 and 1"):
        warp_to_pose(image.expand(2, -1, -1, -1), view, view)


@pytest.mark.slow
def test_a_surface_looks_alike_whatever_thread_is_first(posed, generator):
    view = posed()
    image, mask = painted(view, generator)
    field = prepare_source(image, view, mask).sampler.field
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        looks = [SurfaceSampler(field) for _ in range(8)]
    finally:
        torch.set_num_threads(threads)
    for look in looks[1:]:
        assert torch.equal(look.vertex_colours, looks[0].vertex_colours)


def test_a_like_that_shows_nothing_new_is_asked_by_no_target(posed, generator):
    view = posed()
    image, mask = painted(view, generator)
    field = prepare_source(image, view, mask).sampler.field
    one = len(SurfaceSampler(field._replace(counterparts=field.counterparts[:1])).looks)
    twice = [field.counterparts[0], *field.counterparts[:1]]
    assert len(SurfaceSampler(field._replace(counterparts=twice)).looks) == one
