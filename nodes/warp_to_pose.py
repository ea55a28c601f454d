"""Warp to Pose: a photo's person in another pose, of real pixels, for any model or none."""

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io, ui
from typing_extensions import override

from .schema import schema
from .sockets import Body, Others

if TYPE_CHECKING:
    from torch import Tensor

    from .sockets import PosedBody

LEFTOVERS = ["keep", "remove"]
OUTSIDE = ["crop", "mirror", "fill"]
SKIRTS = ["auto", "none", "thigh", "knee", "calf", "ankle"]
PHOTOS = ["one by one", "of one person"]


class WarpToPose(io.ComfyNode):
    """Carry the pixels of a photo along the body's surface."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node; saved workflows freeze every id below."""
        return schema(
            node_id="PoseXfer_WarpToPose",
            search_aliases=["repose", "inpaint mask", "warp", "pose transfer"],
            inputs=[
                io.Image.Input("image"),
                Body.Input("source_body"),
                Body.Input("target_body"),
                io.Mask.Input("mask", optional=True),
                io.Mask.Input("padding", optional=True),
                io.Combo.Input("leftovers", options=LEFTOVERS, default="keep"),
                io.Combo.Input("outside", options=OUTSIDE, default="crop"),
                io.Int.Input("grow", default=4, min=0, max=256),
                io.Boolean.Input("fit_to_source", default=True),
                io.Combo.Input("photos", options=PHOTOS, default="one by one", optional=True),
                io.MultiType.Input("others", types=[*Others], optional=True),
                io.Combo.Input("skirt", options=SKIRTS, default="auto", optional=True),
            ],
            outputs=[
                io.Image.Output(display_name="image"),
                io.Mask.Output(display_name="inpaint"),
                io.Mask.Output(display_name="visible"),
                io.Mask.Output(display_name="background"),
                io.Mask.Output(display_name="body_mask"),
                io.Mask.Output(display_name="confidence"),
                Body.Output(display_name="body"),
            ],
        )

    @classmethod
    @override
    def execute(
        cls,
        image: "Tensor",
        source_body: "PosedBody",
        target_body: "PosedBody",
        leftovers: str,
        outside: str,
        grow: int,
        fit_to_source: bool,
        mask: "Tensor | None" = None,
        padding: "Tensor | None" = None,
        photos: str = "one by one",
        others: Any = None,
        skirt: str = "auto",
    ) -> io.NodeOutput:
        """Warp every frame, and show them."""
        from .host.images import from_core, mask_to_host, to_core
        from .host.other_people import others_masks
        from .host.warping import WarpSettings, warp_batch

        settings = WarpSettings(
            leftovers=leftovers,
            skirt=skirt,
            outside=outside,
            grow_px=grow,
            fit_to_source=fit_to_source,
            photos=photos,
        )
        images = to_core(image).cpu()
        theirs = others_masks(others, images, source_body, mask)
        warped = warp_batch(images, source_body, target_body, mask, theirs, padding, settings)
        shown, masks = from_core(warped.image), map(mask_to_host, warped[1:-1])
        return io.NodeOutput(shown, *masks, warped.clothed, ui=ui.PreviewImage(shown, cls=cls))
