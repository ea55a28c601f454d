/**
 * What dragging a joint does, always counted from the pose at the press: hands and feet reach,
 * knees and elbows swing, hips move the body, all others aim the bone above them.
 *
 * @typedef {import("./rotations.js").Vector} Vector
 * @typedef {import("./session.js").Session} Session
 * @typedef {import("./session.js").Start} Start
 * @typedef {import("./skeleton.js").Skeleton} Skeleton
 */

import { aim, aims, reach, swivelTowards, swivelWithinLimits } from "./inverse_kinematics.js";
import { soften } from "./limits.js";
import * as r from "./rotations.js";

/**
 * @param {Session} session
 * @param {Start} start
 * @param {number} joint
 * @param {Vector} goal where the cursor is, metres
 * @param {boolean} swings whether knee or elbow swings about its limb, which keeps hand or foot;
 *   the pelvis takes the whole body along, pinned feet too
 */
export function dragJoint(session, start, joint, goal, swings) {
  const { body } = session;
  const limbs = Object.entries(body.limbs);
  const ofEnd = limbs.find(([, chain]) => chain[2] === joint)?.[0];
  const ofMiddle = limbs.find(([, chain]) => chain[1] === joint)?.[0];
  session.preview(start, (skeleton) => {
    if (joint === 0 || body.parents[joint] === 0) {
      skeleton.setPelvis(r.add(start.places[0], r.subtract(goal, start.places[joint])));
    } else if (ofEnd) {
      const flat = ofEnd.endsWith("leg") ? start.world[joint] : null;
      reach(skeleton, ofEnd, goal, flat);
      swivelWithinLimits(skeleton, ofEnd);
    } else if (ofMiddle && swings) {
      swivelTowards(skeleton, ofMiddle, goal);
    } else if (aims(body, joint)) {
      aim(skeleton, joint, goal);
      giveWay(skeleton, body.parents[joint]);
    }
  }, swings && joint === 0 ? undefined : joint);
}

/**
 * Turn a joint about one of its own axes.
 *
 * @param {Session} session
 * @param {Start} start
 * @param {number} joint
 * @param {Vector} axis world, unit
 * @param {number} angle radians
 */
export function turnJoint(session, start, joint, axis, angle) {
  session.preview(start, (skeleton) => {
    const turn = r.toMatrix(r.scale(axis, angle));
    skeleton.setWorld(joint, r.multiply(turn, start.world[joint]));
    giveWay(skeleton, joint);
  }, joint);
}

/** Give way beyond the limits of one joint. @param {Skeleton} skeleton @param {number} joint */
function giveWay(skeleton, joint) {
  skeleton.setLocal(joint, soften(skeleton.body, joint, skeleton.local[joint]));
}
