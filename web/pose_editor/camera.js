/**
 * The picture's camera: orbits a target in a world whose y is up, and projects to pixels of the
 * picture (x right, y down), as the node draws it. How large the page shows the picture is not
 * its business.
 *
 * @typedef {import("./rotations.js").Vector} Vector
 *
 * @typedef {object} CameraState what the document says of it
 * @property {number} yaw radians; 0 looks along -z, at the front of a person who faces +z
 * @property {number} pitch radians; above 0 looks down
 * @property {number} distance from the target, metres
 * @property {Vector} target metres
 * @property {number} fov_deg vertical field of view, degrees
 * @property {number[]} [centre] principal point in shares of width and height; the middle
 * @property {number} [pixel_aspect] horizontal over vertical focal length; 1
 */

import * as r from "./rotations.js";

const NEAREST = 1e-3;
const STEEPEST = 1.55;
const DISTANCES = [0.3, 100];

export class Camera {
  /**
   * @param {CameraState} state
   * @param {[number, number]} size width and height of the picture, pixels
   */
  constructor(state, size) {
    this.size = size;
    this.state = { centre: [0.5, 0.5], pixel_aspect: 1, ...structuredClone(state) };
  }

  /** Right, up and back of the camera in the world. @returns {Vector[]} */
  get axes() {
    const { yaw, pitch } = this.state;
    const back = [
      Math.sin(yaw) * Math.cos(pitch), Math.sin(pitch), Math.cos(yaw) * Math.cos(pitch),
    ];
    const right = [Math.cos(yaw), 0, -Math.sin(yaw)];
    return [right, r.cross(back, right), back];
  }

  /** Where the camera stands, metres. @returns {Vector} */
  get eye() {
    return r.add(this.state.target, r.scale(this.axes[2], this.state.distance));
  }

  /** Horizontal and vertical focal length, pixels. @returns {[number, number]} */
  get focal() {
    const vertical = this.size[1] / 2 / Math.tan((this.state.fov_deg * Math.PI) / 360);
    return [vertical * this.state.pixel_aspect, vertical];
  }

  /** The principal point, pixels. @returns {[number, number]} */
  get principal() {
    return [this.state.centre[0] * this.size[0], this.state.centre[1] * this.size[1]];
  }

  /** Project a point of the world. @param {Vector} point @returns {Vector} x, y, depth in metres */
  project(point) {
    const [right, up, back] = this.axes;
    const from = r.subtract(point, this.state.target);
    const depth = Math.max(this.state.distance - r.dot(back, from), NEAREST);
    const [fx, fy] = this.focal;
    const [cx, cy] = this.principal;
    return [cx + (fx * r.dot(right, from)) / depth, cy - (fy * r.dot(up, from)) / depth, depth];
  }

  /** The point of the world at a pixel and a depth. @param {number} x @param {number} y @param {number} depth @returns {Vector} */
  unproject(x, y, depth) {
    const [right, up, back] = this.axes;
    const [fx, fy] = this.focal;
    const [cx, cy] = this.principal;
    const seen = r.add(r.scale(right, (x - cx) / fx), r.scale(up, (cy - y) / fy));
    return r.add(this.eye, r.scale(r.subtract(seen, back), depth));
  }

  /** What a move in the picture is in the world. @param {number} dx pixels @param {number} dy @param {number} depth @returns {Vector} */
  move(dx, dy, depth) {
    const [right, up] = this.axes;
    const [fx, fy] = this.focal;
    return r.scale(r.subtract(r.scale(right, dx / fx), r.scale(up, dy / fy)), depth);
  }

  /** Go round the target. @param {number} yaw radians @param {number} pitch radians */
  orbit(yaw, pitch) {
    const turned = this.state.yaw + yaw;
    this.state.yaw = Math.atan2(Math.sin(turned), Math.cos(turned));
    this.state.pitch = Math.min(STEEPEST, Math.max(-STEEPEST, this.state.pitch + pitch));
  }

  /** Move camera and target along the picture. @param {number} dx pixels @param {number} dy */
  pan(dx, dy) {
    const moved = this.move(dx, dy, this.state.distance);
    this.state.target = r.subtract(this.state.target, moved);
  }

  /** Go nearer or farther. @param {number} factor of the distance */
  dolly(factor) {
    const [least, most] = DISTANCES;
    this.state.distance = Math.min(most, Math.max(least, this.state.distance * factor));
  }

  /** From the world to the camera, for WebGL: columns, -z ahead. @returns {Float32Array} 16 */
  viewMatrix() {
    const [x, y, z] = this.axes;
    const eye = this.eye;
    return new Float32Array([
      x[0], y[0], z[0], 0, x[1], y[1], z[1], 0, x[2], y[2], z[2], 0,
      -r.dot(x, eye), -r.dot(y, eye), -r.dot(z, eye), 1,
    ]);
  }

  /**
   * From the camera to clip space of a canvas in which a pixel `p` of the picture lies at
   * `offset + scale * p`, for WebGL.
   *
   * @param {[number, number]} canvas width and height, in the unit of offset
   * @param {[number, number]} offset of the picture's left upper corner
   * @param {number} scale
   * @param {number} near metres
   * @param {number} far metres
   * @returns {Float32Array} 16
   */
  projectionMatrix([width, height], offset, scale, near, far) {
    const [fx, fy] = this.focal.map((focal) => focal * scale);
    const [cx, cy] = this.principal.map((at, k) => offset[k] + scale * at);
    const depth = near - far;
    return new Float32Array([
      (2 * fx) / width, 0, 0, 0,
      0, (2 * fy) / height, 0, 0,
      1 - (2 * cx) / width, (2 * cy) / height - 1, (near + far) / depth, -1,
      0, 0, (2 * near * far) / depth, 0,
    ]);
  }
}
