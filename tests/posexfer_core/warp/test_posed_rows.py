"""A prepared source in a pose, a part at a time."""

import torch

from posexfer_core.geometry.rasterize import interpolate
from posexfer_core.warp.warp_to_pose import pose_source, prepare_source


def test_small_parts_draw_what_large_ones_do(posed, monkeypatch):
    view, target = posed(), posed(l_shoulder=[0.0, 0.0, 0.6])
    colours = torch.sin(25.0 * view.canonical)[None]
    image = interpolate(view.visibility, view.faces, colours).permute(0, 3, 1, 2)
    prepared = prepare_source(image, view, view.visibility.mask[:, None].float())
    whole = pose_source(prepared, target)
    monkeypatch.setattr("posexfer_core.warp.posed_rows.BAND_PIXELS", 1)
    monkeypatch.setattr("posexfer_core.warp.posed_rows.STRIP_PIXELS", 1)
    monkeypatch.setattr("posexfer_core.warp.surface_samples.LOOK_PIXELS", 50)
    parts = pose_source(prepared, target)
    torch.testing.assert_close(parts.image, whole.image, atol=1.0 / 255.0, rtol=0.0)
    for name in ("visible", "background", "body"):
        assert torch.equal(getattr(parts, name), getattr(whole, name)), name
