"""Human pose transfer under 3D control: the library below the node pack and the trainer.

The names below are the public API. Each is imported when it is first used, so that
`import posexfer_core` loads neither torch nor diffusers.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .body.model import BodyModel as BodyModel
    from .body.params import HumanParams as HumanParams
    from .body.retarget import retarget as retarget
    from .body.view import BodyView as BodyView
    from .diffusion.pipeline import PoseTransferPipeline as PoseTransferPipeline
    from .errors import PoseXferError as PoseXferError
    from .files.images import load_image as load_image
    from .files.images import load_mask as load_mask
    from .files.images import save_image as save_image
    from .fit.fit import fit_keypoints as fit_keypoints
    from .formats.any_pose import read_posed as read_posed
    from .formats.read import read_params as read_params
    from .keypoints.detections import load_keypoints as load_keypoints
    from .pose_networks.regressor import regress_body as regress_body
    from .render.maps import prior_maps as prior_maps
    from .transfer.staging import Stage as Stage
    from .transfer.staging import stage as stage
    from .warp.warp_to_pose import warp_to_pose as warp_to_pose

_MODULES = {
    "BodyModel": "body.model",
    "BodyView": "body.view",
    "HumanParams": "body.params",
    "PoseTransferPipeline": "diffusion.pipeline",
    "PoseXferError": "errors",
    "Stage": "transfer.staging",
    "fit_keypoints": "fit.fit",
    "load_image": "files.images",
    "load_keypoints": "keypoints.detections",
    "load_mask": "files.images",
    "prior_maps": "render.maps",
    "read_params": "formats.read",
    "read_posed": "formats.any_pose",
    "regress_body": "pose_networks.regressor",
    "retarget": "body.retarget",
    "save_image": "files.images",
    "stage": "transfer.staging",
    "warp_to_pose": "warp.warp_to_pose",
}
"""Public name → the module that defines it."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
