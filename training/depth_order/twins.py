"""Twins: one person, two poses with equal 2D joints and bone lengths, another limb in front.

Both are rendered, so the truth is no warp. Twin number i of a seed and a subset is the same whoever
makes it; no seed of a benchmark is one that training uses.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count

import numpy as np
import torch

from posexfer_core.body.depth_flip import depth_twins, order_change_mask
from posexfer_core.body.joints import JOINT_INDEX, LIMB_CHAINS
from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView

from ..synthetic.clothed_pairs import ClothedBody, camera_of, clothe, portray, pose_clothed
from ..synthetic.environment import Environment, draw_environment
from ..synthetic.pairs import (
    IMAGE_SIZE,
    DressedBody,
    dress,
    place,
    pose_dressed,
    scene_intrinsics,
    source_yaw,
    target_yaw,
    turned,
)
from ..synthetic.portrait import LABELS, Portrait
from ..synthetic.poses import draw_pose
from ..synthetic.scene import Scene, draw_background, draw_camera
from ..synthetic.wardrobe import ClothedPerson, draw_clothed_person
from .overlaps import SUBSETS, Overlaps, find_overlaps, pairs_of_groups, subset_of

LEAST_PX = 20
"""Pixels of 256x176 that must change who is in front, and differ in colour."""
LEAST_CONTRAST = 0.35
"""Distance of the two truths' colours, of a range of 2 in each of three, below which pixels do not
count."""
LEAST_DEPTH_M = 0.1
"""How far the end of a limb moves in depth at least."""
CONTROL = SUBSETS[-1]
BODY = LABELS.index("body")
LEGS = torch.tensor(LIMB_CHAINS["left_leg"] + LIMB_CHAINS["right_leg"])
MOVED = {
    "arm before torso": "arm",
    "arm before arm": "arm",
    "crossing legs": "leg",
    "hand near face": "arm",
}
"""Limbs that are flipped for a subset."""
NEAR = {
    "arm before torso": (
        ("elbow", "wrist", "hand"),
        ("spine1", "spine2", "spine3", "pelvis"),
        30.0,
    ),
    "arm before arm": (("elbow", "wrist", "hand"), ("elbow", "wrist", "hand"), 22.0),
    "crossing legs": (("knee", "ankle", "foot"), ("knee", "ankle", "foot"), 18.0),
    "hand near face": (("wrist", "hand"), ("head", "neck"), 26.0),
}
"""Joints that come near each other, pixels, in poses worth a closer look."""


@dataclass(frozen=True, kw_only=True)
class Twin:
    """One source and two targets, as arrays of one row of a file."""

    subset: str
    source: HumanParams
    pose_a: HumanParams
    pose_b: HumanParams
    portraits: tuple[Portrait, Portrait, Portrait]
    """Source, A and B."""
    overlaps: Overlaps
    """Cut to where the truths differ in colour."""
    attempts: int
    """Poses that were looked at until this one was found."""


def make_twin(seed: int, subset: str, number: int, body: BodyModel) -> Twin:
    """Draw people and poses until one has twins that belong to a subset."""
    for attempt in count():
        stream = [seed, SUBSETS.index(subset), number, attempt]
        rng, walls = (np.random.default_rng([*stream, part]) for part in range(2))
        stage = _Stage.draw(rng, walls, body)
        params = stage.pose(rng, target_yaw(rng))
        if not _worth_a_look(params, body, subset):
            continue
        found = _candidate(rng, params, body, subset)
        if found is None:
            continue
        twin, overlaps = found
        shown = [stage.show(each) for each in (params, twin)]
        overlaps = _cut(overlaps, shown[0], shown[1])
        met = [subset_of(pair) for pair in pairs_of_groups(overlaps, LEAST_PX)]
        if subset not in met and subset != CONTROL:
            continue
        source = stage.pose(rng, source_yaw(rng))
        return Twin(
            subset=subset,
            source=source,
            pose_a=params,
            pose_b=twin,
            portraits=(stage.show(source), shown[0], shown[1]),
            overlaps=overlaps,
            attempts=attempt + 1,
        )
    raise AssertionError("count() does not end")


def _candidate(
    rng: np.random.Generator, params: HumanParams, body: BodyModel, subset: str
) -> tuple[HumanParams, Overlaps] | None:
    """Find a twin of the pose that belongs to the subset; the limbs are tried in random order."""
    view = BodyView.of(params, body)
    limbs = [name for name in LIMB_CHAINS if subset == CONTROL or MOVED[subset] in name]
    for limb in rng.permutation(limbs):
        for twin in depth_twins(params, body, limb):
            if twin.depth_change_m < LEAST_DEPTH_M:
                continue
            other = BodyView.of(twin.params, body)
            changed = order_change_mask(view, other)[0]
            if (int(changed.sum()) < LEAST_PX) != (subset == CONTROL):
                continue
            overlaps = find_overlaps(view, other, changed)
            if subset == CONTROL:
                if not bool(changed.any()):
                    return twin.params, overlaps
                continue
            if subset in (subset_of(pair) for pair in pairs_of_groups(overlaps, LEAST_PX)):
                return twin.params, overlaps
    return None


def _cut(overlaps: Overlaps, a: Portrait, b: Portrait) -> Overlaps:
    """Keep the pixels where the truths differ in colour, and legs where no skirt hides them."""
    apart = (a.image.astype(np.float32) - b.image.astype(np.float32)) / 127.5
    differs = torch.from_numpy(np.linalg.norm(apart, axis=-1) > LEAST_CONTRAST)
    bare = torch.from_numpy((a.labels == BODY) & (b.labels == BODY))
    legs = [torch.isin(front, LEGS) for front in overlaps[:2]]
    return overlaps._replace(changed=overlaps.changed & differs & (bare | ~(legs[0] & legs[1])))


def _worth_a_look(params: HumanParams, body: BodyModel, subset: str) -> bool:
    """Tell whether joints of the two sides come near each other in the image."""
    if subset == CONTROL:
        return True
    view = BodyView.of(params, body)
    pixels = view.joints[0, :, :2] / view.joints[0, :, 2:] * view.intrinsics[0, 0, 0]
    first, second, reach_px = NEAR[subset]
    for side, other in (("l", "r"), ("r", "l")):
        ours = [JOINT_INDEX[f"{side}_{name}"] for name in first]
        theirs = [JOINT_INDEX.get(name, JOINT_INDEX.get(f"{other}_{name}", 0)) for name in second]
        if float(torch.cdist(pixels[ours], pixels[theirs]).min()) < reach_px:
            return True
    return False


@dataclass(frozen=True, kw_only=True)
class _Stage:
    """A person before a camera; clothes, light and wall are made once somebody is shown."""

    dressed: DressedBody
    clothing: ClothedPerson
    body: BodyModel
    camera: Scene
    walls: np.random.Generator
    depth_m: float
    floor_px: float

    @classmethod
    def draw(
        cls, rng: np.random.Generator, walls: np.random.Generator, body: BodyModel
    ) -> "_Stage":
        """Draw everything but the poses."""
        clothing = draw_clothed_person(rng)
        dressed = dress(clothing.person, body)
        camera = draw_camera(rng, np.zeros((*IMAGE_SIZE, 3), np.float32))
        stature = float(np.ptp(dressed.vertices[:, 1].numpy()))
        return cls(
            dressed=dressed,
            clothing=clothing,
            body=body,
            camera=camera,
            walls=walls,
            depth_m=camera.focal_px * stature / (IMAGE_SIZE[0] * rng.uniform(0.75, 0.95)),
            floor_px=IMAGE_SIZE[0] * rng.uniform(0.92, 0.985),
        )

    @cached_property
    def scene(self) -> Scene:
        """With its wall."""
        return replace(self.camera, background=draw_background(self.walls, IMAGE_SIZE))

    @cached_property
    def light(self) -> Environment:
        """Light from all around."""
        return draw_environment(self.walls, camera_of(self.camera).T, None)

    @cached_property
    def person(self) -> ClothedBody:
        """With everything on."""
        return clothe(self.clothing, self.body)

    @property
    def intrinsics(self) -> np.ndarray:
        """(3, 3), pixels."""
        return scene_intrinsics(self.camera).astype(np.float32)

    def pose(self, rng: np.random.Generator, yaw_deg: float) -> HumanParams:
        """Draw a pose, and where the person stands."""
        pose = draw_pose(rng, self.dressed.build)
        pose[0] = turned(pose[0], yaw_deg, self.camera)
        pose = pose.astype(np.float32)
        vertices = pose_dressed(self.dressed, self.body, pose).numpy()
        transl = place(rng, vertices, self.camera, self.depth_m, self.floor_px)
        return HumanParams.single(
            pose=torch.from_numpy(pose),
            betas=torch.from_numpy(self.dressed.person.betas),
            transl=torch.from_numpy(transl),
            intrinsics=torch.from_numpy(self.intrinsics),
            image_size=IMAGE_SIZE,
            beta_space=self.body.beta_space,
        )

    def show(self, params: HumanParams) -> Portrait:
        """Render the person in a pose."""
        pose = params.pose[0, 0].numpy().astype(np.float32)
        posed = pose_clothed(self.person, self.body, pose, -camera_of(self.camera)[:, 1])
        transl = params.transl[0, 0].numpy()
        return portray(
            posed, self.person, self.body, transl, self.scene, self.light, self.intrinsics
        )
