import assert from "node:assert/strict";
import { test } from "node:test";

import { Camera } from "../../web/pose_editor/camera.js";
import { Raster } from "../../web/pose_editor/rasterizer.js";
import { SoftwareRenderer } from "../../web/pose_editor/software_renderer.js";
import { body, cases, posed } from "./cases.js";

const WHITE = 0xffffffff;
const white = (count) => new Float32Array(3 * count).fill(255);

/** A body as an editor gives it to be painted. */
function sceneOf({ frame, camera: state, size }, { tint = [0, 0, 0, 0], ...more } = {}) {
  const skeleton = posed({ rest: body.rest, frame });
  const camera = new Camera(state, size);
  return {
    bodies: [{ mesh: body, rows: skeleton.skinning(), tints: body.names.map(() => tint) }], floor: null,
    view: camera.viewMatrix(), projection: camera.projectionMatrix(size, [0, 0], 1, 0.1, 100), ...more,
  };
}

test("a pixel is covered where its middle is", () => {
  const raster = new Raster(4, 3);
  raster.clear();
  raster.paint(new Float32Array([0.6, 0.6, 2, 0.6, 2.6, 2, 2.6, 0.6, 2]), white(3), new Uint16Array([0, 1, 2]), 255);
  assert.deepEqual([...raster.pixels].map((pixel) => Number(pixel === WHITE)), [
    0, 0, 0, 0,
    0, 1, 0, 0, // (1.5, 1.5) lies inside, (2.5, 1.5) and (1.5, 2.5) do not
    0, 0, 0, 0,
  ]);
  assert.equal(raster.depth[5], 2);
});

test("the nearest surface is shown, whichever is painted first; its back is not", () => {
  const places = new Float32Array([-9, -9, 3, -9, 19, 3, 19, -9, 3, -9, -9, 2, -9, 19, 2, 19, -9, 2]);
  const colours = new Float32Array([...new Float32Array(9), ...white(3)]);
  for (const faces of [[0, 1, 2, 3, 4, 5], [3, 4, 5, 0, 1, 2]]) {
    const raster = new Raster(1, 1);
    raster.clear();
    raster.paint(places, colours, new Uint16Array(faces), 255);
    assert.equal(raster.pixels[0], WHITE);
    raster.clear();
    raster.paint(places, colours, new Uint16Array(faces.reverse()), 255);
    assert.equal(raster.pixels[0], 0);
  }
});

test("colours are those of the vertices, in between mixed", () => {
  const raster = new Raster(2, 2);
  raster.clear();
  const places = new Float32Array([0.5, 0.5, 1, 0.5, 2.5, 1, 2.5, 0.5, 1]);
  raster.paint(places, new Float32Array([200, 0, 0, 0, 100, 0, 0, 0, 80]), new Uint16Array([0, 1, 2]), 128);
  const bytes = new Uint8Array(raster.pixels.buffer);
  assert.deepEqual([...bytes.subarray(0, 4)], [200, 0, 0, 128]);
  assert.deepEqual([...bytes.subarray(4, 8)], [100, 0, 40, 128]);
  assert.deepEqual([...bytes.subarray(8, 12)], [100, 50, 0, 128]);
});

test("what reaches behind the eye is left out", () => {
  const raster = new Raster(1, 1);
  raster.clear();
  raster.paint(new Float32Array([-9, -9, 3, -9, 19, -1, 19, -9, 3]), white(3), new Uint16Array([0, 1, 2]), 255);
  assert.equal(raster.pixels[0], 0);
});

test("the body is where Python's rasteriser has it, and as far away", () => {
  const renderer = new SoftwareRenderer();
  for (const one of cases.depth) {
    const { depth, width } = renderer.paint(sceneOf(one), 320, 480);
    const gaps = [];
    let [covered, other] = [0, 0];
    one.depth.forEach((row, y) => row.forEach((expected, x) => {
      const found = depth[4 * y * width + 4 * x];
      const isThere = Number.isFinite(found);
      covered += Number(expected > 0);
      if (isThere !== expected > 0) other += 1;
      else if (isThere) gaps.push(Math.abs(found - expected));
    }));
    gaps.sort((a, b) => a - b);
    assert.ok(covered > 50);
    assert.ok(other <= 0.03 * covered, `${other} of ${covered} pixels differ`);
    assert.ok(gaps[Math.floor(gaps.length / 2)] < 2e-3, "metres, of half of the pixels");
  }
});

test("a shadow lies on the floor, under the body", () => {
  const [one] = cases.depth;
  const renderer = new SoftwareRenderer();
  const alphas = (scene) => {
    const { pixels } = renderer.paint(scene, 320, 480);
    return [...new Uint8Array(pixels.buffer)].filter((_, i) => i % 4 === 3);
  };
  const [without, has] = [alphas(sceneOf(one)), alphas(sceneOf(one, { floor: -1.2 }))];
  assert.deepEqual(new Set(without), new Set([0, 255]));
  assert.deepEqual(new Set(has), new Set([0, 71, 255]));
  without.forEach((alpha, i) => assert.ok(alpha === 0 || has[i] === 255));
});

test("of two bodies the nearer one is in front, whichever is painted first", () => {
  const [one] = cases.depth;
  const renderer = new SoftwareRenderer();
  const scene = sceneOf(one);
  const [near] = scene.bodies;
  const eye = new Camera(one.camera, one.size).eye;
  const pelvis = posed({ rest: body.rest, frame: one.frame }).places[0];
  // half a body's length farther along the ray to the pelvis
  const shift = pelvis.map((at, k) => 0.5 * (at - eye[k]));
  const rows = near.rows.map((value, i) => (i % 4 === 3 ? value + shift[Math.floor((i % 12) / 4)] : value));
  const far = { ...near, rows, tints: body.names.map(() => [1, 0, 0, 1]) };
  const paint = (bodies) => Float32Array.from(renderer.paint({ ...scene, bodies }, 320, 480).depth);
  const [alone, behind] = [paint([near]), paint([far])];
  for (const bodies of [[near, far], [far, near]]) {
    const both = paint(bodies);
    both.forEach((depth, i) => assert.equal(depth, Math.min(alone[i], behind[i])));
  }
  assert.ok(alone.some((depth, i) => depth < behind[i] && behind[i] < Infinity));
});

test("a tint colours the part of the body that its joint moves", () => {
  const [one] = cases.depth;
  const renderer = new SoftwareRenderer();
  const [plain, tinted] = [[0, 0, 0, 0], [1, 0, 0, 1]].map((tint) => {
    const { pixels } = renderer.paint(sceneOf(one, { tint }), 320, 480);
    return new Uint8Array(pixels.buffer.slice(0));
  });
  let greens = 0;
  for (let i = 0; i < plain.length; i += 4) {
    if (!plain[i + 3]) continue;
    greens += plain[i + 1];
    assert.deepEqual([tinted[i + 1], tinted[i + 2]], [0, 0]);
  }
  assert.ok(greens > 0);
});
