/**
 * Turns about x, then the turned y, then the turned z: what numeric fields show.
 *
 * @typedef {import("./rotations.js").Rotation} Rotation
 * @typedef {import("./rotations.js").Vector} Vector
 */

import { multiply, toMatrix } from "./rotations.js";

/** `R = Rx(x) Ry(y) Rz(z)`. @param {Vector} angles radians @returns {Rotation} */
export const fromEuler = ([x, y, z]) =>
  multiply(toMatrix([x, 0, 0]), multiply(toMatrix([0, y, 0]), toMatrix([0, 0, z])));

/**
 * The angles of a rotation: of the two ways to write it the one with the smaller angles; where y
 * is a quarter turn, z is 0.
 *
 * @param {Rotation} m
 * @returns {Vector} radians
 */
export function toEuler(m) {
  const y = Math.asin(Math.min(1, Math.max(-1, m[2])));
  if (Math.abs(m[2]) > 1 - 1e-9) return [Math.atan2(m[7], m[4]), y, 0];
  const first = [Math.atan2(-m[5], m[8]), y, Math.atan2(-m[1], m[0])];
  const second = [opposite(first[0]), opposite(-y), opposite(first[2])];
  return size(first) <= size(second) ? first : second;
}

/** @param {number} angle radians */
const opposite = (angle) => (angle > 0 ? angle - Math.PI : angle + Math.PI);
/** @param {Vector} angles */
const size = (angles) => angles.reduce((sum, angle) => sum + Math.abs(angle), 0);
