/**
 * Mouse, pen and fingers on the canvas: what is under them and what dragging it does.
 *
 * @typedef {import("./editor.js").PoseEditor} PoseEditor
 * @typedef {import("./rings.js").Grip} Grip
 *
 * @typedef {object} Drag
 * @property {(at: number[], event: PointerEvent) => void} move
 * @property {() => void} end
 * @property {() => void} [cancel] takes back what was begun, where that can be; `end` is not called
 * @property {number} [axis] of the ring that is held
 * @property {() => string} [says] what the status line says meanwhile
 */

import { flip, resetJoint, togglePin } from "./actions.js";
import { DEGREES } from "./inspector.js";
import { dragJoint, turnJoint } from "./pose_drag.js";
import * as r from "./rotations.js";
import { spoken } from "./overlay.js";
import { gripAt, turnOf } from "./rings.js";
import { orbitAbout, PER_PIXEL } from "./view.js";

const CLICK = 3;
const REACH = { mouse: 13, pen: 16, touch: 26 };
const RING_REACH = 9;
const PER_WHEEL = 0.0015;
const SETTLED_MS = 300;

export class Gestures {
  /** @param {PoseEditor} editor */
  constructor(editor) {
    this.editor = editor;
    /** @type {Drag | null} */
    this.drag = null;
    /** Where each finger or the mouse is. @type {Map<number, number[]>} */
    this.pointers = new Map();
    const { canvas } = editor;
    /** @param {string} name @param {(event: any) => void} call */
    const on = (name, call) => canvas.addEventListener(name, call.bind(this), { passive: false });
    on("pointerdown", this.press);
    on("pointermove", this.move);
    on("pointerup", this.release);
    on("pointercancel", this.abort);
    on("lostpointercapture", this.release);
    on("pointerleave", () => editor.point(-1));
    on("dblclick", this.doubleClick);
    on("wheel", this.wheel);
    on("contextmenu", (event) => {
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /** Where an event is on the canvas, in its own pixels, however much the graph is zoomed. @param {MouseEvent} event */
  at(event) {
    const box = this.editor.canvas.getBoundingClientRect();
    const grown = box.width / this.editor.canvas.clientWidth || 1;
    return [(event.clientX - box.left) / grown, (event.clientY - box.top) / grown];
  }

  /** The joint under the cursor; -1 for none. @param {number[]} at @param {PointerEvent | MouseEvent} event */
  jointAt([x, y], event) {
    const { view, session } = this.editor;
    const kind = /** @type {keyof typeof REACH} */ ("pointerType" in event ? event.pointerType : "mouse");
    let [found, least] = [-1, (REACH[kind] ?? REACH.mouse) * this.editor.markerSize];
    for (const joint of this.editor.shownJoints()) {
      const [px, py] = view.project(session.skeleton.places[joint]);
      const gap = Math.hypot(px - x, py - y);
      if (gap < least) [found, least] = [joint, gap];
    }
    return found;
  }

  /** @param {PointerEvent} event */
  press(event) {
    event.stopPropagation();
    const { editor } = this;
    if (event.button === 1) return editor.host.passMiddle(event);
    editor.canvas.focus({ preventScroll: true });
    try {
      editor.canvas.setPointerCapture(event.pointerId);
    } catch { /* the pointer is gone already, or was made by a script */ }
    const at = this.at(event);
    this.pointers.set(event.pointerId, at);
    if (this.pointers.size === 2) {
      this.drag?.cancel?.();
      this.drag = this.pinch();
    } else if (this.pointers.size === 1) {
      editor.said = "";
      this.drag = this.grab(at, event);
    }
    editor.redraw();
  }

  /** Begin what the press is on. @param {number[]} at @param {PointerEvent} event @returns {Drag | null} */
  grab(at, event) {
    const { editor } = this;
    const mark = event.button === 0 ? editor.twinMarkAt(at) : null;
    if (mark) {
      flip(editor, mark);
      return null;
    }
    const joint = editor.isLocked ? -1 : this.jointAt(at, event);
    if (event.button === 2 && joint >= 0) {
      editor.choose(joint);
      togglePin(editor);
      return null;
    }
    const turns = !event.button && !event.shiftKey && !editor.isLocked;
    const grip = turns ? gripAt(editor.rings(), at, RING_REACH * editor.markerSize) : null;
    if (grip && (joint < 0 || joint === editor.chosen)) return this.turnRing(at, grip);
    if (!event.button && joint >= 0) return this.pullJoint(at, joint);
    return event.button === 2 || event.shiftKey ? this.pan(at) : this.orbit(at);
  }

  /** @param {number[]} from @param {number} joint @returns {Drag} */
  pullJoint(from, joint) {
    const { editor } = this;
    const { session, view } = editor;
    editor.choose(joint);
    const start = session.begin();
    const place = start.places[joint];
    let moved = false;
    return {
      move: (at, event) => {
        const [dx, dy] = [at[0] - from[0], at[1] - from[1]];
        moved ||= Math.hypot(dx, dy) >= CLICK;
        if (!moved) return;
        const depth = view.project(place)[2];
        const away = r.unit(r.subtract(place, view.camera.eye));
        const goal = event.altKey
          ? r.add(place, r.scale(away, -dy * view.metresPerPixel(depth)))
          : view.moved(place, dx, dy);
        dragJoint(session, start, joint, goal, event.shiftKey);
      },
      end: () => moved && session.commit(start),
      cancel: () => session.cancel(start),
    };
  }

  /** @param {number[]} from @param {Grip} grip @returns {Drag} */
  turnRing(from, grip) {
    const { editor } = this;
    const { session, view, chosen } = editor;
    const start = session.begin();
    let angle = 0;
    return {
      axis: grip.ring.axis,
      move: (at, event) => {
        angle = turnOf(view, grip, from, at);
        if (event.ctrlKey !== editor.snaps) angle = r.snapAngle(angle);
        turnJoint(session, start, chosen, grip.ring.direction, angle);
      },
      end: () => session.commit(start),
      cancel: () => session.cancel(start),
      says: () => `${spoken(session.body.names[chosen])} ${"XYZ"[grip.ring.axis]} ${Math.round(angle * DEGREES)}°`,
    };
  }

  /** Go round the body: with the picture's camera, or where that is locked with a free one. @param {number[]} from @returns {Drag} */
  orbit(from) {
    const { editor } = this;
    const { session, view } = editor;
    let [last, moved] = [from, false];
    return {
      move: (at) => {
        moved ||= Math.hypot(at[0] - from[0], at[1] - from[1]) >= CLICK;
        if (!moved) return;
        const [dx, dy] = [at[0] - last[0], at[1] - last[1]];
        last = at;
        if (editor.movesPicture) orbitAbout(session.camera, editor.pivot, -dx * PER_PIXEL, dy * PER_PIXEL);
        else view.orbit(editor.pivot, dx, dy);
      },
      end: () => {
        if (!moved) editor.choose(-1);
        else editor.cameraMoved();
      },
      cancel: () => moved && editor.cameraMoved(),
    };
  }

  /** @param {number[]} from @returns {Drag} */
  pan(from) {
    const { editor } = this;
    const { session, view } = editor;
    let last = from;
    return {
      move: (at) => {
        const [dx, dy] = [at[0] - last[0], at[1] - last[1]];
        last = at;
        if (editor.movesPicture) session.camera.pan(dx / view.scale, dy / view.scale);
        else view.shift(dx, dy);
      },
      end: () => editor.cameraMoved(),
      cancel: () => editor.cameraMoved(),
    };
  }

  /** Two fingers magnify and shift what is shown; the picture stays. @returns {Drag} */
  pinch() {
    const { view } = this.editor;
    const measure = () => {
      const [[ax, ay], [bx, by]] = [...this.pointers.values()];
      return { middle: [(ax + bx) / 2, (ay + by) / 2], gap: Math.max(1, Math.hypot(ax - bx, ay - by)) };
    };
    let last = measure();
    return {
      move: () => {
        if (this.pointers.size < 2) return;
        const now = measure();
        view.shift(now.middle[0] - last.middle[0], now.middle[1] - last.middle[1]);
        view.magnify(now.middle, now.gap / last.gap);
        last = now;
      },
      end: () => {},
    };
  }

  /** @param {PointerEvent} event */
  move(event) {
    event.stopPropagation();
    const { editor } = this;
    if (event.buttons & 4) return editor.host.passMiddle(event);
    const at = this.at(event);
    if (!this.drag) {
      editor.point(editor.isLocked ? -1 : this.jointAt(at, event), at);
      return;
    }
    if (!this.pointers.has(event.pointerId)) return;
    this.pointers.set(event.pointerId, at);
    this.drag.move(at, event);
    editor.redraw();
  }

  /** @param {PointerEvent} event */
  release(event) {
    event.stopPropagation();
    if (event.button === 1 && event.type === "pointerup") return this.editor.host.passMiddle(event);
    if (!this.pointers.delete(event.pointerId) || this.pointers.size) return;
    const { drag } = this;
    this.drag = null;
    drag?.end();
    this.editor.refresh();
  }

  /** The browser took the pointer away: nothing is kept. @param {PointerEvent} event */
  abort(event) {
    this.pointers.delete(event.pointerId);
    this.drag?.cancel?.();
    this.drag = null;
    this.editor.refresh();
  }

  /** Give a joint the turn it started with. @param {MouseEvent} event */
  doubleClick(event) {
    event.stopPropagation();
    if (this.jointAt(this.at(event), event) >= 0 && !this.editor.isLocked) resetJoint(this.editor);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    const { editor } = this;
    if (!editor.hasFocus) return editor.host.passWheel(event);
    event.preventDefault();
    event.stopPropagation();
    const factor = Math.exp(event.deltaY * PER_WHEEL);
    if (editor.movesPicture && !event.altKey) {
      editor.session.camera.dolly(factor);
      clearTimeout(this.settling);
      this.settling = setTimeout(() => editor.cameraMoved(), SETTLED_MS);
    } else {
      editor.view.magnify(this.at(event), 1 / factor);
    }
    editor.redraw();
  }
}
