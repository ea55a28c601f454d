"""A posed body in a camera frame, from which every map, point and overlay is computed."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha1

import torch
from einops import rearrange, repeat
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import ParamsError
from ..geometry.camera import crop_intrinsics, project_perspective
from ..geometry.rasterize import Visibility, rasterize
from .model import BodyModel
from .params import HumanParams

NEAREST_M = 0.1
"""Least depth of a pelvis."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BodyView:
    """Bodies of one topology, each with its own camera, all images of one size."""

    vertices: Float[Tensor, "batch vertices 3"]
    """Metres, camera frame: x right, y down, z forward."""
    joints: Float[Tensor, "batch 24 3"]
    """SMPL joints, metres, camera frame, pelvis first."""
    faces: Int[Tensor, "faces 3"]
    """Vertices of each triangle."""
    canonical: Float[Tensor, "vertices 3"]
    """Place of each vertex on the rest body, about [-1, 1]: one name per surface point."""
    parts: Int[Tensor, "vertices"]
    """The joint that moves each vertex most, 0 to 23."""
    keypoint_vertices: dict[str, int]
    """Vertices of the keypoints that are no joints: nose, leye, reye, lear, rear and so on."""
    intrinsics: Float[Tensor, "batch 3 3"]
    """Pinhole matrix of each image, pixels."""
    size: tuple[int, int]
    """`(height, width)` of the images, pixels."""
    detail_regressors: dict[str, Float[Tensor, "points vertices"]] = field(default_factory=dict)
    """As `BodyModel.detail_regressors`."""

    @classmethod
    def of(
        cls, params: HumanParams, body: BodyModel, *, frame: int | None = 0, person: int | None = 0
    ) -> "BodyView":
        """Pose the body and transform it to the camera frame.

        Args:
            params: the betas must be of this body.
            body: the body model.
            frame: which frame, or None for all of them.
            person: which person, or None for all of them. The batch runs over frames, then over
                persons; persons of one frame do not hide each other.
        """
        if params.beta_space != body.beta_space:
            raise ParamsError(
                f"The betas are of the body {params.beta_space!r}, this body is "
                f"{body.beta_space!r}. Load the body file they were made for, or drop them with "
                f"with_neutral_betas({body.beta_space!r})."
            )
        params = params.select(frame, person).to(
            device=body.v_template.device, dtype=body.v_template.dtype
        )
        geometry = body.posed(
            rearrange(params.rotations, "f p j a b -> (f p) j a b"),
            rearrange(params.betas, "f p s -> (f p) s"),
            rearrange(params.transl, "f p a -> (f p) a"),
            params.hands_face,
        )
        camera_from_world = repeat(params.camera_from_world, "f a b -> (f p) a b", p=params.persons)
        return cls(
            vertices=_transform(camera_from_world, geometry.vertices),
            joints=_transform(camera_from_world, geometry.joints),
            faces=body.faces,
            canonical=body.canonical,
            parts=body.parts,
            keypoint_vertices=body.keypoint_vertices,
            intrinsics=repeat(params.intrinsics, "f a b -> (f p) a b", p=params.persons),
            size=params.image_size,
            detail_regressors=body.detail_regressors,
        )

    @staticmethod
    def stack(views: "list[BodyView]") -> "BodyView":
        """Join views of one body and one image size along the batch."""
        first = views[0]
        assert all(view.size == first.size for view in views), "images of several sizes"
        assert all(view.faces.shape == first.faces.shape for view in views), "several topologies"
        return replace(
            first,
            vertices=torch.cat([view.vertices for view in views]),
            joints=torch.cat([view.joints for view in views]),
            intrinsics=torch.cat([view.intrinsics for view in views]),
        )

    @staticmethod
    def together(views: "list[BodyView]") -> "BodyView":
        """Join people of the same images into one surface, so that they hide each other.

        Joints, keypoints and lens are the first one's.
        """
        first = views[0]
        if len(views) == 1:
            return first
        assert all(view.size == first.size for view in views), "images of several sizes"
        counts = torch.tensor([0, *(view.vertices.shape[1] for view in views)]).cumsum(0).tolist()
        faces = [view.faces + count for view, count in zip(views, counts[:-1], strict=True)]
        return replace(
            first,
            vertices=torch.cat([view.vertices for view in views], 1),
            faces=torch.cat(faces),
            canonical=torch.cat([view.canonical for view in views]),
            parts=torch.cat([view.parts for view in views]),
            detail_regressors={},
        )

    def __len__(self) -> int:
        return self.vertices.shape[0]

    def at(self, index: int) -> "BodyView":
        """Pick one body of the batch; a negative index counts from the end."""
        rows = [range(len(self))[index]]
        return replace(
            self,
            vertices=self.vertices[rows],
            joints=self.joints[rows],
            intrinsics=self.intrinsics[rows],
        )

    def topology(self) -> bytes:
        """Give a digest of rest body and faces: alike where vertices name the same places."""
        digest = sha1(self.canonical.numpy(force=True).tobytes())
        digest.update(self.faces.numpy(force=True).tobytes())
        return digest.digest()

    def located(self, detail: str) -> Float[Tensor, "batch points 3"] | None:
        """Find "fingers" or "face" on the posed skin, metres; None where the body has none."""
        regressor = self.detail_regressors.get(detail)
        return None if regressor is None else regressor.to(self.vertices) @ self.vertices

    @cached_property
    def visibility(self) -> Visibility:
        """What each pixel sees, rasterised once."""
        return rasterize(self.vertices, self.faces, self.intrinsics, self.size)

    def seeing(self, seen: Visibility) -> "BodyView":
        """Look some rows of the image up, of which it is known what they see."""
        part = replace(self, size=seen.size)
        vars(part)["visibility"] = seen
        return part

    @property
    def root_depth(self) -> Float[Tensor, "batch"]:
        """Distance of the pelvis along the camera axis, metres: z_rel counts from it."""
        return self.joints[:, 0, 2]

    @property
    def px_per_m(self) -> float:
        """Size of a metre at the first one's pelvis, pixels."""
        return float(self.intrinsics[0, 0, 0] / self.root_depth[0])

    def check_seen(self, whose: str) -> None:
        """Refuse bodies of which the camera sees nothing.

        Args:
            whose: what errors call them, such as "target".

        Raises:
            ParamsError: a body is not finite, lies behind its camera or beside its image.
        """
        if not torch.isfinite(self.vertices).all():
            raise ParamsError(f"The {whose}'s body is not finite; its parameters cannot be meant.")
        depth = float(self.root_depth.min())
        if depth < NEAREST_M:
            raise ParamsError(
                f"The {whose}'s body lies behind its camera or in it: its pelvis is {depth:.2f} m "
                "before it. Are transl and camera_from_world those of an OpenCV camera (z forward)?"
            )
        height, width = self.size
        places = project_perspective(self.vertices, self.intrinsics)
        inside = (places >= 0) & (places <= places.new_tensor([width, height]))
        seen = inside.all(dim=-1) & (self.vertices[..., 2] > 0)
        if not seen.any(dim=1).all():
            raise ParamsError(
                f"Nothing of the {whose}'s body lies in its image of {width}x{height} pixels; "
                "check its translation and intrinsics."
            )

    def reframed(
        self,
        offset_xy: tuple[float | int, float | int],
        scale: float | int,
        size: tuple[int, int],
    ) -> "BodyView":
        """Crop and resize the image; the bodies stay.

        Pixel `p` of the old image lies at `scale * (p - offset_xy)` in the new one; negative
        offsets pad.

        Args:
            offset_xy: left upper corner of the cut, pixels of the old image.
            scale: new pixels per old pixel.
            size: `(height, width)` of the new image.
        """
        return replace(
            self, intrinsics=crop_intrinsics(self.intrinsics, offset_xy, scale), size=size
        )

    def to(self, device: torch.device | str) -> "BodyView":
        """Move every tensor to a device."""
        names = ("vertices", "joints", "faces", "canonical", "parts", "intrinsics")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})


def _transform(
    matrices: Float[Tensor, "batch 4 4"], points: Float[Tensor, "batch points 3"]
) -> Float[Tensor, "batch points 3"]:
    """Apply a rigid transform to points."""
    return points @ matrices[:, :3, :3].mT + matrices[:, None, :3, 3]
