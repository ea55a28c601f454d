import assert from "node:assert/strict";
import { test } from "node:test";

import * as ik from "../../web/pose_editor/inverse_kinematics.js";
import { excess, soften, strained } from "../../web/pose_editor/limits.js";
import * as r from "../../web/pose_editor/rotations.js";
import { Skeleton } from "../../web/pose_editor/skeleton.js";
import { body, cases, posed, randomFrom } from "./cases.js";

const LIMBS = Object.keys(body.limbs);
const gap = (a, b) => r.length(r.subtract(a, b));
const bones = (skeleton) => skeleton.places.slice(1).map((place, k) =>
  gap(place, skeleton.places[body.parents[k + 1]]));

function sameBones(skeleton, before) {
  bones(skeleton).forEach((length, k) => assert.ok(Math.abs(length - before[k]) < 1e-9));
}

/** A place that a limb's end can reach. */
function reachable(skeleton, limb, random) {
  const [a, b, c] = body.limbs[limb].map((joint) => skeleton.places[joint]);
  const [upper, lower] = [gap(a, b), gap(b, c)];
  const distance = Math.abs(upper - lower) + 0.01 + random() * (upper + lower - Math.abs(upper - lower) - 0.02);
  const direction = r.unit([0, 1, 2].map(() => random() - 0.5));
  return r.add(a, r.scale(direction, distance));
}

test("hands and feet reach exactly, bones keep their lengths, nothing else moves", () => {
  const random = randomFrom(1);
  for (const one of cases.poses) {
    for (const limb of LIMBS) {
      const skeleton = posed(one);
      const [before, places] = [bones(skeleton), skeleton.places];
      const goal = reachable(skeleton, limb, random);
      const rotation = skeleton.world[body.limbs[limb][2]];
      assert.equal(ik.reach(skeleton, limb, goal, rotation), 0);
      assert.ok(gap(skeleton.places[body.limbs[limb][2]], goal) < 1e-9);
      sameBones(skeleton, before);
      skeleton.world[body.limbs[limb][2]].forEach((part, k) => assert.ok(Math.abs(part - rotation[k]) < 1e-9));
      const moved = new Set(body.limbs[limb].slice(1));
      places.forEach((place, joint) => {
        if (!moved.has(joint)) assert.ok(gap(place, skeleton.places[joint]) < 1e-12);
      });
    }
  }
});

test("a place out of reach is pointed at, and the distance said", () => {
  const skeleton = posed(cases.poses[0]);
  const [a] = body.limbs.left_arm.map((joint) => skeleton.places[joint]);
  const goal = r.add(a, [0, 2, 0]);
  const short = ik.reach(skeleton, "left_arm", goal);
  const hand = skeleton.places[body.limbs.left_arm[2]];
  assert.ok(Math.abs(gap(hand, goal) - short) < 1e-9);
  assert.ok(gap(r.unit(r.subtract(hand, a)), [0, 1, 0]) < 1e-9);
});

test("a long drag leaves rotations that are rotations", () => {
  const random = randomFrom(2);
  const skeleton = posed(cases.poses[1]);
  for (let step = 0; step < 1000; step++) {
    ik.reach(skeleton, "right_arm", reachable(skeleton, "right_arm", random));
  }
  for (const m of skeleton.local) {
    r.multiply(m, r.transpose(m)).forEach((part, k) => assert.ok(Math.abs(part - r.IDENTITY[k]) < 1e-9));
  }
});

test("straight knees bend forwards and straight elbows backwards", () => {
  const skeleton = new Skeleton(body);
  skeleton.read({ pose: Array.from({ length: 24 }, () => [0, 0, 0]), transl: [0, 0, 0] });
  for (const limb of LIMBS) {
    const [root, middle, end] = body.limbs[limb];
    const line = r.subtract(skeleton.places[end], skeleton.places[root]);
    // The bundled body's limbs are nearly straight at rest: straighten them wholly.
    const straight = r.add(skeleton.places[root], r.scale(line, 10));
    ik.reach(skeleton, limb, straight);
    ik.reach(skeleton, limb, r.add(skeleton.places[root], r.scale(line, 0.7)));
    const side = r.across(r.subtract(skeleton.places[middle], skeleton.places[root]), r.unit(line));
    assert.ok(limb.endsWith("leg") ? side[2] > 0.05 : side[2] < -0.05, `${limb}: ${side}`);
    assert.equal(strained(skeleton).includes(middle), false, limb);
  }
});

test("knees and elbows bend about their hinges alone", () => {
  for (const limb of LIMBS) {
    const skeleton = new Skeleton(body);
    const [root, middle, end] = body.limbs[limb];
    const [a, c] = [skeleton.places[root], skeleton.places[end]];
    ik.reach(skeleton, limb, r.add(a, r.scale(r.subtract(c, a), 0.6)));
    const turn = r.toAxisAngle(skeleton.local[middle]);
    const hinge = limb.endsWith("leg") ? [1, 0, 0] : [0, limb.startsWith("left") ? -1 : 1, 0];
    assert.ok(r.dot(turn, hinge) > 1 && r.length(r.across(turn, hinge)) < 1e-6, `${limb}: ${turn}`);
  }
});

test("a limb that is already there stays as it is", () => {
  const skeleton = new Skeleton(body);
  skeleton.read({ pose: body.standing, transl: [0, 0, 0] });
  const places = skeleton.places;
  ik.holdPins(skeleton, ik.pinsOf(skeleton, LIMBS));
  places.forEach((place, joint) => assert.ok(gap(place, skeleton.places[joint]) < 1e-6));
});

