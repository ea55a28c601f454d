"""Load Pose Keypoints: the output of a pose detector, from a file."""

from comfy_api.latest import io
from typing_extensions import override

from .host import paths
from .schema import schema
from .sockets import PoseKeypoint


class LoadPoseKeypoints(io.ComfyNode):
    """Read a keypoint file, where no detector is installed."""

    @classmethod
    @override
    def define_schema(cls) -> io.Schema:
        """Describe the node."""
        return schema(
            node_id="PoseXfer_LoadPoseKeypoints",
            search_aliases=["openpose", "dwpose", "coco", "json", "keypoints"],
            inputs=[io.Combo.Input("file", options=paths.list_keypoints())],
            outputs=[PoseKeypoint.Output(display_name="keypoints")],
        )

    @classmethod
    @override
    def validate_inputs(cls, file: str) -> bool | str:
        """Refuse paths outside the folders before anything runs."""
        return paths.params_complaint(file)

    @classmethod
    @override
    def fingerprint_inputs(cls, file: str) -> str:
        """Notice when the file changes."""
        return paths.stamp(paths.find_params(file))

    @classmethod
    @override
    def execute(cls, file: str) -> io.NodeOutput:
        """Read."""
        from ..posexfer_core.keypoints.pose_keypoint import load_pose_keypoints

        return io.NodeOutput(load_pose_keypoints(paths.find_params(file)))
