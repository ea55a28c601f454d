/**
 * How the canvas shows the world: through the picture's camera, or through a free one beside it;
 * magnified and shifted, which changes no picture. Lengths on the canvas are its own CSS pixels.
 *
 * @typedef {import("./rotations.js").Vector} Vector
 */

import { Camera } from "./camera.js";
import * as r from "./rotations.js";

const MARGIN = 0.94;
const ZOOMS = [0.25, 12];
const ROOM = 6;
/** Radians that a drag of one pixel turns the view. */
export const PER_PIXEL = 0.01;
/** Flesh round the outermost joints, metres. */
const ROUND = 0.15;

/** Yaw round the person and pitch; at 0 the camera faces the person's front. */
export const SIDES = {
  front: [0, 0],
  back: [Math.PI, 0],
  left: [Math.PI / 2, 0],
  right: [-Math.PI / 2, 0],
  top: [0, Math.PI / 2],
};

export class View {
  /** @param {Camera} picture the camera of the picture that will be drawn */
  constructor(picture) {
    this.picture = picture;
    /** The camera that looks from elsewhere; null while the picture is shown. @type {Camera | null} */
    this.free = null;
    /** Width and height. @type {[number, number]} */
    this.canvas = [1, 1];
    /** How much of its right side a drawer covers. */
    this.covered = 0;
    this.zoom = 1;
    this.pan = [0, 0];
  }

  /** The camera that is looked through. */
  get camera() {
    return this.free ?? this.picture;
  }

  /** Show the whole picture as it will be drawn. */
  showPicture() {
    this.free = null;
    this.zoom = 1;
    this.pan = [0, 0];
  }

  /** The width and height that nothing covers. */
  get room() {
    return [Math.max(1, this.canvas[0] - this.covered), this.canvas[1]];
  }

  /** Canvas pixels per picture pixel. */
  get scale() {
    const [width, height] = this.picture.size;
    const [wide, high] = this.room;
    return MARGIN * Math.min(wide / width, high / height) * this.zoom;
  }

  /** The picture's frame: left, top, width, height. @returns {[number, number, number, number]} */
  get frame() {
    const { scale, room, pan, picture: { size } } = this;
    const [width, height] = [size[0] * scale, size[1] * scale];
    return [(room[0] - width) / 2 + pan[0], (room[1] - height) / 2 + pan[1], width, height];
  }

  /** @param {Vector} point metres @returns {Vector} x, y, and depth in metres */
  project(point) {
    const [x, y, depth] = this.camera.project(point);
    const [left, top, width] = this.frame;
    const scale = width / this.picture.size[0];
    return [left + scale * x, top + scale * y, depth];
  }

  /** The world's length of a pixel at a depth. @param {number} depth metres */
  metresPerPixel(depth) {
    return depth / (this.scale * this.camera.focal[1]);
  }

  /** Move a point as the cursor moves, at its depth. @param {Vector} point @param {number} dx @param {number} dy @returns {Vector} */
  moved(point, dx, dy) {
    const depth = this.camera.project(point)[2];
    return r.add(point, this.camera.move(dx / this.scale, dy / this.scale, depth));
  }

  /**
   * From the world to the camera and on to clip space, for WebGL; near and far planes lie round
   * points of the bodies.
   *
   * @param {Vector[]} middles
   */
  matrices(middles) {
    const [left, top] = this.frame;
    const depths = middles.map((middle) => this.camera.project(middle)[2]);
    const near = Math.max(0.03, Math.min(...depths) - ROOM);
    return {
      view: this.camera.viewMatrix(),
      projection: this.camera.projectionMatrix(
        this.canvas, [left, top], this.scale, near, Math.max(0, ...depths) + ROOM,
      ),
    };
  }

  /** Shift what is shown. @param {number} dx @param {number} dy */
  shift(dx, dy) {
    this.pan = [this.pan[0] + dx, this.pan[1] + dy];
  }

  /** Magnify about a place on the canvas. @param {number[]} at @param {number} factor */
  magnify([x, y], factor) {
    const [left, top] = this.frame;
    const before = this.scale;
    this.zoom = Math.min(ZOOMS[1], Math.max(ZOOMS[0], this.zoom * factor));
    const grown = this.scale / before;
    const [newLeft, newTop] = this.frame;
    this.shift(x - (x - left) * grown - newLeft, y - (y - top) * grown - newTop);
  }

  /** Turn the free camera about a point of the body. @param {Vector} pivot @param {number} dx @param {number} dy */
  orbit(pivot, dx, dy) {
    this.free ??= new Camera(this.picture.state, this.picture.size);
    orbitAbout(this.free, pivot, -dx * PER_PIXEL, dy * PER_PIXEL);
  }

  /** Look at the whole body from one of its sides. @param {import("./skeleton.js").Skeleton} skeleton @param {keyof typeof SIDES} name */
  look({ places, world }, name) {
    const [low, high] = [Math.min, Math.max].map((most) =>
      [0, 1, 2].map((k) => most(...places.map((place) => place[k]))));
    const middle = r.scale(r.add(low, high), 0.5);
    const reach = Math.max(...places.map((place) => r.length(r.subtract(place, middle)))) + ROUND;
    const ahead = r.column(world[0], 2);
    const [yaw, pitch] = SIDES[name];
    this.showPicture();
    this.free = new Camera({
      ...this.picture.state, yaw: Math.atan2(ahead[0], ahead[2]) + yaw, pitch: 0, target: middle, centre: [0.5, 0.5],
    }, this.picture.size);
    const narrow = Math.min(...this.picture.size.map((side, k) => side / this.picture.focal[k]));
    this.free.state.distance = (2 * reach) / narrow;
    this.free.orbit(0, pitch);
  }
}

/**
 * Turn a camera about a point, which keeps its place in the picture.
 *
 * @param {Camera} camera
 * @param {Vector} pivot metres
 * @param {number} yaw radians
 * @param {number} pitch radians
 */
export function orbitAbout(camera, pivot, yaw, pitch) {
  const offset = r.subtract(camera.state.target, pivot);
  const shares = camera.axes.map((axis) => r.dot(axis, offset));
  camera.orbit(yaw, pitch);
  camera.state.target = camera.axes.reduce(
    (sum, axis, k) => r.add(sum, r.scale(axis, shares[k])), pivot,
  );
}
