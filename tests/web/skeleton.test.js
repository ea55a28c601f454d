import assert from "node:assert/strict";
import { test } from "node:test";

import { limbOf } from "../../web/pose_editor/body.js";
import { Camera } from "../../web/pose_editor/camera.js";
import * as r from "../../web/pose_editor/rotations.js";
import { Skeleton } from "../../web/pose_editor/skeleton.js";
import { body, bodyOf, cases, posed } from "./cases.js";

const gap = (a, b) => r.length(r.subtract(a, b));

test("joints are those of Python in 200 poses and shapes", () => {
  assert.equal(cases.poses.length, 200);
  for (const one of cases.poses) {
    posed(one).places.forEach((place, joint) => {
      assert.ok(gap(place, one.joints[joint]) < 1e-5, `joint ${joint}`);
    });
  }
});

test("pixels are those of Python before 200 cameras", () => {
  for (const one of cases.poses) {
    const camera = new Camera(one.camera, one.size);
    posed(one).places.forEach((place, joint) => {
      const [x, y] = camera.project(place);
      assert.ok(Math.hypot(x - one.pixels[joint][0], y - one.pixels[joint][1]) < 0.01);
      assert.ok(gap(camera.unproject(...camera.project(place)), place) < 1e-9);
    });
  }
});

test("fingers are those of Python", () => {
  const hands = bodyOf("hands.bin");
  assert.equal(hands.names.length, 54);
  for (const one of cases.hands) {
    const skeleton = new Skeleton(hands);
    skeleton.read(one.frame);
    one.joints.forEach((place, joint) => {
      assert.ok(gap(skeleton.places[joint], place) < 1e-5, hands.names[joint]);
    });
  }
});

test("the lowest point is that of the skinned mesh, and drops to the floor", () => {
  const skeleton = posed(cases.poses[0]);
  skeleton.body = { ...body, rest: cases.poses[0].rest };
  for (const one of cases.lowest) {
    const standing = new Skeleton(body);
    standing.read(one.frame);
    assert.ok(Math.abs(standing.lowest() - one.lowest) < 3e-3);
    standing.dropToFloor(-1);
    assert.ok(Math.abs(standing.lowest() + 1) < 1e-5);
  }
});

test("a frame that is read is written back", () => {
  for (const one of cases.poses.slice(0, 20)) {
    const { pose, transl } = posed(one).write();
    pose.forEach((turn, joint) => {
      assert.ok(gap(r.rotate(r.toMatrix(turn), [1, 2, 3]), r.rotate(r.toMatrix(one.frame.pose[joint]), [1, 2, 3])) < 1e-6);
    });
    assert.deepEqual(transl, one.frame.transl);
  }
});

test("axis-angle and matrices agree at half turns and near none", () => {
  for (const turn of [[0, 0, 0], [1e-9, 0, 0], [Math.PI, 0, 0], [0, -3.1415926, 1e-4], [1, -2, 0.5]]) {
    const m = r.toMatrix(turn);
    r.toMatrix(r.toAxisAngle(m)).forEach((part, k) => assert.ok(Math.abs(part - m[k]) < 1e-9));
  }
  assert.deepEqual(r.rotate(r.toMatrix([0, 0, Math.PI / 2]), [1, 0, 0]).map(Math.round), [0, 1, 0]);
});

test("a swing takes one direction to the other, opposite ones too", () => {
  for (const [from, to] of [[[1, 0, 0], [0, 2, 0]], [[1, 0, 0], [-1, 0, 0]], [[1, 1, 1], [1, 1, 1]]]) {
    assert.ok(gap(r.rotate(r.swing(from, to), r.unit(from)), r.unit(to)) < 1e-9);
  }
});

test("angles snap to whole steps", () => {
  assert.ok(Math.abs(r.snapAngle(0.3) - Math.PI / 12) < 1e-12);
  assert.equal(r.snapAngle(0.1), 0);
});

test("a canvas shows the picture where it is laid", () => {
  const { camera: state, size } = cases.poses[3];
  const camera = new Camera(state, size);
  const [canvas, offset, scale] = [[800, 600], [30, -12], 1.7];
  const projection = camera.projectionMatrix(canvas, offset, scale, 0.05, 50);
  const view = camera.viewMatrix();
  const times = (m, v) => [0, 1, 2, 3].map((row) => [0, 1, 2, 3].reduce((sum, k) => sum + m[4 * k + row] * v[k], 0));
  const point = [0.1, 0.2, -0.3];
  const clip = times(projection, times(view, [...point, 1]));
  const at = [(clip[0] / clip[3] + 1) * canvas[0] / 2, (1 - clip[1] / clip[3]) * canvas[1] / 2];
  const [x, y] = camera.project(point);
  assert.ok(Math.hypot(at[0] - offset[0] - scale * x, at[1] - offset[1] - scale * y) < 0.01);
});

test("moves of the camera keep what they promise", () => {
  const camera = new Camera(cases.poses[0].camera, cases.poses[0].size);
  const [target, distance] = [camera.state.target, camera.state.distance];
  const middle = camera.project(target);
  camera.orbit(0.3, 9);
  assert.ok(Math.hypot(...camera.project(target).map((part, k) => part - middle[k])) < 1e-6);
  assert.ok(camera.state.pitch < Math.PI / 2);
  camera.dolly(2);
  assert.equal(camera.state.distance, 2 * distance);
  const before = camera.project(target);
  camera.pan(10, -5);
  const after = camera.project(target);
  assert.ok(Math.hypot(after[0] - before[0] - 10, after[1] - before[1] + 5) < 1e-6);
});

test("joints know their limb", () => {
  const named = (name) => limbOf(body, body.names.indexOf(name));
  assert.equal(named("l_elbow"), "left_arm");
  assert.equal(named("r_foot"), "right_leg");
  assert.equal(named("head"), null);
  assert.equal(named("pelvis"), null);
});
