/**
 * The three rings about a joint's own axes: where they lie on the canvas, and what a drag along
 * one of them turns.
 *
 * @typedef {import("./rotations.js").Rotation} Rotation
 * @typedef {import("./rotations.js").Vector} Vector
 * @typedef {import("./view.js").View} View
 *
 * @typedef {object} RingPoint
 * @property {number[]} at on the canvas
 * @property {Vector} out from the joint, unit
 * @property {boolean} isFront on the half towards the eye
 *
 * @typedef {object} Ring
 * @property {number} axis 0 for x, 1 for y, 2 for z
 * @property {Vector} direction of the axis, world, unit
 * @property {Vector} centre metres, world
 * @property {number} radius metres
 * @property {RingPoint[]} points
 *
 * @typedef {object} Grip a ring held at a point
 * @property {Ring} ring
 * @property {RingPoint} point
 */

import * as r from "./rotations.js";

const RADIUS = 48;
const STEPS = 64;
const FACING = 0.35;
const SLOWEST = 12;

/**
 * Lay the rings about a joint.
 *
 * @param {View} view
 * @param {Vector} centre
 * @param {Rotation} rotation of the joint in the world
 * @param {number} size factor
 * @returns {Ring[]}
 */
export function ringsAt(view, centre, rotation, size) {
  const radius = RADIUS * size * view.metresPerPixel(view.project(centre)[2]);
  const eye = r.unit(r.subtract(view.camera.eye, centre));
  const axes = [0, 1, 2].map((k) => r.column(rotation, k));
  return axes.map((direction, axis) => {
    const [u, v] = [axes[(axis + 1) % 3], axes[(axis + 2) % 3]];
    const points = Array.from({ length: STEPS + 1 }, (_, i) => {
      const angle = (2 * Math.PI * i) / STEPS;
      const out = r.add(r.scale(u, Math.cos(angle)), r.scale(v, Math.sin(angle)));
      const [x, y] = view.project(r.add(centre, r.scale(out, radius)));
      return { at: [x, y], out, isFront: r.dot(out, eye) > -0.15 };
    });
    return { axis, direction, centre, radius, points };
  });
}

/**
 * Find the ring under the cursor, on its half towards the eye.
 *
 * @param {Ring[]} rings
 * @param {number[]} at
 * @param {number} within pixels
 * @returns {Grip | null}
 */
export function gripAt(rings, [x, y], within) {
  let found = null;
  let least = within;
  for (const ring of rings) {
    for (const point of ring.points) {
      const gap = Math.hypot(point.at[0] - x, point.at[1] - y);
      if (point.isFront && gap < least) [found, least] = [{ ring, point }, gap];
    }
  }
  return found;
}

/**
 * How far a drag turns a ring: about its centre where it faces the eye, along its tangent where
 * it is seen from the side.
 *
 * @param {View} view
 * @param {Grip} grip
 * @param {number[]} from where the drag began
 * @param {number[]} to where the cursor is
 * @returns {number} radians, counter-clockwise about the axis
 */
export function turnOf(view, { ring, point }, from, to) {
  const facing = r.dot(ring.direction, r.unit(r.subtract(view.camera.eye, ring.centre)));
  if (Math.abs(facing) > FACING) {
    const [x, y] = view.project(ring.centre);
    const [start, end] = [from, to].map((at) => Math.atan2(y - at[1], at[0] - x));
    const turn = Math.atan2(Math.sin(end - start), Math.cos(end - start));
    return Math.sign(facing) * turn;
  }
  const step = 0.01;
  const tangent = r.scale(r.cross(ring.direction, point.out), step);
  const next = view.project(r.add(ring.centre, r.scale(r.add(point.out, tangent), ring.radius)));
  const along = [(next[0] - point.at[0]) / step, (next[1] - point.at[1]) / step];
  const moved = (to[0] - from[0]) * along[0] + (to[1] - from[1]) * along[1];
  return moved / Math.max(along[0] ** 2 + along[1] ** 2, SLOWEST ** 2);
}
