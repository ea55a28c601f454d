/**
 * Inverse kinematics of two bones: hands and feet reach, knees and elbows swing, other joints
 * aim the bone above them, and pinned hands and feet stay while the body moves.
 *
 * @typedef {import("./rotations.js").Rotation} Rotation
 * @typedef {import("./rotations.js").Vector} Vector
 * @typedef {import("./skeleton.js").Skeleton} Skeleton
 *
 * @typedef {object} Pin where the end of a limb stays
 * @property {Vector} place metres, world
 * @property {Rotation} rotation in the world
 *
 * @typedef {Record<string, Pin>} Pins by limb
 */

import { excess } from "./limits.js";
import * as r from "./rotations.js";

const STRAIGHT = 1e-3;
const SHORTEST = 1e-4;
const SWIVEL_STEP = Math.PI / 12;
const FINEST = 1e-4;
const SWIVEL_COST = 0.02;

/**
 * Bring the end of a limb to a place with the two joints above it: the middle one bends about its
 * hinge, then the limb swings as a whole. Bones keep their lengths. Where the hinge alone does not
 * reach, since no limb is wholly straight at rest, the bones are turned as that takes. A place out
 * of reach is pointed at.
 *
 * @param {Skeleton} skeleton
 * @param {string} limb a name in `body.limbs`
 * @param {Vector} place metres, world
 * @param {Rotation | null} [rotation] of the end in the world; it keeps its angle to the lower
 *   bone when left out
 * @returns {number} how far the place is out of reach, metres; 0 when reached
 */
export function reach(skeleton, limb, place, rotation = null) {
  const { rest, limbs } = skeleton.body;
  const [root, middle, end] = limbs[limb];
  const upper = r.length(r.subtract(rest[middle], rest[root]));
  const lower = r.length(r.subtract(rest[end], rest[middle]));
  const gap = r.length(r.subtract(place, skeleton.places[root]));
  const distance = Math.min(upper + lower, Math.max(Math.abs(upper - lower), gap, SHORTEST));
  bendHinge(skeleton, limb, distance);

  const [a, b, c] = [root, middle, end].map((joint) => skeleton.places[joint]);
  const before = r.unit(r.subtract(c, a));
  const side = bendSide(skeleton, limb, before);
  const after = gap > SHORTEST ? r.unit(r.subtract(place, a)) : before;
  const turned = r.rotate(r.swing(before, after), side);

  const cosine = (upper ** 2 + distance ** 2 - lower ** 2) / (2 * upper * distance);
  const sine = Math.sqrt(Math.max(0, 1 - cosine ** 2));
  const bend = r.add(r.scale(after, upper * cosine), r.scale(turned, upper * sine));
  const below = r.subtract(r.scale(after, distance), bend);
  const [from, to] = [r.cross(before, side), r.cross(after, turned)];
  const rootTurn = carry(r.subtract(b, a), from, bend, to, skeleton.world[root]);
  const middleTurn = carry(r.subtract(c, b), from, below, to, skeleton.world[middle]);
  skeleton.setWorld(root, rootTurn);
  skeleton.setWorld(middle, middleTurn);
  if (rotation) skeleton.setWorld(end, rotation);
  return Math.abs(gap - distance) < 1e-9 ? 0 : Math.abs(gap - distance);
}

/**
 * Bend knee or elbow about its hinge, the way its limits allow, until root and end are so far
 * apart, or as nearly as that goes.
 *
 * With the bones `u` above and `v` below, `|u + R(h, x) v|` is the distance: `u . R(h, x) v` is
 * `c + a cos x + b sin x`.
 */
function bendHinge(skeleton, limb, distance) {
  const [root, middle, end] = skeleton.body.limbs[limb];
  const { rest } = skeleton.body;
  const hinge = hingeOf(skeleton.body, middle);
  if (!hinge) return;
  const u = r.subtract(rest[middle], rest[root]);
  const v = r.rotate(skeleton.local[middle], r.subtract(rest[end], rest[middle]));
  const [a, b] = [r.dot(u, r.across(v, hinge)), r.dot(u, r.cross(hinge, v))];
  const c = r.dot(u, hinge) * r.dot(v, hinge);
  const wanted = (distance ** 2 - r.dot(u, u) - r.dot(v, v)) / 2 - c;
  const cosine = Math.min(1, Math.max(-1, wanted / Math.max(Math.hypot(a, b), SHORTEST ** 2)));
  const turn = r.toMatrix(r.scale(hinge, Math.atan2(b, a) + Math.acos(cosine)));
  skeleton.setLocal(middle, r.multiply(turn, skeleton.local[middle]));
}

/** The unit axis about which a joint bends as its limits allow; null where it has none. */
function hingeOf(body, joint) {
  const limit = body.limits[joint];
  return limit && r.unit(r.add(limit.lower, limit.upper));
}

/** Turn a bone from one direction to another and its bending plane's normal along with it. */
function carry(from, normal, to, newNormal, rotation) {
  const turn = r.multiply(frame(to, newNormal), r.transpose(frame(from, normal)));
  return r.multiply(turn, rotation);
}

function frame(direction, normal) {
  const x = r.unit(direction);
  const z = r.unit(r.across(normal, x));
  return r.fromColumns(x, r.cross(z, x), z);
}

