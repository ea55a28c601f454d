"""The list of nodes."""

from comfy_api.latest import ComfyExtension, io
from typing_extensions import override

from .body_to_glb import BodyToGLB
from .control_guidance import ControlGuidanceApply3D
from .demo_person import DemoPerson
from .estimate_params import EstimateHumanParams
from .feature_lift import FeatureLift3D
from .flip_limb import FlipLimbDepth
from .frame_pose import FramePose
from .host.paths import register_folders
from .host.routes import add_routes
from .load_keypoints import LoadPoseKeypoints
from .load_mesh import LoadSMPLMesh
from .load_model import LoadPoseTransferModel
from .paste_back import PasteBack
from .pose_editor import PoseEditor
from .render_maps import RenderBodyMaps
from .restore_detail import RestoreDetail
from .retarget import RetargetBody
from .sampler import PoseTransferSampler
from .save_params import SaveHumanParams
from .warp_to_pose import WarpToPose


class PoseTransferExtension(ComfyExtension):
    """Everything this pack adds to ComfyUI."""

    @override
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """Name the node classes, in the order of their use."""
        register_folders()
        add_routes()
        return [
            LoadSMPLMesh,
            EstimateHumanParams,
            LoadPoseTransferModel,
            FeatureLift3D,
            ControlGuidanceApply3D,
            PoseTransferSampler,
            RenderBodyMaps,
            RetargetBody,
            PoseEditor,
            FramePose,
            WarpToPose,
            RestoreDetail,
            PasteBack,
            FlipLimbDepth,
            SaveHumanParams,
            BodyToGLB,
            LoadPoseKeypoints,
            DemoPerson,
        ]
