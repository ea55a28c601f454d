"""Load SMPL Mesh: a posed body from a file of parameters, a motion or a mesh."""

import logging

from comfy_api.latest import io, ui
from typing_extensions import override

from .host import paths
from .schema import schema
from .sockets import Body, PosedBody

logger = logging.getLogger(__name__)


class LoadSMPLMesh(io.ComfyNode):
    """Read parameters, a motion or a mesh, and pose a body."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_LoadSMPLMesh",
            search_aliases=["smpl", "body", "human params", "pose file", "bvh", "obj", "glb"],
            inputs=[
                io.Combo.Input("file", options=paths.list_params()),
                io.Combo.Input(
                    "body_model", options=paths.list_bodies(), default=paths.BUNDLED_BODY
                ),
                io.Int.Input("person", default=0, min=0, max=999),
                io.Int.Input("frame", default=0, min=-1, max=99999),
                io.Boolean.Input("keep_shape", default=True),
                io.Combo.Input(
                    "mesh_unit",
                    options=["auto", "m", "cm", "mm", "in"],
                    default="auto",
                    optional=True,
                ),
                io.Combo.Input(
                    "mesh_up",
                    options=["auto", "y", "z", "-y", "x", "-x", "-z"],
                    default="auto",
                    optional=True,
                ),
            ],
            outputs=[
                Body.Output(display_name="body"),
                io.Mesh.Output(display_name="mesh"),
                io.Image.Output(display_name="preview"),
            ],
        )

    @classmethod
    @override
    def validate_inputs(cls, file: str) -> bool | str:
        """Refuse paths out of the folders before anything runs."""
        return paths.params_complaint(file)

    @classmethod
    @override
    def fingerprint_inputs(cls, file: str, body_model: str, **rest: object) -> str:
        """Notice when a file changes."""
        found = [paths.find_params(file), paths.find_body(body_model)]
        return "|".join(paths.stamp(path) for path in found)

    @classmethod
    @override
    def execute(
        cls,
        file: str,
        body_model: str,
        person: int,
        frame: int,
        keep_shape: bool,
        mesh_unit: str = "auto",
        mesh_up: str = "auto",
    ) -> io.NodeOutput:
        """Load, pick, pose."""
        from ..posexfer_core.body.smpl_files import open_body
        from ..posexfer_core.export.glb import standing_vertices
        from ..posexfer_core.formats.any_pose import read_posed
        from .host.meshes import make_mesh
        from .host.preview import body_image

        found = read_posed(
            paths.find_params(file),
            open_body(paths.find_body(body_model)),
            frame=frame if frame >= 0 else None,
            person=person,
            unit=mesh_unit,
            up=mesh_up,
        )
        for note in found.notes:
            logger.info(note)
        params = found.params
        if not keep_shape:
            params = params.with_neutral_betas(found.body.beta_space)
        body = PosedBody(params=params, model=found.body)
        view = body.view()
        preview = body_image(view)
        mesh = make_mesh(standing_vertices(view), view.faces)
        return io.NodeOutput(body, mesh, preview, ui=ui.PreviewImage(preview, cls=cls))
