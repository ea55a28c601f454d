/**
 * Soft limits of joints: ranges of each part of the axis-angle vector, from the server, which are
 * those that the fit of a body to keypoints has (`posexfer_core/fit/pose_prior.py`).
 *
 * @typedef {import("./body.js").Body} Body
 * @typedef {import("./rotations.js").Rotation} Rotation
 * @typedef {import("./rotations.js").Vector} Vector
 */

import { toAxisAngle, toMatrix } from "./rotations.js";

/** How far a joint gives way beyond a limit, however hard it is turned, radians. */
const GIVE = 0.2;

/**
 * By how much each part of a joint's axis-angle vector is beyond its limits.
 *
 * @param {Body} body
 * @param {number} joint
 * @param {Vector} axisAngle radians
 * @returns {Vector} signed, radians; zeros within the limits
 */
export function excess(body, joint, axisAngle) {
  const limit = body.limits[joint];
  if (!limit) return [0, 0, 0];
  return axisAngle.map((angle, k) =>
    Math.max(0, angle - limit.upper[k]) + Math.min(0, angle - limit.lower[k]));
}

/**
 * Give way less and less beyond the limits: `e` over becomes `GIVE (1 - exp(-e / GIVE))`.
 *
 * @param {Body} body
 * @param {number} joint
 * @param {Rotation} rotation the joint's own, relative to its parent
 * @returns {Rotation} the same one within the limits
 */
export function soften(body, joint, rotation) {
  const turn = toAxisAngle(rotation);
  const over = excess(body, joint, turn);
  if (!over.some(Boolean)) return rotation;
  return toMatrix(turn.map((angle, k) => {
    const left = GIVE * (1 - Math.exp(-Math.abs(over[k]) / GIVE));
    return angle - over[k] + Math.sign(over[k]) * left;
  }));
}

/**
 * The joints that are beyond their limits, to be marked.
 *
 * @param {import("./skeleton.js").Skeleton} skeleton
 * @param {number} [tolerance] radians
 * @returns {number[]}
 */
export function strained(skeleton, tolerance = 0.05) {
  return skeleton.local.flatMap((rotation, joint) => {
    const over = excess(skeleton.body, joint, toAxisAngle(rotation));
    return over.some((part) => Math.abs(part) > tolerance) ? [joint] : [];
  });
}
