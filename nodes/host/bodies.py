"""Body models by the names that the nodes offer."""

from ...posexfer_core.body.model import BodyModel
from . import paths


def load_body(name: str) -> BodyModel:
    """Open the bundled body, Anny or a user's file."""
    if name == paths.ANNY_BODY:
        from ...posexfer_core.body.anny import anny_body

        return anny_body()
    path = paths.find_body(name)
    if path is None:
        return BodyModel.bundled()
    from ...posexfer_core.body.smpl_files import load_body_model

    return load_body_model(path)
