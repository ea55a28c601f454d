/**
 * The editor's element: canvas, bars and drawers round one session.
 *
 * @typedef {import("./body.js").Body} Body
 * @typedef {import("./commands.js").Command} Command
 * @typedef {import("./document.js").PoseDocument} PoseDocument
 *
 * @typedef {object} Host what the editor asks of the page
 * @property {() => [number, number]} pictureSize width and height of the picture, pixels
 * @property {(text: string) => void} changed told the new value
 * @property {() => boolean} isLinked whether the value comes from another node
 * @property {(request: object) => Promise<import("./flip_depth.js").Twins>} twins asks the server
 * @property {(event: WheelEvent) => void} passWheel hands the wheel to the graph
 * @property {(event: PointerEvent) => void} passMiddle hands the middle button to the graph
 * @property {import("./library.js").PoseShelf} poses
 */

import { copyTo, pasteFrom } from "./actions.js";
import { BODY_JOINTS, limbOf } from "./body.js";
import { commandOf, TOOLBAR, VIEW_BAR } from "./commands.js";
import { Drawers } from "./drawers.js";
import { FrameTabs } from "./frame_tabs.js";
import { Gestures } from "./gestures.js";
import { Inspector } from "./inspector.js";
import { twinMarks } from "./overlay.js";
import { paintScene } from "./painting.js";
import { sharedRenderer } from "./renderer.js";
import { ringsAt } from "./rings.js";
import { Session } from "./session.js";
import { make, Toolbar } from "./toolbar.js";
import { TwinFinder } from "./twin_finder.js";
import { View } from "./view.js";

const MIDDLE = 6;
const CLOSE = 1.5;
/** Metres a pixel below which fingers are large enough to be told apart. */
const FINGERS_SHOWN = 0.0025;
/** Keys with Ctrl that the graph would use on the node behind; all other ones are the page's. */
const GRAPH_KEYS = ["a", "b", "c", "d", "g", "m", "v", "x"];

export class PoseEditor {
  /**
   * @param {Host} host
   * @param {Body} body
   * @param {string} text the value to begin with
   */
  constructor(host, body, text) {
    this.host = host;
    this.session = new Session(body, host.pictureSize(), (value) => this.tell(value));
    this.view = new View(this.session.camera);
    this.twinFinder = new TwinFinder(this);
    this.renderer = sharedRenderer();
    /** The chosen joint and the one under the cursor; -1 for none. */
    this.chosen = -1;
    this.hover = -1;
    /** The limb whose mark is under the cursor. @type {string | null} */
    this.heldMark = null;
    this.snaps = false;
    this.showsJoints = true;
    /** How solid the body is over the photo. */
    this.opacity = 0.8;
    /** How much larger markers are where the graph is small or the canvas large. */
    this.markerSize = 1;
    /** Whether the picture's camera stays when the view is moved. */
    this.keepsCamera = false;
    /** @type {HTMLImageElement | null} */
    this.backdrop = null;
    /** Who else is in the picture. @type {import("./bystander.js").Bystander[]} */
    this.others = [];
    /** Joints of a flipped limb as they were in the picture. @type {number[][]} */
    this.same2d = [];
    this.problem = "";
    this.said = "";
    this.waiting = 0;
    this.redraw = this.redraw.bind(this);
    this.refresh = this.refresh.bind(this);

    this.canvas = make("canvas", { className: "posexfer-view", tabIndex: 0, ariaLabel: "Pose" });
    // The page's undo leaves Ctrl+Z to an element whose type is this.
    Object.assign(this.canvas, { type: "textarea" });
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.notice = make("div", { className: "posexfer-notice", role: "alert" });
    this.status = make("div", { className: "posexfer-status", role: "status" });
    this.gestures = new Gestures(this);
    this.drawers = new Drawers(this);
    const [tools, views] = [
      new Toolbar(this, TOOLBAR, "posexfer-bar"), new Toolbar(this, VIEW_BAR, "posexfer-side"),
    ];
    const [inspector, tabs] = [new Inspector(this), new FrameTabs(this)];
    this.parts = [tools, views, inspector, tabs, this.drawers];
    const stage = make(
      "div", { className: "posexfer-stage" },
      this.canvas, this.notice, this.status, this.drawers.element, views.element,
    );
    this.element = make(
      "div", { className: "posexfer-editor" }, tools.element, stage, inspector.element, tabs.element,
    );
    this.listen();
    this.load(text);
  }

  listen() {
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("copy", (event) => copyTo(this, event));
    this.canvas.addEventListener("paste", (event) => pasteFrom(this, event));
    this.canvas.addEventListener("focus", this.redraw);
    this.canvas.addEventListener("blur", this.redraw);
    for (const name of ["pointerdown", "dblclick", "contextmenu"]) {
      this.element.addEventListener(name, (event) => event.stopPropagation());
    }
    this.element.addEventListener("fullscreenchange", this.refresh);
    this.renderer.listeners.add(this.redraw);
    this.watch = new ResizeObserver(this.redraw);
    this.watch.observe(this.canvas);
  }

  destroy() {
    this.twinFinder.stop();
    cancelAnimationFrame(this.waiting);
    this.watch?.disconnect();
    this.renderer.listeners.delete(this.redraw);
  }

  /** Show a value; what is wrong with it is said. @param {string} text */
  load(text) {
    this.trying(() => this.session.load(text));
    this.refresh();
  }

