import assert from "node:assert/strict";
import { test } from "node:test";

import { adopt } from "../../web/pose_editor/actions.js";
import { Camera } from "../../web/pose_editor/camera.js";
import { COMMANDS, keyName } from "../../web/pose_editor/commands.js";
import { fromEuler, toEuler } from "../../web/pose_editor/euler.js";
import { dragJoint, turnJoint } from "../../web/pose_editor/pose_drag.js";
import { gripAt, ringsAt, turnOf } from "../../web/pose_editor/rings.js";
import * as r from "../../web/pose_editor/rotations.js";
import { Session } from "../../web/pose_editor/session.js";
import { orbitAbout, View } from "../../web/pose_editor/view.js";
import { body, cases, randomFrom } from "./cases.js";

const [PELVIS, L_ANKLE, L_ELBOW, R_ELBOW, L_WRIST, R_WRIST] = [0, 7, 18, 19, 20, 21];
const SIZE = /** @type {[number, number]} */ ([512, 768]);

/** A session, and every value that it has told. */
function begin() {
  /** @type {string[]} */
  const told = [];
  return { session: new Session(body, SIZE, (text) => told.push(text)), told };
}

function viewOf(state = body.camera) {
  const view = new View(new Camera({ ...state, centre: [0.4, 0.55] }, SIZE));
  view.canvas = [400, 500];
  return view;
}

/** Move a joint by a vector, as one drag. */
function drag(session, joint, by, swings = false) {
  const start = session.begin();
  const goal = r.add(start.places[joint], by);
  dragJoint(session, start, joint, goal, swings);
  session.commit(start);
  return goal;
}

const gap = (a, b) => r.length(r.subtract(a, b));

test("angles of rotations give the rotations again, in their smaller form", () => {
  const random = randomFrom(5);
  for (let i = 0; i < 100; i++) {
    const angles = [0, 1, 2].map(() => (random() - 0.5) * 6);
    const again = fromEuler(toEuler(fromEuler(angles)));
    fromEuler(angles).forEach((part, k) => assert.ok(Math.abs(part - again[k]) < 1e-9));
  }
  const back = toEuler(fromEuler([0, 2.5, 0]));
  [0, 2.5, 0].forEach((angle, k) => assert.ok(Math.abs(back[k] - angle) < 1e-9));
});

test("with Shift the pelvis takes the whole body along, pinned feet too", () => {
  for (const [swings, moves] of /** @type {const} */ ([[false, 0], [true, 0.3]])) {
    const { session } = begin();
    const [pelvis, ankle] = [PELVIS, L_ANKLE].map((joint) => session.skeleton.places[joint]);
    drag(session, PELVIS, [0.3, -0.05, 0], swings);
    assert.ok(Math.abs(session.skeleton.places[PELVIS][0] - pelvis[0] - 0.3) < 1e-9);
    assert.ok(Math.abs(session.skeleton.places[L_ANKLE][0] - ankle[0] - moves) < 1e-3);
  }
});

test("magnifying keeps what is under the cursor and leaves the picture's camera alone", () => {
  const view = viewOf();
  const state = structuredClone(view.picture.state);
  const point = [0.3, 0.2, 0.1];
  const [x, y] = view.project(point);
  view.magnify([x, y], 3);
  const [u, v] = view.project(point);
  assert.ok(Math.hypot(u - x, v - y) < 1e-9);
  assert.deepEqual(view.picture.state, state);
});

test("a point moved by pixels is seen that many pixels away", () => {
  const view = viewOf();
  const point = [0.3, 0.2, 0.1];
  const [x, y, depth] = view.project(point);
  const [u, v, newDepth] = view.project(view.moved(point, 17, -9));
  assert.ok(Math.hypot(u - x - 17, v - y + 9) < 1e-6);
  assert.ok(Math.abs(depth - newDepth) < 1e-9);
});