test("a hand that moves steadily has an elbow that does", () => {
  const path = [[0.25, -0.2, 0.1], [-0.35, 0.05, 0.25], [0.1, 0.4, 0.2], [0.35, 0.1, -0.2]];
  const [root, middle] = body.limbs.left_arm;
  for (let leg = 0; leg + 1 < path.length; leg++) {
    let last = null;
    for (let step = 0; step <= 100; step++) { // about 7 mm each
      const skeleton = new Skeleton(body);
      skeleton.read({ pose: body.standing, transl: [0, 0, 0] });
      const at = r.add(r.scale(path[leg], 1 - step / 100), r.scale(path[leg + 1], step / 100));
      ik.reach(skeleton, "left_arm", r.add(skeleton.places[root], at));
      ik.swivelWithinLimits(skeleton, "left_arm");
      const elbow = skeleton.places[middle];
      if (last) assert.ok(gap(elbow, last) < 0.02, `${leg} ${step}`);
      last = elbow;
    }
  }
});

test("a swivel keeps root, end and the end's rotation, and meets its place", () => {
  for (const one of cases.poses.slice(0, 30)) {
    for (const limb of LIMBS) {
      const skeleton = posed(one);
      const [root, middle, end] = body.limbs[limb];
      const [places, kept, before] = [skeleton.places, skeleton.world[end], bones(skeleton)];
      ik.swivel(skeleton, limb, 1.1);
      assert.ok(gap(skeleton.places[end], places[end]) < 1e-9);
      assert.ok(gap(skeleton.places[root], places[root]) < 1e-12);
      skeleton.world[end].forEach((part, k) => assert.ok(Math.abs(part - kept[k]) < 1e-9));
      sameBones(skeleton, before);
      ik.swivelTowards(skeleton, limb, places[middle]);
      assert.ok(gap(skeleton.places[middle], places[middle]) < 1e-9);
    }
  }
});

test("pinned feet and hands stay while the pelvis moves and turns", () => {
  const skeleton = new Skeleton(body);
  skeleton.read({ pose: body.standing, transl: [0, 0, 0] });
  ik.reach(skeleton, "left_arm", r.add(skeleton.places[body.limbs.left_arm[0]], [0.1, -0.2, 0.3]));
  const pins = ik.pinsOf(skeleton, ["left_leg", "right_leg", "left_arm"]);
  skeleton.setPelvis(r.add(skeleton.places[0], [0.03, -0.15, 0.05]));
  assert.equal(ik.holdPins(skeleton, pins), 0);
  skeleton.setWorld(0, r.toMatrix([0, 0.2, 0]));
  assert.equal(ik.holdPins(skeleton, pins), 0);
  for (const [limb, pin] of Object.entries(pins)) {
    const end = body.limbs[limb][2];
    assert.ok(gap(skeleton.places[end], pin.place) < 1e-9);
    skeleton.world[end].forEach((part, k) => assert.ok(Math.abs(part - pin.rotation[k]) < 1e-9));
  }
  skeleton.setPelvis([0, 2, 0]);
  assert.ok(ik.holdPins(skeleton, pins) > 0.5, "feet cannot reach");
});

test("aiming brings a joint into a direction", () => {
  const elbow = body.names.indexOf("l_elbow");
  assert.ok(ik.aims(body, elbow));
  for (const name of ["pelvis", "l_hip", "spine1", "l_collar", "l_wrist"]) {
    assert.ok(!ik.aims(body, body.names.indexOf(name)), name);
  }
  const skeleton = posed(cases.poses[2]);
  const shoulder = skeleton.places[body.parents[elbow]];
  ik.aim(skeleton, elbow, r.add(shoulder, [0, 0, 5]));
  assert.ok(gap(r.unit(r.subtract(skeleton.places[elbow], shoulder)), [0, 0, 1]) < 1e-9);
});

test("limits are those of the fit: an elbow does not bend backwards", () => {
  const elbow = body.names.indexOf("l_elbow");
  assert.deepEqual(excess(body, elbow, [0, -1, 0]), [0, 0, 0]);
  assert.ok(Math.abs(excess(body, elbow, [0, 0.55, 0])[1] - 0.5) < 1e-12);
  assert.equal(excess(body, 0, [9, 9, 9]).some(Boolean), false);
});

test("joints give way beyond a limit, less and less, without a jump", () => {
  const knee = body.names.indexOf("r_knee");
  const softened = (angle) => r.toAxisAngle(soften(body, knee, r.toMatrix([angle, 0, 0])))[0];
  const { lower } = body.limits[knee];
  assert.equal(softened(1), r.toAxisAngle(r.toMatrix([1, 0, 0]))[0]);
  assert.ok(Math.abs(softened(lower[0] - 1e-4) - (lower[0] - 1e-4)) < 1e-6);
  assert.ok(softened(-1) < softened(-0.5) && softened(-1) > lower[0] - 0.2);
});

test("a swivel within limits strains less and keeps the hand where it is", () => {
  let helped = 0;
  const strain = (skeleton, limb) => body.limbs[limb].slice(0, 3).reduce((sum, joint) =>
    sum + r.length(excess(body, joint, r.toAxisAngle(skeleton.local[joint]))) ** 2, 0);
  for (const one of cases.poses.slice(0, 30)) {
    for (const limb of LIMBS) {
      const skeleton = posed(one);
      const [before, end] = [strain(skeleton, limb), skeleton.places[body.limbs[limb][2]]];
      ik.swivelWithinLimits(skeleton, limb);
      assert.ok(strain(skeleton, limb) <= before + 1e-9);
      assert.ok(gap(skeleton.places[body.limbs[limb][2]], end) < 1e-9);
      helped += strain(skeleton, limb) < before - 0.01;
    }
  }
  assert.ok(helped > 5, `${helped}`);
});
