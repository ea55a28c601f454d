"""Source and target in one image frame: what a transfer starts from."""

from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Tensor

from ..body.joints import JOINT_NAMES
from ..body.model import BodyModel
from ..body.params import HumanParams
from ..body.retarget import retarget
from ..body.view import BodyView
from ..errors import ConfigError
from .framing import Framing, body_box, cut_off_edges, frame_person

IMAGE_SIZE = (256, 176)
"""Height and width that the bundled network was trained on, pixels."""

NECK = JOINT_NAMES.index("neck")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The source image and both bodies, cut to the network's size."""

    image: Float[Tensor, "1 3 height width"]
    """The source, framed, in [-1, 1]."""
    source: BodyView | None
    """The body of the person shown, in the framed image; None where it is not known."""
    target: BodyView
    """The body wanted, in the image to be drawn."""
    framing: Framing
    """How the source image was cut."""
    shared: bool
    """Whether the image to be drawn has the source's framing, so that it can be pasted back."""

    def paste_back(
        self,
        result: Float[Tensor, "1 3 height width"],
        original: Float[Tensor, "1 3 original_height original_width"],
    ) -> Float[Tensor, "1 3 original_height original_width"]:
        """Put the result where the cut came from, at the original resolution.

        Raises:
            ConfigError: the target was framed on its own, so it has no place in the original.
        """
        if not self.shared:
            raise ConfigError(
                "The result cannot be pasted back: the target keeps its own camera. Retarget it to "
                "the source, which needs the source's parameters or keypoints."
            )
        return self.framing.paste(result, original)


def stage(
    image: Float[Tensor, "1 3 height width"],
    source: HumanParams | None,
    target: HumanParams,
    body: BodyModel,
    *,
    size: tuple[int, int] = IMAGE_SIZE,
    retargeted: bool = True,
    source_body: BodyModel | None = None,
) -> Stage:
    """Frame the person and the wanted pose.

    Args:
        image: of any size and aspect, in [-1, 1].
        source: the person shown, with the image's own camera; None when not known.
        target: one person in one frame; the pose wanted.
        body: the model of both bodies, or of the target's alone.
        size: height and width to draw, pixels.
        retargeted: give the target the source's shape, place and camera; both then share one
            cut that holds both bodies. Otherwise each is framed on its own.
        source_body: the model of the source's body, where it is another; it is then also the one
            that is retargeted, so that a target mesh gives its pose and not its clothes.
    """
    source_body = body if source_body is None else source_body
    own_size = (image.shape[-2], image.shape[-1])
    if source is None:
        framing = Framing.whole(own_size, size)
        return _stage(image, framing, None, _framed_alone(target, body, size))
    view = BodyView.of(source, source_body)
    box = body_box(view)
    if not retargeted:
        framing = frame_person(box, [], size, own_size)
        return _stage(image, framing, view, _framed_alone(target, body, size))
    posed = retarget(source, target, source_body, framing="source")
    wanted = BodyView.of(posed, source_body)
    if cut_off_edges(box, own_size)[3]:
        wanted = _at_the_neck_of(view, wanted)
    framing = frame_person(box, [body_box(wanted)], size, own_size)
    return _stage(image, framing, view, framing.reframe(wanted), shared=True)


def _at_the_neck_of(source: BodyView, target: BodyView) -> BodyView:
    """Shift the target's neck to the source's, whose feet lie outside the image."""
    shift = (source.joints - target.joints)[:, [NECK]]
    return replace(target, vertices=target.vertices + shift, joints=target.joints + shift)


def _stage(
    image: Tensor,
    framing: Framing,
    source: BodyView | None,
    target: BodyView,
    *,
    shared: bool = False,
) -> Stage:
    shown = None if source is None else framing.reframe(source)
    if shown is not None:
        shown.check_seen("source")
    target.check_seen("target")
    return Stage(
        image=framing.apply(image).clamp(-1.0, 1.0),
        source=shown,
        target=target,
        framing=framing,
        shared=shared,
    )


def _framed_alone(target: HumanParams, body: BodyModel, size: tuple[int, int]) -> BodyView:
    view = BodyView.of(target, body)
    if view.size == size:
        return view
    return Framing.around([body_box(view)], size).reframe(view)
