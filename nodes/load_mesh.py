"""Load SMPL Mesh: a posed body from a file of parameters, a motion or a mesh."""

import logging

from comfy_api.latest import io, ui
from typing_extensions import override

from ..posexfer_core.errors import ParamsError
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
            display_name="Load SMPL Mesh",
            description="Loads a posed body from the input folder or models/smpl: body parameters, "
            "a motion (.bvh), or a mesh of a person (.obj, .ply, .glb) that a body is fitted to.",
            search_aliases=["smpl", "body", "human params", "pose file", "bvh", "obj", "glb"],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=paths.list_params(),
                    tooltip="Body parameters, ours or those of HMR2, WHAM, GVHMR, AMASS and other "
                    "tools, told apart by content; a motion (.bvh); or a mesh of a person in any "
                    "pose (.obj, .ply, .glb; needs trimesh and scipy). 'input/…' lies in "
                    "ComfyUI's input folder, 'output/pose/…' was saved by Save Human Params, "
                    "'demo/…' comes with the pack, the rest lies in models/smpl.",
                ),
                io.Combo.Input(
                    "body_model",
                    options=paths.list_bodies(),
                    default=paths.BUNDLED_BODY,
                    tooltip="The mesh to pose. The bundled body is free to use; SMPL, SMPL-H and "
                    "SMPL-X files in models/smpl carry a non-commercial licence of their own and "
                    "need the package smplx.",
                ),
                io.Int.Input(
                    "person", default=0, min=0, max=999, tooltip="Which person, counted from 0."
                ),
                io.Int.Input(
                    "frame",
                    default=0,
                    min=-1,
                    max=99999,
                    tooltip="Which frame, counted from 0; -1 takes all of them as a sequence.",
                ),
                io.Boolean.Input(
                    "keep_shape",
                    default=True,
                    tooltip="Use the shape in the file; off, the mean shape. Shapes of another "
                    "body model do not carry over and become the mean shape anyway.",
                ),
                io.Combo.Input(
                    "mesh_unit",
                    options=["auto", "m", "cm", "mm", "in"],
                    default="auto",
                    optional=True,
                    tooltip="Unit of a mesh file's numbers; 'auto' tells it by the area of the "
                    "skin. Parameter files are in metres.",
                ),
                io.Combo.Input(
                    "mesh_up",
                    options=["auto", "y", "z", "-y"],
                    default="auto",
                    optional=True,
                    tooltip="The axis of a mesh file that points up; 'auto' tries them all. GLB "
                    "is y up by its standard.",
                ),
            ],
            outputs=[
                Body.Output(
                    display_name="body",
                    tooltip="Parameters and body model; of a mesh, the mesh itself, posable.",
                ),
                io.Mesh.Output(
                    display_name="mesh",
                    tooltip="Metres, y up, feet on the floor; one mesh per frame.",
                ),
                io.Image.Output(
                    display_name="preview", tooltip="The body as its own camera sees it."
                ),
            ],
        )

    @classmethod
    @override
    def validate_inputs(cls, file: str) -> bool | str:
        """Refuse paths out of the folders before anything runs."""
        try:
            paths.find_params(file)
        except ParamsError as error:
            return str(error)
        return True

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
        from ..posexfer_core.export.glb import standing_vertices
        from ..posexfer_core.formats.any_pose import read_posed
        from .host.bodies import load_body
        from .host.meshes import make_mesh
        from .host.preview import body_image

        found = read_posed(
            paths.find_params(file),
            load_body(body_model),
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
