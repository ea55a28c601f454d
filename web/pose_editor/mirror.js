/**
 * Left and right exchanged, copied, or edited alike. The mirror is the plane across the world's x
 * through the pelvis, which stays.
 *
 * @typedef {import("./rotations.js").Rotation} Rotation
 * @typedef {import("./skeleton.js").Skeleton} Skeleton
 */

/** The mirror image of a rotation: `S R S` with `S = diag(-1, 1, 1)`. @param {Rotation} m @returns {Rotation} */
export const mirrored = (m) => [
  m[0], -m[1], -m[2], -m[3], m[4], m[5], -m[6], m[7], m[8],
];

/** Exchange left and right. @param {Skeleton} skeleton */
export function mirror(skeleton) {
  skeleton.local = skeleton.body.mirrored.map((other) => mirrored(skeleton.local[other]));
  skeleton.update();
}

/**
 * Give joints' turns to those on the other side; joints of the middle stay.
 *
 * @param {Skeleton} skeleton
 * @param {Iterable<number>} joints
 */
export function copyAcross(skeleton, joints) {
  for (const joint of joints) {
    const other = skeleton.body.mirrored[joint];
    if (other !== joint) skeleton.local[other] = mirrored(skeleton.local[joint]);
  }
  skeleton.update();
}

/**
 * Give one side's whole pose to the other.
 *
 * @param {Skeleton} skeleton
 * @param {"l_" | "r_"} side whose pose is kept
 */
export function copySide(skeleton, side) {
  const { names } = skeleton.body;
  copyAcross(skeleton, names.flatMap((name, joint) => (name.startsWith(side) ? [joint] : [])));
}

/**
 * Copy across what a drag has changed on its own side, for symmetric editing.
 *
 * @param {Skeleton} skeleton
 * @param {Rotation[]} before `skeleton.local` before the drag
 * @param {number} dragged the joint; of the middle, nothing is copied
 */
export function keepSymmetric(skeleton, before, dragged) {
  const { names, mirrored: other } = skeleton.body;
  if (other[dragged] === dragged) return;
  const side = names[dragged].slice(0, 2);
  const changed = (joint) => before[joint].some((part, k) => part !== skeleton.local[joint][k]);
  copyAcross(skeleton, names.flatMap((name, joint) =>
    (name.startsWith(side) && changed(joint) ? [joint] : [])));
}