/** The unit direction, across the line from root to end, in which the middle joint bends. */
function bendSide(skeleton, limb, line) {
  const [root, middle, end] = skeleton.body.limbs[limb];
  const bone = r.subtract(skeleton.places[middle], skeleton.places[root]);
  const side = r.across(bone, line);
  if (r.length(side) > STRAIGHT * r.length(bone)) return r.unit(side);
  const { rest } = skeleton.body;
  const hinge = hingeOf(skeleton.body, middle) ?? [1, 0, 0];
  const away = r.cross(r.subtract(rest[end], rest[middle]), hinge);
  const allowed = r.across(r.rotate(skeleton.world[root], away), line);
  if (r.length(allowed) > SHORTEST) return r.unit(allowed);
  return r.unit(r.across(Math.abs(line[1]) < 0.9 ? [0, 1, 0] : [0, 0, 1], line));
}

/**
 * Swing knee or elbow about the line from root to end, which stay where they are.
 *
 * @param {Skeleton} skeleton
 * @param {string} limb
 * @param {number} angle radians
 */
export function swivel(skeleton, limb, angle) {
  const [root, , end] = skeleton.body.limbs[limb];
  const line = r.subtract(skeleton.places[end], skeleton.places[root]);
  if (r.length(line) < SHORTEST) return;
  const kept = skeleton.world[end];
  const turn = r.toMatrix(r.scale(r.unit(line), angle));
  skeleton.setWorld(root, r.multiply(turn, skeleton.world[root]));
  skeleton.setWorld(end, kept);
}

/**
 * Swing knee or elbow to where it is nearest to a place.
 *
 * @param {Skeleton} skeleton
 * @param {string} limb
 * @param {Vector} place metres, world
 */
export function swivelTowards(skeleton, limb, place) {
  const [a, b, c] = skeleton.body.limbs[limb].map((joint) => skeleton.places[joint]);
  const line = r.unit(r.subtract(c, a));
  swivel(skeleton, limb, r.angleAbout(line, r.subtract(b, a), r.subtract(place, a)));
}

/**
 * Swing knee or elbow so that root, middle and end exceed their limits least, as little as that
 * takes. The end stays where it is: limits are soft, places exact.
 *
 * @param {Skeleton} skeleton
 * @param {string} limb
 */
export function swivelWithinLimits(skeleton, limb) {
  const { body, world } = skeleton;
  const [root, middle, end] = body.limbs[limb];
  const line = r.unit(r.subtract(skeleton.places[end], skeleton.places[root]));
  const above = r.transpose(skeleton.carrier(root));
  /** @param {number} joint @param {Rotation} rotation */
  const strain = (joint, rotation) => {
    const over = excess(body, joint, r.toAxisAngle(rotation));
    return r.dot(over, over);
  };
  // The middle joint's own rotation stays as it is.
  const cost = (angle) => {
    const turn = r.toMatrix(r.scale(line, angle));
    const rootLocal = r.multiply(above, r.multiply(turn, world[root]));
    const endLocal = r.multiply(r.transpose(r.multiply(turn, world[middle])), world[end]);
    return strain(root, rootLocal) + strain(end, endLocal) + SWIVEL_COST * angle ** 2;
  };
  if (cost(0) === 0) return;
  let best = 0;
  for (let angle = -Math.PI; angle < Math.PI; angle += SWIVEL_STEP) {
    if (cost(angle) < cost(best)) best = angle;
  }
  for (let step = SWIVEL_STEP / 2; step > FINEST; step /= 2) {
    best = [best - step, best, best + step].reduce((a, b) => (cost(b) < cost(a) ? b : a));
  }
  swivel(skeleton, limb, best);
}

/**
 * Whether dragging a joint turns the one above it: all but the pelvis, what hangs on it, the
 * collars, knuckles, and the ends of limbs, which reach instead.
 *
 * @param {import("./body.js").Body} body
 * @param {number} joint
 * @returns {boolean}
 */
export function aims(body, joint) {
  const ends = Object.values(body.limbs).map((chain) => chain[2]);
  const apart = ends.includes(joint) || body.follows[joint] >= 0;
  return body.parents[joint] > 0 && !apart && !body.names[joint].endsWith("collar");
}

/**
 * Turn the joint above so that this one lies in the direction of a place.
 *
 * @param {Skeleton} skeleton
 * @param {number} joint
 * @param {Vector} place metres, world
 */
export function aim(skeleton, joint, place) {
  const above = skeleton.body.parents[joint];
  const turn = r.swing(
    r.subtract(skeleton.places[joint], skeleton.places[above]),
    r.subtract(place, skeleton.places[above]),
  );
  skeleton.setWorld(above, r.multiply(turn, skeleton.world[above]));
}

/**
 * Remember where the ends of limbs are now.
 *
 * @param {Skeleton} skeleton
 * @param {Iterable<string>} limbs
 * @returns {Pins}
 */
export function pinsOf(skeleton, limbs) {
  /** @type {Pins} */
  const pins = {};
  for (const limb of limbs) {
    const end = skeleton.body.limbs[limb][2];
    pins[limb] = { place: skeleton.places[end], rotation: skeleton.world[end] };
  }
  return pins;
}

/**
 * Bring pinned hands and feet back to their places, after any other change of the pose.
 *
 * @param {Skeleton} skeleton
 * @param {Pins} pins
 * @returns {number} the largest distance that is out of reach, metres
 */
export function holdPins(skeleton, pins) {
  const gaps = Object.entries(pins).map(([limb, pin]) =>
    reach(skeleton, limb, pin.place, pin.rotation));
  return Math.max(0, ...gaps);
}
