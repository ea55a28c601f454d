"""What Pose Editor starts from, and what becomes of the text that it wrote."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ...posexfer_core.body.depth_flip import deepest_twin, skeleton_twins
from ...posexfer_core.body.joints import LIMB_CHAINS
from ...posexfer_core.body.model import BodyModel
from ...posexfer_core.body.params import HumanParams
from ...posexfer_core.body.pose_document import (
    ADVICE,
    MOST_CHARACTERS,
    MOST_FRAMES,
    PoseDocument,
    document_of,
    edited,
    parse_camera,
    seen_through,
    standing,
    to_edit,
)
from ...posexfer_core.files.json_fields import check_keys, numbers, read_json, refusal
from ...posexfer_core.transfer.framing import Framing
from ..sockets import PosedBody
from .editor_bodies import body_query
from .framing import framed_body, in_image_of
from .several_people import in_world_of, standing_beside, through_lens

logger = logging.getLogger(__name__)

SIZE = (768, 512)
"""Height and width where neither widget, body nor image names any, pixels."""
LONGEST = 8192


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is edited, in the size of the result."""

    given: PosedBody
    """The input's person before the input's camera, or the standing body."""
    start: PosedBody
    """The same in the world of documents, where y is up."""
    images: Tensor | None
    """(images, 3, height, width) in [-1, 1]: what lies behind."""
    beside: tuple[PosedBody, ...] = ()
    """Further people, in the same world."""

    @classmethod
    def of(
        cls,
        body: PosedBody | None,
        images: Tensor | None,
        width: int,
        height: int,
        others: PosedBody | None = None,
    ) -> "Scene":
        """Fit body and images into the size; width or height 0 take the body's or the image's.

        Without a body somebody stands there: beside the others, if there are any, and before the
        first one's camera.
        """
        people = [] if others is None else others.everyone()
        known = body or (people[0] if people else None)
        if known is not None:
            known = _one_person(known)
            known = known if images is None else in_image_of(known, images, "body")
            own = known.params.image_size
        else:
            own = SIZE if images is None else (images.shape[-2], images.shape[-1])
        size = (height or own[0], width or own[1])
        framing = Framing.whole(own, size)
        if images is not None and size != own:
            images = framing.apply(images).clamp(-1.0, 1.0)
        if known is None:
            given = PosedBody(params=standing(size), model=BodyModel.bundled())
            return cls(given=given, start=given, images=images)
        given = known if size == own else framed_body(known, framing)
        if body is None:
            given = start = standing_beside(given, people)
        else:
            start = replace(given, params=to_edit(given.params, given.model))
        beside = tuple(in_world_of(one, start) for one in people)
        return cls(given=given, start=start, images=images, beside=beside)

    def posed(self, text: str, *, keep_shape: bool) -> PosedBody:
        """Pose the body as a text says; no text leaves it as it is given.

        Raises:
            ParamsError: the text is no document.
        """
        if not text.strip():
            return self.given
        document = PoseDocument.parse(text)
        if keep_shape and document.betas is not None:
            logger.info("The text's betas are not used: the shape is that of the input body.")
            document = replace(document, betas=None)
        return replace(self.start, params=edited(document, self.start.params))

    def people(self, posed: PosedBody, text: str) -> PosedBody:
        """Give the posed body and, seen by its camera, the others."""
        camera = (posed if text.strip() else self.start).params.camera_from_world
        return replace(posed, others=tuple(through_lens(one, posed, camera) for one in self.beside))

    def start_document(self) -> dict[str, Any]:
        """Describe what is edited, for the page."""
        params = self.start.params
        if params.frames > MOST_FRAMES:
            logger.warning(
                "The body has %d frames; the page edits the first %d of them.",
                params.frames,
                MOST_FRAMES,
            )
        if params.frames > 1 and not torch.equal(
            params.intrinsics, params.intrinsics[:1].expand_as(params.intrinsics)
        ):
            logger.warning("The lens changes over the frames; the page shows that of the first.")
        return document_of(params, self.start.model).as_dict()

    def other_documents(self) -> list[dict[str, Any]]:
        """Describe the others for the page: their bodies, as `body_query` names them, and poses."""
        return [
            {
                "body": body_query(one),
                "frames": document_of(one.params, one.model).as_dict()["frames"],
            }
            for one in self.beside
        ]

    def background(self, frames: int) -> Tensor | None:
        """Give what lies behind each frame, (frames, 3, height, width)."""
        if self.images is None:
            return None
        return self.images[torch.arange(frames) % len(self.images)]


def _one_person(body: PosedBody) -> PosedBody:
    persons = body.params.persons
    if persons > 1:
        logger.warning("The body has %d persons; the first of them is edited.", persons)
    return replace(body, params=body.params.select(None, 0), others=())


def find_twins(text: str) -> dict[str, Any]:
    """Find what each limb's other place is, as the page asks (`web/pose_editor/flip_depth.js`).

    Args:
        text: JSON of `pose`, `transl`, `camera` and `rest`, the joints at rest, as in documents;
            and `size`, width and height of the picture, pixels.

    Returns:
        By limb: pose and depth_change_m of its deepest twin; None where it has none.

    Raises:
        ParamsError: the text is something else.
    """
    asked = read_json(text, MOST_CHARACTERS, ADVICE)
    shapes = {"pose": (24, 3), "transl": (3,), "rest": (24, 3)}
    check_keys(asked, "the question", (*shapes, "size", "camera"), (), ADVICE)
    fields = {
        name: torch.tensor(numbers(asked[name], shape, name, ADVICE)).double()
        for name, shape in shapes.items()
    }
    camera, size = parse_camera(asked["camera"]), read_size(asked["size"])
    params = HumanParams.single(
        pose=fields["pose"],
        betas=torch.zeros(10).double(),
        transl=fields["transl"],
        intrinsics=camera.intrinsics(size).double(),
        image_size=size,
    )
    params = seen_through(params, camera)
    return {limb: _twin(params, fields["rest"], limb) for limb in LIMB_CHAINS}


def read_size(found: Any) -> tuple[int, int]:
    """Read the size of a picture from JSON's width and height.

    Returns:
        Height and width, pixels.

    Raises:
        ParamsError: it is something else, or a side is beyond 1 to `LONGEST`.
    """
    width, height = (int(side) for side in numbers(found, (2,), "size", ADVICE))
    if not (1 <= width <= LONGEST and 1 <= height <= LONGEST):
        raise refusal(
            f"Found a picture of {width} x {height} pixels.",
            f"Expected 1 to {LONGEST} on each side.",
            ADVICE,
        )
    return height, width


def _twin(params: HumanParams, rest: Tensor, limb: str) -> Mapping[str, Any] | None:
    twin = deepest_twin(skeleton_twins(params, rest, limb))
    if twin is None:
        return None
    return {"pose": twin.params.pose[0, 0].tolist(), "depth_change_m": twin.depth_change_m}