  /**
   * Start from what the node was given.
   *
   * @param {Body} body
   * @param {PoseDocument} start
   * @param {string | null} backdrop address of the picture to lay behind
   * @param {import("./bystander.js").Bystander[]} others
   */
  receive(body, start, backdrop, others) {
    this.others = others;
    this.chosen = Math.min(this.chosen, body.names.length - 1);
    this.trying(() => this.session.restart(body, start));
    if (!backdrop) this.backdrop = null;
    else if (!this.backdrop) this.keepsCamera = true;
    if (backdrop) this.layBehind(backdrop);
    this.refresh();
  }

  /** Show a picture behind the body; the one before it stays until it is there. @param {string} address */
  layBehind(address) {
    const image = new Image();
    image.onload = () => {
      this.backdrop = image;
      this.redraw();
    };
    image.src = address;
  }

  /** Say what is wrong, until the next change. @param {unknown} error */
  fail(error) {
    this.problem = error instanceof Error ? error.message : String(error);
    this.said = "";
    this.refresh();
  }

  /** Do something whose failure is shown. @param {() => unknown} action */
  async trying(action) {
    this.problem = "";
    this.redraw();
    try {
      const done = action();
      if (done instanceof Promise) await done;
    } catch (error) {
      this.fail(error);
    }
    this.refresh();
  }

  /** @param {string} text */
  tell(text) {
    this.problem = "";
    this.said = "";
    this.same2d = [];
    this.host.changed(text);
    this.refresh();
  }

  /** Whether the value comes from elsewhere, so that nothing can be edited. */
  get isLocked() {
    return this.host.isLinked();
  }

  get hasFocus() {
    return document.activeElement === this.canvas;
  }

  get isFullscreen() {
    return document.fullscreenElement === this.element;
  }

  /** Whether moving the view moves the picture's camera. */
  get movesPicture() {
    return !this.keepsCamera && !this.view.free && !this.isLocked;
  }

  get chosenLimb() {
    return this.chosen < 0 ? null : limbOf(this.session.body, this.chosen);
  }

  /** The side of the chosen joint; null in the middle. @returns {"l_" | "r_" | null} */
  get chosenSide() {
    const side = this.session.body.names[this.chosen]?.slice(0, 2);
    return side === "l_" || side === "r_" ? side : null;
  }

  /** What views turn about: the middle of the body, or from close by the chosen joint. */
  get pivot() {
    const isClose = this.chosen >= 0 && this.view.zoom > CLOSE;
    return this.session.skeleton.places[isClose ? this.chosen : MIDDLE];
  }

  /** Look at the body from a side. @param {keyof typeof import("./view.js").SIDES} side */
  look(side) {
    this.view.look(this.session.skeleton, side);
  }

  /** Joints with a marker. */
  shownJoints() {
    if (!this.showsJoints) return [];
    const joints = this.session.body.names.map((_, joint) => joint);
    const isClose = this.view.metresPerPixel(this.view.camera.state.distance) < FINGERS_SHOWN;
    return isClose || this.chosen >= BODY_JOINTS ? joints : joints.slice(0, BODY_JOINTS);
  }

  rings() {
    const { chosen, markerSize, session: { skeleton }, view } = this;
    if (chosen < 0 || !this.showsJoints || this.isLocked) return [];
    return ringsAt(view, skeleton.places[chosen], skeleton.world[chosen], markerSize);
  }

  twinMarks() {
    const isShown = this.showsJoints && !this.gestures.drag && !this.isLocked && !this.view.free;
    return isShown ? twinMarks(this.view, this.session, this.twinFinder.twins) : [];
  }

  /** @param {number[]} at @returns {string | null} the limb */
  twinMarkAt([x, y]) {
    const isNear = ({ at, radius }) => Math.hypot(at[0] - x, at[1] - y) < radius + 2;
    return this.twinMarks().find(isNear)?.limb ?? null;
  }

  /** @param {number} joint */
  choose(joint) {
    this.chosen = joint;
    this.hover = -1;
    this.said = "";
    this.refresh();
  }

  /** Note what the cursor is over. @param {number} joint @param {number[]} [at] */
  point(joint, at) {
    const mark = at ? this.twinMarkAt(at) : null;
    this.canvas.style.cursor = joint >= 0 || mark ? "pointer" : "default";
    if (joint === this.hover && mark === this.heldMark) return;
    this.hover = joint;
    this.heldMark = mark;
    this.redraw();
  }

  /** Note that the view was moved. */
  cameraMoved() {
    if (this.movesPicture) this.session.moveCamera();
    this.refresh();
  }

  /** @param {Command} command */
  run(command) {
    if (!command.can || command.can(this)) command.run(this);
    this.canvas.focus({ preventScroll: true });
    this.refresh();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const command = commandOf(event);
    const isPages = (event.ctrlKey || event.metaKey) && !GRAPH_KEYS.includes(event.key.toLowerCase());
    if (!command && isPages) return;
    if (event.key === "Tab" || event.altKey || /^F\d/.test(event.key)) return;
    event.stopPropagation();
    if (command) {
      event.preventDefault();
      this.run(command);
    } else if (event.key === "Escape") {
      if (this.drawers.open) this.drawers.toggle(this.drawers.open);
      else if (this.chosen >= 0) this.choose(-1);
      else this.canvas.blur();
      this.refresh();
    }
  }

  /** Bring bars, fields and canvas up to date. */
  refresh() {
    this.twinFinder.ask();
    for (const part of this.parts) part.refresh();
    this.redraw();
  }

  redraw() {
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      paintScene(this);
    });
  }
}
