"""Human pose transfer under 3D control, as a ComfyUI node pack."""

WEB_DIRECTORY = "./web"


async def comfy_entrypoint():
    """Hand the nodes to ComfyUI."""
    from .nodes.extension import PoseTransferExtension

    return PoseTransferExtension()