test("an orbit keeps its pivot in place, and the view's keeps the picture's camera", () => {
  const view = viewOf();
  const pivot = [0.2, 0.4, -0.1];
  const [before, state] = [view.project(pivot), structuredClone(view.picture.state)];
  view.orbit(pivot, 40, -25);
  view.project(pivot).forEach((part, k) => assert.ok(Math.abs(part - before[k]) < 1e-6));
  assert.deepEqual(view.picture.state, state);
  orbitAbout(view.picture, pivot, 0.5, 0.2);
  assert.ok(Math.abs(view.picture.state.yaw - state.yaw - 0.5) < 1e-12);
});

test("from every side the whole body is inside the picture", () => {
  const { session } = begin();
  for (const side of /** @type {const} */ (["front", "back", "left", "right", "top"])) {
    const view = viewOf();
    view.look(session.skeleton, side);
    const [left, top, width, height] = view.frame;
    for (const place of session.skeleton.places) {
      const [x, y] = view.project(place);
      assert.ok(x > left && x < left + width && y > top && y < top + height, side);
    }
  }
});

test("WebGL's matrices put a point where the overlay has it", () => {
  const view = viewOf();
  view.magnify([120, 80], 1.7);
  const point = [0.25, 0.5, 0.2];
  const { view: columns, projection } = view.matrices([[0, 0, 0]]);
  const times = (m, v) => [0, 1, 2, 3].map((row) => v.reduce((sum, part, k) => sum + m[4 * k + row] * part, 0));
  const [x, y, z, w] = times(projection, times(columns, [...point, 1]));
  const [u, v] = view.project(point);
  assert.ok(Math.abs((x / w + 1) * 200 - u) < 1e-3);
  assert.ok(Math.abs((1 - y / w) * 250 - v) < 1e-3);
  assert.ok(Math.abs(z / w) < 1);
});

test("a ring follows the cursor, from the front and from the side", () => {
  const view = viewOf({ ...body.camera, yaw: 0, pitch: 0 });
  const rings = ringsAt(view, [0, 0, 0], r.IDENTITY, 1);
  for (const { axis, points } of rings) {
    const nearest = points.reduce((a, b) => (b.out[2] > a.out[2] ? b : a));
    const grip = gripAt([rings[axis]], nearest.at, 1);
    assert.ok(grip);
    const { direction, centre, radius } = grip.ring;
    const out = r.rotate(r.toMatrix(r.scale(direction, 0.1)), grip.point.out);
    const to = view.project(r.add(centre, r.scale(out, radius)));
    const turn = turnOf(view, grip, grip.point.at, to);
    assert.ok(Math.abs(turn - 0.1) < 0.02, `axis ${axis}: ${turn}`);
  }
});

test("an untouched session is empty text, and undo comes back to it", () => {
  const { session, told } = begin();
  assert.equal(session.text, "");
  const goal = drag(session, L_WRIST, [0.05, 0.2, 0.2]);
  assert.ok(gap(session.skeleton.places[L_WRIST], goal) < 1e-6);
  assert.equal(told.length, 1);
  const posed = session.text;
  assert.ok(session.undo());
  assert.equal(session.text, "");
  assert.ok(session.redo());
  assert.equal(session.text, posed);
  assert.ok(!session.redo());
});

test("undo goes back over poses and leaves the camera where it is", () => {
  const { session } = begin();
  drag(session, L_WRIST, [0, 0.2, 0.1]);
  session.camera.orbit(0.7, 0);
  session.moveCamera();
  const { yaw } = session.camera.state;
  assert.ok(session.undo());
  assert.equal(session.camera.state.yaw, yaw);
  assert.equal(JSON.parse(session.text).camera.yaw, Number(yaw.toFixed(5)));
  assert.ok(!session.undo());
  session.resetCamera();
  assert.equal(session.text, "");
});

test("a value that is loaded is written again as it was", () => {
  const { session } = begin();
  for (const { frame } of cases.poses.slice(0, 20)) {
    const text = JSON.stringify({ version: 1, frames: [frame], camera: { ...body.camera, yaw: 1 } });
    session.load(text);
    session.moveCamera();
    const [pose] = JSON.parse(session.text).frames;
    pose.pose.flat().forEach((part, k) => assert.ok(Math.abs(part - frame.pose.flat()[k]) < 1e-5));
  }
  assert.throws(() => session.load('{"version": 2}'), /version/);
  assert.equal(session.text, '{"version": 2}');
});

