/**
 * A posed skeleton: forward kinematics, as `pose_joints` does it in Python.
 *
 * @typedef {import("./body.js").Body} Body
 * @typedef {import("./document.js").Frame} Frame
 * @typedef {import("./rotations.js").Rotation} Rotation
 * @typedef {import("./rotations.js").Vector} Vector
 */

import { BODY_JOINTS } from "./body.js";
import * as r from "./rotations.js";
import { skin } from "./skinning.js";

export class Skeleton {
  /** @param {Body} body */
  constructor(body) {
    this.body = body;
    /** Each joint's own rotation, relative to its parent. @type {Rotation[]} */
    this.local = body.rest.map(() => r.IDENTITY);
    /** Shift of the posed body, metres. @type {Vector} */
    this.transl = [0, 0, 0];
    /** Each joint's rotation in the world. @type {Rotation[]} */
    this.world = [];
    /** Where each joint is in the world, metres. @type {Vector[]} */
    this.places = [];
    this.update();
  }

  /** Take the pose of a frame; fingers it does not name rest. @param {Frame} frame */
  read(frame) {
    this.local = this.body.rest.map((_, joint) => turnIn(frame, joint));
    this.transl = [...frame.transl];
    this.update();
  }

  /**
   * Give the pose as a frame.
   *
   * @param {number[][]} [fingers] those of the frame that was read, kept where this body has none
   * @returns {Frame}
   */
  write(fingers) {
    const turns = this.local.map(r.toAxisAngle);
    const own = turns.length > BODY_JOINTS ? turns.slice(BODY_JOINTS) : fingers;
    const frame = { pose: turns.slice(0, BODY_JOINTS), transl: [...this.transl] };
    return own ? { ...frame, fingers: own } : frame;
  }

  /** Compute world rotations and places from the local rotations. */
  update() {
    const { parents, rest } = this.body;
    this.world = [this.local[0]];
    this.places = [r.add(rest[0], this.transl)];
    for (let joint = 1; joint < rest.length; joint++) {
      const above = this.world[parents[joint]];
      const bone = r.subtract(rest[joint], rest[parents[joint]]);
      this.world.push(r.multiply(this.carrier(joint), this.local[joint]));
      this.places.push(r.add(this.places[parents[joint]], r.rotate(above, bone)));
    }
  }

  /**
   * The world rotation that a joint's own rotation is added to: that of its parent, and for the
   * first joint of a finger the turn of the hand too.
   *
   * @param {number} joint
   * @returns {Rotation}
   */
  carrier(joint) {
    const parent = this.body.parents[joint];
    const hand = this.body.follows[joint];
    if (parent < 0) return r.IDENTITY;
    return hand < 0 ? this.world[parent] : r.multiply(this.world[parent], this.local[hand]);
  }

  /** Turn a joint; what hangs on it follows. @param {number} joint @param {Rotation} rotation */
  setLocal(joint, rotation) {
    this.local[joint] = rotation;
    this.update();
  }

  /** Turn a joint to a rotation in the world. @param {number} joint @param {Rotation} rotation */
  setWorld(joint, rotation) {
    this.setLocal(joint, r.multiply(r.transpose(this.carrier(joint)), rotation));
  }

  /** Put the pelvis somewhere; the whole body moves along. @param {Vector} place metres */
  setPelvis(place) {
    this.transl = r.subtract(place, this.body.rest[0]);
    this.update();
  }

  /** Give a joint the turn that it has in a frame. @param {number} joint @param {Frame} frame */
  reset(joint, frame) {
    this.setLocal(joint, turnIn(frame, joint));
  }

  /**
   * What each joint does to points at rest, for `skin` and for the shader: 3 rows of 4 numbers a joint.
   *
   * @returns {Float32Array} 12 times the joints
   */
  skinning() {
    const rows = new Float32Array(12 * this.world.length);
    this.world.forEach((m, joint) => {
      const shift = r.subtract(this.places[joint], r.rotate(m, this.body.rest[joint]));
      for (let i = 0; i < 3; i++) {
        rows.set([m[3 * i], m[3 * i + 1], m[3 * i + 2], shift[i]], 12 * joint + 4 * i);
      }
    });
    return rows;
  }

  /** The height of the body's lowest vertex, metres. @returns {number} */
  lowest() {
    const count = this.body.positions.length;
    const places = new Float32Array(count);
    skin(this.body, this.skinning(), places, new Float32Array(count));
    return places.reduce((lowest, at, i) => (i % 3 === 1 ? Math.min(lowest, at) : lowest), Infinity);
  }

  /** Move the body up or down so that its lowest point touches a floor. @param {number} floor */
  dropToFloor(floor) {
    this.transl = r.add(this.transl, [0, floor - this.lowest(), 0]);
    this.update();
  }
}

/** The turn that a joint has in a frame; fingers it does not name rest. @param {Frame} frame @param {number} joint @returns {Rotation} */
function turnIn({ pose, fingers }, joint) {
  const turn = joint < BODY_JOINTS ? pose[joint] : fingers?.[joint - BODY_JOINTS];
  return turn ? r.toMatrix(turn) : r.IDENTITY;
}
