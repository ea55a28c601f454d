/**
 * Draws skinned bodies without a graphics card, and looks as the shaders of `renderer.js` do.
 *
 * @typedef {import("./renderer.js").Posed} Posed
 * @typedef {import("./renderer.js").Scene} Scene
 * @typedef {ReturnType<typeof arraysOf>} Arrays
 */

import { CLAY, EDGE, GROUND, KEY, KEY_FROM, SHADOW, SKY } from "./lighting.js";
import { Raster } from "./rasterizer.js";
import { skin } from "./skinning.js";

/** Paints bodies into memory; keeps its arrays for the next one. */
export class SoftwareRenderer {
  constructor() {
    this.raster = new Raster(1, 1);
    /** Of each body of the last picture. @type {Arrays[]} */
    this.arrays = [];
  }

  /**
   * Paint bodies and their shadows.
   *
   * @param {Scene} scene
   * @param {number} width pixels
   * @param {number} height
   * @returns {Raster} clear where nothing is; overwritten by the next call
   */
  paint(scene, width, height) {
    const { bodies, floor } = scene;
    if (this.raster.width !== width || this.raster.height !== height) this.raster = new Raster(width, height);
    const { raster } = this;
    raster.clear();
    this.arrays = bodies.map((body, at) => skinned(body, this.arrays[at]));
    if (floor !== null) {
      bodies.forEach((body, at) => this.paintShadow(body, this.arrays[at], scene, floor));
      raster.depth.fill(Infinity);
    }
    bodies.forEach((body, at) => this.paintBody(body, this.arrays[at], scene));
    return raster;
  }

  /** @param {Posed} body @param {Arrays} arrays @param {Scene} scene @param {number} floor */
  paintShadow(body, { world, places, colours }, scene, floor) {
    project(world.map((at, i) => (i % 3 === 1 ? floor : at)), scene, this.raster, places);
    this.raster.paint(places, colours.fill(0), body.mesh.faces, Math.round(255 * SHADOW));
  }

  /** @param {Posed} body @param {Arrays} arrays @param {Scene} scene */
  paintBody(body, { world, normals, places, colours }, scene) {
    project(world, scene, this.raster, places);
    shade(normals, body, scene, colours);
    this.raster.paint(places, colours, body.mesh.faces, 255);
  }
}

/** Pose a body in the arrays of before, if they fit. @param {Posed} body @param {Arrays} [before] */
function skinned({ mesh, rows }, before) {
  const count = mesh.positions.length;
  const arrays = before?.world.length === count ? before : arraysOf(count);
  skin(mesh, rows, arrays.world, arrays.normals);
  return arrays;
}

/** @param {number} count of numbers for all vertices */
const arraysOf = (count) => ({
  world: new Float32Array(count), normals: new Float32Array(count),
  places: new Float32Array(count), colours: new Float32Array(count),
});

/**
 * @param {Float32Array} world 3 numbers a vertex, metres
 * @param {Scene} scene
 * @param {{ width: number, height: number }} size pixels
 * @param {Float32Array} places is written, as `Raster.paint` takes it
 */
function project(world, { view: v, projection: p }, { width, height }, places) {
  const [fx, fy] = [(p[0] * width) / 2, (p[5] * height) / 2];
  const [cx, cy] = [((1 - p[8]) * width) / 2, ((1 + p[9]) * height) / 2];
  for (let i = 0; i < world.length; i += 3) {
    const x = world[i], y = world[i + 1], z = world[i + 2];
    const depth = -(v[2] * x + v[6] * y + v[10] * z + v[14]);
    places[i] = cx + (fx * (v[0] * x + v[4] * y + v[8] * z + v[12])) / depth;
    places[i + 1] = cy - (fy * (v[1] * x + v[5] * y + v[9] * z + v[13])) / depth;
    places[i + 2] = depth;
  }
}

/**
 * @param {Float32Array} normals 3 numbers a vertex, world, of any length
 * @param {Posed} body
 * @param {Scene} scene
 * @param {Float32Array} colours is written, as `Raster.paint` takes it
 */
function shade(normals, { mesh: { joints, weights }, tints }, { view: v }, colours) {
  const tint = new Float64Array(4);
  for (let i = 0; i < normals.length; i += 3) {
    tint.fill(0);
    const first = (4 * i) / 3;
    for (let k = first; k < first + 4; k++) {
      const [red, green, blue, share] = tints[joints[k]];
      const weight = (share * weights[k]) / 255;
      tint[0] += weight * red;
      tint[1] += weight * green;
      tint[2] += weight * blue;
      tint[3] += weight;
    }
    const a = normals[i], b = normals[i + 1], c = normals[i + 2];
    const size = Math.sqrt(a * a + b * b + c * c);
    const x = (v[0] * a + v[4] * b + v[8] * c) / size;
    const y = (v[1] * a + v[5] * b + v[9] * c) / size;
    const z = (v[2] * a + v[6] * b + v[10] * c) / size;
    const key = Math.max(0, KEY_FROM[0] * x + KEY_FROM[1] * y + KEY_FROM[2] * z);
    const up = 0.5 + 0.5 * y;
    const front = Math.min(1, Math.max(0, z / EDGE.from));
    const edge = 255 * (EDGE.away + (EDGE.facing - EDGE.away) * front * front * (3 - 2 * front));
    for (let k = 0; k < 3; k++) {
      const light = KEY[k] * key + GROUND[k] + (SKY[k] - GROUND[k]) * up;
      colours[i + k] = Math.min(255, edge * light * (CLAY[k] * (1 - tint[3]) + tint[k]));
    }
  }
}
