/**
 * Vectors and rotations. Vectors are arrays of 3, rotations arrays of 9 in row order that act on
 * columns; radians.
 *
 * @typedef {number[]} Vector
 * @typedef {number[]} Rotation
 */

/** @type {Rotation} */
export const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1];

const TINY = 1e-12;
const STEP = Math.PI / 12;

/** @param {Vector} a @param {Vector} b @returns {Vector} */
export const add = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];

/** @param {Vector} a @param {Vector} b @returns {Vector} */
export const subtract = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];

/** @param {Vector} a @param {number} factor @returns {Vector} */
export const scale = (a, factor) => [a[0] * factor, a[1] * factor, a[2] * factor];

/** @param {Vector} a @param {Vector} b @returns {number} */
export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** @param {Vector} a @param {Vector} b @returns {Vector} */
export const cross = (a, b) => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** @param {Vector} a @returns {number} */
export const length = (a) => Math.hypot(a[0], a[1], a[2]);

/** Scale to length 1; the zero vector stays. @param {Vector} a @returns {Vector} */
export const unit = (a) => scale(a, 1 / Math.max(length(a), TINY));

/** The part of `a` across a unit vector. @param {Vector} a @param {Vector} axis @returns {Vector} */
export const across = (a, axis) => subtract(a, scale(axis, dot(a, axis)));

/** @param {Rotation} m @param {number} k @returns {Vector} */
export const column = (m, k) => [m[k], m[k + 3], m[k + 6]];

/** @param {Vector} a @param {Vector} b @param {Vector} c @returns {Rotation} */
export const fromColumns = (a, b, c) => [
  a[0], b[0], c[0], a[1], b[1], c[1], a[2], b[2], c[2],
];

/** The inverse rotation. @param {Rotation} m @returns {Rotation} */
export const transpose = (m) => [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]];

/** @param {Rotation} m @param {Vector} v @returns {Vector} */
export const rotate = (m, v) => [
  m[0] * v[0] + m[1] * v[1] + m[2] * v[2],
  m[3] * v[0] + m[4] * v[1] + m[5] * v[2],
  m[6] * v[0] + m[7] * v[1] + m[8] * v[2],
];

/** `a b`: first `b`, then `a`. @param {Rotation} a @param {Rotation} b @returns {Rotation} */
export function multiply(a, b) {
  const out = new Array(9);
  for (let row = 0; row < 9; row += 3) {
    for (let k = 0; k < 3; k++) {
      out[row + k] = a[row] * b[k] + a[row + 1] * b[k + 3] + a[row + 2] * b[k + 6];
    }
  }
  return out;
}

/**
 * Turn an axis-angle vector into a matrix by Rodrigues' formula.
 * `toMatrix([0, 0, Math.PI / 2])` takes x to y.
 *
 * @param {Vector} axisAngle
 * @returns {Rotation}
 */
export function toMatrix(axisAngle) {
  const angle = length(axisAngle);
  if (angle < TINY) return IDENTITY;
  const [x, y, z] = scale(axisAngle, 1 / angle);
  const [s, c] = [Math.sin(angle), Math.cos(angle)];
  const t = 1 - c;
  return [
    t * x * x + c, t * x * y - s * z, t * x * z + s * y,
    t * x * y + s * z, t * y * y + c, t * y * z - s * x,
    t * x * z - s * y, t * y * z + s * x, t * z * z + c,
  ];
}

/**
 * Turn a matrix into an axis-angle vector of at most pi.
 *
 * `4 q q^T` is linear in the matrix; its longest row is the quaternion `q` up to scale, well
 * defined at half turns too.
 *
 * @param {Rotation} m
 * @returns {Vector}
 */
export function toAxisAngle(m) {
  const rows = [
    [1 + m[0] + m[4] + m[8], m[7] - m[5], m[2] - m[6], m[3] - m[1]],
    [m[7] - m[5], 1 + m[0] - m[4] - m[8], m[1] + m[3], m[2] + m[6]],
    [m[2] - m[6], m[1] + m[3], 1 - m[0] + m[4] - m[8], m[5] + m[7]],
    [m[3] - m[1], m[2] + m[6], m[5] + m[7], 1 - m[0] - m[4] + m[8]],
  ];
  let longest = 0;
  for (let k = 1; k < 4; k++) if (rows[k][k] > rows[longest][longest]) longest = k;
  const size = Math.hypot(...rows[longest]);
  const sign = rows[longest][0] < 0 ? -1 : 1;
  const [w, x, y, z] = rows[longest].map((part) => (sign * part) / size);
  const sine = Math.hypot(x, y, z);
  if (sine < TINY) return [0, 0, 0];
  return scale([x, y, z], (2 * Math.atan2(sine, w)) / sine);
}

/**
 * The smallest rotation that takes one direction into another.
 *
 * @param {Vector} from
 * @param {Vector} to
 * @returns {Rotation}
 */
export function swing(from, to) {
  const [a, b] = [unit(from), unit(to)];
  const axis = cross(a, b);
  const sine = length(axis);
  if (sine > TINY) return toMatrix(scale(axis, Math.atan2(sine, dot(a, b)) / sine));
  if (dot(a, b) >= 0) return IDENTITY;
  return toMatrix(scale(unit(cross(a, Math.abs(a[0]) < 0.9 ? [1, 0, 0] : [0, 1, 0])), Math.PI));
}

/**
 * The signed angle about a unit axis from one direction to another, both seen along the axis.
 *
 * @param {Vector} axis
 * @param {Vector} from
 * @param {Vector} to
 * @returns {number} from -pi to pi; 0 where a direction lies along the axis
 */
export function angleAbout(axis, from, to) {
  const [a, b] = [across(from, axis), across(to, axis)];
  return Math.atan2(dot(axis, cross(a, b)), dot(a, b));
}

/** Round an angle to steps of 15 degrees. @param {number} angle radians */
export const snapAngle = (angle) => Math.round(angle / STEP) * STEP;