test("pinned feet stay while the pelvis moves or turns; unpinned ones go along", () => {
  const { session } = begin();
  const ankle = session.skeleton.places[L_ANKLE];
  drag(session, PELVIS, [0.03, -0.12, 0.02]);
  assert.ok(gap(session.skeleton.places[L_ANKLE], ankle) < 1e-6);
  const start = session.begin();
  turnJoint(session, start, PELVIS, [0, 1, 0], 0.2);
  session.commit(start);
  assert.ok(gap(session.skeleton.places[L_ANKLE], ankle) < 1e-6);
  session.pinned.clear();
  drag(session, PELVIS, [0, 0.1, 0]);
  assert.ok(Math.abs(gap(session.skeleton.places[L_ANKLE], ankle) - 0.1) < 1e-6);
});

test("symmetric edits move the other hand to the mirrored place", () => {
  const { session } = begin();
  session.isSymmetric = true;
  drag(session, L_WRIST, [0.1, 0.3, 0.15]);
  const [left, right] = [L_WRIST, R_WRIST].map((joint) =>
    r.subtract(session.skeleton.places[joint], session.skeleton.places[PELVIS]));
  assert.ok(gap([-left[0], left[1], left[2]], right) < 5e-3);
});

test("a swinging elbow keeps the hand, a moved pelvis the pose", () => {
  const { session } = begin();
  drag(session, L_WRIST, [-0.1, 0.2, 0.2]);
  const wrist = session.skeleton.places[L_WRIST];
  const elbow = session.skeleton.places[L_ELBOW];
  drag(session, L_ELBOW, [0, 0.3, 0.1], true);
  assert.ok(gap(session.skeleton.places[L_WRIST], wrist) < 1e-6);
  assert.ok(gap(session.skeleton.places[L_ELBOW], elbow) > 0.01);
  assert.ok(gap(session.skeleton.places[R_ELBOW], session.skeleton.places[L_ELBOW]) > 0.1);
});

test("a cancelled drag leaves nothing behind", () => {
  const { session, told } = begin();
  const { pose } = session.skeleton.write();
  const start = session.begin();
  dragJoint(session, start, L_WRIST, [0, 1, 0], false);
  session.cancel(start);
  assert.deepEqual(session.skeleton.write().pose, pose);
  assert.ok(!session.undo());
  assert.deepEqual(told, []);
});

test("a pose from another camera's world is seen by this camera as by its own", () => {
  const { session } = begin();
  const { frame } = cases.poses[0];
  const other = { ...body.camera, yaw: -1.1, pitch: 0.3 };
  adopt({ session, isLocked: false }, { version: 1, frames: [frame], camera: other });
  const theirs = new Session(body, SIZE, () => {});
  theirs.load(JSON.stringify({ version: 1, frames: [frame], camera: other }));
  for (const joint of [L_ELBOW, R_ELBOW, L_ANKLE]) {
    const [here, there] = [session, theirs].map(({ camera, skeleton: { places } }) =>
      camera.axes.map((axis) => r.dot(axis, r.subtract(places[joint], places[PELVIS]))));
    assert.ok(gap(here, there) < 1e-6);
  }
  const { pose } = session.frame;
  adopt({ session, isLocked: false }, session.complete());
  session.frame.pose.forEach((turn, joint) => assert.ok(gap(turn, pose[joint]) < 1e-6));
});

test("no key does two things", () => {
  const keys = Object.values(COMMANDS).flatMap((command) => command.keys ?? []);
  assert.equal(new Set(keys).size, keys.length);
  const pressed = (key, more = {}) => keyName(/** @type {KeyboardEvent} */ ({ key, ...more }));
  assert.equal(pressed("z", { ctrlKey: true, shiftKey: true }), "Mod+Shift+Z");
  assert.equal(pressed("Z", { metaKey: true, shiftKey: true }), "Mod+Shift+Z");
  assert.equal(pressed("?", { shiftKey: true }), "?");
});
