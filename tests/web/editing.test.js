import assert from "node:assert/strict";
import { test } from "node:test";

import { Camera } from "../../web/pose_editor/camera.js";
import * as d from "../../web/pose_editor/document.js";
import { takeTwin, twinsRequest } from "../../web/pose_editor/flip_depth.js";
import { History } from "../../web/pose_editor/history.js";
import * as mirrors from "../../web/pose_editor/mirror.js";
import * as r from "../../web/pose_editor/rotations.js";
import { body, cases, posed } from "./cases.js";

test("mirroring twice changes nothing, once exchanges left and right", () => {
  for (const one of cases.poses.slice(0, 50)) {
    const skeleton = posed({ ...one, rest: body.rest });
    const [local, places] = [skeleton.local, skeleton.places];
    mirrors.mirror(skeleton);
    places.forEach((place, joint) => {
      const [x, y, z] = r.subtract(place, places[0]);
      const other = r.subtract(skeleton.places[body.mirrored[joint]], skeleton.places[0]);
      assert.ok(r.length(r.subtract(other, [-x, y, z])) < 2e-3, body.names[joint]);
    });
    mirrors.mirror(skeleton);
    assert.deepEqual(skeleton.local, local);
  }
});

test("a side is copied to the other, the middle stays", () => {
  const skeleton = posed(cases.poses[0]);
  const before = skeleton.local;
  mirrors.copySide(skeleton, "l_");
  body.names.forEach((name, joint) => {
    const kept = name.startsWith("r_") ? mirrors.mirrored(before[body.mirrored[joint]]) : before[joint];
    assert.deepEqual(skeleton.local[joint], kept, name);
  });
});

test("symmetric editing copies what changed, from either side", () => {
  const skeleton = posed(cases.poses[0]);
  const [elbow, other] = [body.names.indexOf("r_elbow"), body.names.indexOf("l_elbow")];
  const before = [...skeleton.local];
  skeleton.setLocal(elbow, r.toMatrix([0, 1, 0]));
  mirrors.keepSymmetric(skeleton, before, elbow);
  assert.deepEqual(skeleton.local[other], mirrors.mirrored(skeleton.local[elbow]));
  skeleton.setLocal(elbow, r.toMatrix([0, 1.5, 0])); // the drag goes on
  mirrors.keepSymmetric(skeleton, before, elbow);
  assert.deepEqual(skeleton.local[other], mirrors.mirrored(skeleton.local[elbow]));
});

test("a flip keeps every joint's pixel and moves the wrist in depth", () => {
  assert.ok(cases.twins.length > 10);
  for (const { frame, camera: state, size, limb, twin } of cases.twins) {
    const skeleton = posed({ rest: body.rest, frame });
    const camera = new Camera(state, size);
    const asked = twinsRequest(skeleton, camera);
    assert.deepEqual(Object.keys(asked).sort(), ["camera", "pose", "rest", "size", "transl"]);
    const before = skeleton.places.map((place) => camera.project(place));
    takeTwin(skeleton, twin);
    const after = skeleton.places.map((place) => camera.project(place));
    before.forEach(([x, y], joint) => {
      assert.ok(Math.hypot(after[joint][0] - x, after[joint][1] - y) < 0.01, body.names[joint]);
    });
    const end = body.limbs[limb][2];
    assert.ok(Math.abs(Math.abs(after[end][2] - before[end][2]) - twin.depth_change_m) < 1e-4);
  }
});

test("undo goes back and forth, a new change ends what was undone", () => {
  const history = new History(3);
  assert.equal(history.record("a", "a"), false);
  let now = "a";
  for (const next of ["b", "c", "d", "e"]) {
    history.record(now, next);
    now = next;
  }
  now = history.undo(now);
  assert.equal(now, "d");
  assert.equal(history.redo(now), "e");
  now = history.undo("e");
  history.record(now, "x");
  assert.equal(history.redo("x"), undefined);
  assert.deepEqual([history.undo("x"), history.undo("d"), history.undo("c")], ["d", "c", "b"]);
  assert.equal(history.undo("b"), undefined, "only the last three steps are kept");
});

test("undo of poses leaves the camera alone", () => {
  const start = d.standing(body);
  const document = structuredClone(start);
  const before = d.poseState(document, 0);
  document.frames[0].transl = [1, 2, 3];
  document.camera.yaw = 2;
  const back = d.withPoseState(document, before);
  assert.deepEqual(back.document.frames, start.frames);
  assert.equal(back.document.camera.yaw, 2);
  assert.equal(back.active, 0);
});

test("Python's texts are read, and written again the same", () => {
  for (const text of cases.texts) {
    const found = d.parseDocument(text);
    const again = d.parseDocument(d.writeDocument(found, d.standing(body)));
    assert.deepEqual(again, found);
  }
});

test("the camera is left out while it is the start's", () => {
  const start = d.standing(body);
  assert.equal(d.parseDocument(d.writeDocument(start, start)).camera, undefined);
  const moved = structuredClone(start);
  moved.camera.pitch += 0.1;
  assert.ok(d.parseDocument(d.writeDocument(moved, start)).camera);
});

test("Python and the page refuse the same texts, in three lines", () => {
  assert.ok(cases.refused.length > 10);
  for (const text of cases.refused) {
    assert.throws(() => d.parseDocument(text), (error) => {
      assert.ok(error instanceof d.DocumentError, `${text.slice(0, 60)}: ${error}`);
      assert.equal(error.message.split("\n").length, 3);
      return true;
    });
  }
});

test("sizes are those of Python", () => {
  assert.deepEqual([d.MOST_FRAMES, d.MOST_CHARACTERS, d.VERSION, d.LARGEST], cases.bounds);
});

test("a pose from elsewhere stays at its place", () => {
  const here = { pose: body.standing, transl: [1, 0, 2], fingers: [[1, 2, 3]] };
  const found = { pose: body.standing.map(() => [0, 0, 1]), transl: [9, 9, 9] };
  assert.deepEqual(d.adoptPose(here, found), { ...here, pose: found.pose });
});
