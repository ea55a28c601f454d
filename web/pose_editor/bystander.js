/**
 * Somebody else in the picture: shown as a grey body, not edited.
 *
 * @typedef {import("./body.js").Body} Body
 * @typedef {import("./document.js").Frame} Frame
 * @typedef {import("./renderer.js").Posed & { pelvis: import("./rotations.js").Vector }} Shown
 */

import { Skeleton } from "./skeleton.js";

const GREY = [0.42, 0.44, 0.47, 1];

export class Bystander {
  /**
   * @param {Body} body
   * @param {Frame[]} frames one for all of the editor's, or one each
   */
  constructor(body, frames) {
    this.frames = frames;
    this.skeleton = new Skeleton(body);
    this.tints = body.names.map(() => GREY);
    /** @type {Shown | null} */
    this.shown = null;
    this.active = -1;
  }

  /** What is painted in a frame of the editor's. @param {number} frame @returns {Shown} */
  at(frame) {
    const active = Math.min(frame, this.frames.length - 1);
    if (this.shown && this.active === active) return this.shown;
    const { skeleton, tints } = this;
    skeleton.read(this.frames[active]);
    this.active = active;
    this.shown = { mesh: skeleton.body, rows: skeleton.skinning(), tints, pelvis: skeleton.places[0] };
    return this.shown;
  }
}
