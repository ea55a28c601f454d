"""Bodies as the host's MESH."""

import torch
from comfy_api import latest
from torch import Tensor


def make_mesh(vertices: Tensor, faces: Tensor) -> object:
    """Build a MESH of (batch, vertices, 3) and (faces, 3), whatever this host calls its class."""
    kind = getattr(getattr(latest, "Types", None), "MESH", None)
    if kind is None:  # before the class moved to the public interface
        from comfy_extras.nodes_hunyuan3d import MESH as kind
    batch = faces.to(torch.int64).expand(len(vertices), -1, -1).contiguous()
    return kind(vertices.float().cpu(), batch.cpu())
