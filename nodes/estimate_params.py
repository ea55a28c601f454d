"""Estimate Human Params: a 3D body from detected keypoints, or roughly from the image alone."""

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io, ui
from typing_extensions import override

from .schema import advanced, schema
from .sockets import Body, PoseData, PosedBody, PoseKeypoint

if TYPE_CHECKING:
    from torch import Tensor


class EstimateHumanParams(io.ComfyNode):
    """Fit the 3D body to 2D keypoints, or read it off the image alone, frame by frame."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_EstimateHumanParams",
            search_aliases=["smplify", "pose to smpl", "3d pose"],
            inputs=[
                io.Image.Input("image"),
                PoseKeypoint.Input("keypoints", optional=True),
                io.Int.Input("person", default=0, min=0, max=99),
                advanced(io.Float.Input("focal_px", default=0.0, min=0.0, max=100000.0, step=1.0)),
                PoseData.Input("pose_data", optional=True),
                io.Float.Input(
                    "smoothing", optional=True, default=1.0, min=0.0, max=10.0, step=0.1
                ),
                io.Mask.Input("mask", optional=True),
            ],
            outputs=[Body.Output(display_name="body"), io.Image.Output(display_name="overlay")],
        )

    @classmethod
    @override
    def execute(
        cls,
        image: "Tensor",
        person: int,
        focal_px: float,
        keypoints: Any = None,
        pose_data: Any = None,
        smoothing: float = 1.0,
        mask: "Tensor | None" = None,
    ) -> io.NodeOutput:
        """Fit or read every frame, then draw the overlay."""
        from ..posexfer_core.body.model import BodyModel
        from ..posexfer_core.errors import KeypointsError
        from ..posexfer_core.fit.video.estimate_sequence import regress_sequence
        from ..posexfer_core.render.overlay import overlay_body
        from .host.estimating import fit_batch
        from .host.images import from_core, to_core
        from .host.progress import start_progress

        image = to_core(image)
        model = BodyModel.bundled()
        focal = focal_px or None
        if keypoints is not None or pose_data is not None:
            params = fit_batch(
                image,
                keypoints=keypoints,
                pose_data=pose_data,
                mask=mask,
                focal_px=focal,
                person=person,
                smoothing=smoothing,
            )
        elif mask is not None:
            raise KeypointsError(
                "A mask is connected, but no keypoints: it shapes a body that they have posed. "
                "Connect the POSE_KEYPOINT of a pose detector too."
            )
        elif person:
            raise KeypointsError(
                f"Person {person} is asked for, but without keypoints the image must show one "
                "person. Connect the POSE_KEYPOINT of a pose detector, or crop the image."
            )
        else:
            params = regress_sequence(
                image.cpu(),
                body=model,
                focal_px=focal,
                strength=smoothing,
                progress=start_progress(len(image)),
            )
        body = PosedBody(params=params, model=model)
        overlay = from_core(overlay_body(image.cpu(), body.view(), keypoints=True))
        return io.NodeOutput(body, overlay, ui=ui.PreviewImage(overlay, cls=cls))
