/**
 * What is edited, apart from how it looks: the document, the open frame's skeleton, undo, pins,
 * symmetry and soft limits.
 *
 * @typedef {import("./body.js").Body} Body
 * @typedef {import("./document.js").Frame} Frame
 * @typedef {import("./document.js").PoseDocument} PoseDocument
 * @typedef {import("./inverse_kinematics.js").Pins} Pins
 * @typedef {import("./rotations.js").Rotation} Rotation
 * @typedef {import("./rotations.js").Vector} Vector
 *
 * @typedef {object} Start the pose before a change, which moves are counted from
 * @property {string} state what undo goes back to
 * @property {Rotation[]} local
 * @property {Vector[]} places
 * @property {Rotation[]} world
 * @property {Vector} transl
 * @property {Pins} pins
 */

import { Camera } from "./camera.js";
import { poseState, standing, withPoseState, writeDocument, parseDocument } from "./document.js";
import { History } from "./history.js";
import { holdPins, pinsOf, swivelWithinLimits } from "./inverse_kinematics.js";
import { keepSymmetric } from "./mirror.js";
import { Skeleton } from "./skeleton.js";

export class Session {
  /**
   * @param {Body} body
   * @param {[number, number]} size width and height of the picture, pixels
   * @param {(text: string) => void} changed told the new value after every change
   */
  constructor(body, size, changed) {
    this.body = body;
    this.changed = changed;
    /** @type {History<string>} */
    this.history = new History();
    /** Limbs whose ends stay while the body moves. @type {Set<string>} */
    this.pinned = new Set(["left_leg", "right_leg"]);
    this.isSymmetric = false;
    /** @type {PoseDocument} */
    this.start = standing(body);
    this.text = "";
    this.active = 0;
    /** Height of the floor, where the start's feet are, metres. */
    this.floor = 0;
    this.skeleton = new Skeleton(body);
    this.document = this.start;
    this.camera = new Camera(this.startCamera, size);
    this.load("");
  }

  /** The camera of the input, or the standard one. */
  get startCamera() {
    return this.start.camera ?? this.body.camera;
  }

  /** The frame that is open, as it was last committed. */
  get frame() {
    return this.document.frames[this.active];
  }

  /** The frame that Reset goes back to. */
  get startFrame() {
    const { frames } = this.start;
    return frames[Math.min(this.active, frames.length - 1)];
  }

  /**
   * Start from another body and pose, those of the input; edits are kept.
   *
   * @param {Body} body
   * @param {PoseDocument | null} start null: standing
   */
  restart(body, start) {
    this.body = body;
    this.start = start ?? standing(body);
    this.load(this.text);
  }

  /**
   * Take a value over.
   *
   * @param {string} text "" is the start's
   * @throws {import("./document.js").DocumentError} it is no pose; the start's is shown then
   */
  load(text) {
    this.text = text;
    this.document = structuredClone(this.start);
    try {
      if (text) this.document = parseDocument(text);
    } finally {
      this.active = Math.min(this.active, this.document.frames.length - 1);
      this.camera.state = new Camera(this.document.camera ?? this.startCamera, this.camera.size).state;
      this.skeleton = new Skeleton(this.body);
      this.skeleton.read(this.startFrame);
      this.floor = this.skeleton.lowest();
      this.skeleton.read(this.frame);
    }
  }

  /** Note where a change starts. @returns {Start} */
  begin() {
    const { local, places, world, transl } = this.skeleton;
    return {
      state: poseState(this.document, this.active),
      local: [...local],
      places: [...places],
      world: [...world],
      transl,
      pins: pinsOf(this.skeleton, this.pinned),
    };
  }

  /**
   * Show a change without keeping it; the next preview starts anew from the same pose.
   *
   * @param {Start} start
   * @param {(skeleton: Skeleton) => void} edit
   * @param {number} [joint] what is dragged or turned: the other side follows where edits are
   *   symmetric, and pinned hands and feet stay, but for those that the edit itself moves; left
   *   out where the whole pose changes
   */
  preview(start, edit, joint) {
    const { skeleton } = this;
    this.cancel(start);
    edit(skeleton);
    if (joint === undefined) return;
    if (this.isSymmetric) keepSymmetric(skeleton, start.local, joint);
    const stay = Object.entries(start.pins).filter(([limb]) =>
      this.body.limbs[limb].slice(0, 3).every((joint) => skeleton.local[joint] === start.local[joint]));
    holdPins(skeleton, Object.fromEntries(stay));
    for (const [limb] of stay) swivelWithinLimits(skeleton, limb);
  }

  /** Go back to where a change started. @param {Start} start */
  cancel({ local, transl }) {
    this.skeleton.local = [...local];
    this.skeleton.transl = transl;
    this.skeleton.update();
  }

  /** Keep what is previewed, as one step of undo. @param {Start} start */
  commit({ state }) {
    this.document.frames[this.active] = this.skeleton.write(this.frame.fingers);
    this.record(state);
  }

  /**
   * Change the pose as one step of undo.
   *
   * @param {(skeleton: Skeleton) => void} edit
   * @param {number} [joint] as in `preview`
   */
  change(edit, joint) {
    const start = this.begin();
    this.preview(start, edit, joint);
    this.commit(start);
  }

  /** Replace frames as one step of undo. @param {Frame[]} frames @param {number} active the one to open */
  setFrames(frames, active) {
    const before = poseState(this.document, this.active);
    this.document.frames = frames;
    this.open(active);
    this.record(before);
  }

  /** Show another frame. @param {number} active */
  open(active) {
    this.active = Math.max(0, Math.min(active, this.document.frames.length - 1));
    this.skeleton.read(this.frame);
  }

  /** Go back to the start's poses and camera; the poses are one step of undo. */
  reset() {
    this.setFrames(structuredClone(this.start.frames), this.active);
    this.resetCamera();
  }

  /** Go back to the start's camera: no step of undo. */
  resetCamera() {
    this.document.camera = undefined;
    this.camera.state = new Camera(this.startCamera, this.camera.size).state;
    this.write();
  }

  /** Note that the camera moved: no step of undo. */
  moveCamera() {
    this.document.camera = structuredClone(this.camera.state);
    this.write();
  }

  /** @returns {boolean} whether there was a step */
  undo() {
    return this.goTo(this.history.undo(poseState(this.document, this.active)));
  }

  /** @returns {boolean} whether there was a step */
  redo() {
    return this.goTo(this.history.redo(poseState(this.document, this.active)));
  }

  /** @param {string | undefined} state */
  goTo(state) {
    if (state === undefined) return false;
    const { document, active } = withPoseState(this.document, state);
    this.document = document;
    this.open(active);
    this.write();
    return true;
  }

  /** @param {string} before */
  record(before) {
    if (this.history.record(before, poseState(this.document, this.active))) this.write();
  }

  /** Tell the value; a document that equals the start is "". */
  write() {
    const start = { ...this.start, camera: this.startCamera };
    const document = { ...this.document, camera: this.document.camera ?? this.startCamera };
    const [text, untouched] = [document, start].map((one) => writeDocument(one, start));
    this.text = text === untouched ? "" : text;
    this.changed(this.text);
  }

  /** The open frame as a document of its own, with its camera: what is copied and saved. @returns {PoseDocument} */
  complete() {
    return { ...this.document, frames: [this.frame], camera: this.camera.state };
  }

  /** That document as text. */
  completeText() {
    return writeDocument(this.complete(), { ...this.start, camera: undefined });
  }
}
