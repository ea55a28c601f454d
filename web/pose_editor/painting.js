/**
 * Paints one picture of an editor: photo, floor, body, joints, frame, and what it has to say.
 *
 * @typedef {import("./editor.js").PoseEditor} PoseEditor
 */

import { paintBodies } from "./body_painter.js";
import { strained } from "./limits.js";
import * as overlay from "./overlay.js";

const MOST_DENSITY = 3;
const LARGEST_MARKER = 1.8;
/** Pixels of a canvas above which markers grow with it. */
const ROOMY = 640;

/** @param {PoseEditor} editor */
export function paintScene(editor) {
  const { canvas, context: c, session, view } = editor;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width || !height) return;
  const density = fit(editor, width, height);
  view.canvas = [width, height];
  cover(editor, editor.drawers.width);
  c.setTransform(density, 0, 0, density, 0, 0);
  overlay.paintBackground(c, width, height);
  session.camera.size = editor.host.pictureSize();
  const beyond = strained(session.skeleton);
  paintPeople(editor, density);
  paintJoints(editor, beyond);
  if (editor.hasFocus) {
    c.strokeStyle = overlay.COLOURS.chosen;
    c.lineWidth = 1.5;
    c.strokeRect(0.75, 0.75, width - 1.5, height - 1.5);
  }
  say(editor, beyond);
}

/** Keep clear of what a drawer covers. @param {PoseEditor} editor @param {number} width CSS pixels */
function cover({ element, view }, width) {
  if (view.covered === width) return;
  view.covered = width;
  element.style.setProperty("--covered", `${width}px`);
}

/** Give the canvas as many pixels as the screen shows. @param {PoseEditor} editor @param {number} width @param {number} height */
function fit(editor, width, height) {
  const { canvas } = editor;
  const zoomed = canvas.getBoundingClientRect().width / width;
  const roomy = Math.min(width, height) / ROOMY;
  editor.markerSize = Math.min(LARGEST_MARKER, Math.max(1, 1 / zoomed, roomy));
  const density = Math.min(MOST_DENSITY, Math.max(1, window.devicePixelRatio * Math.min(zoomed, 2)));
  const size = [width, height].map((side) => Math.round(side * density));
  if (canvas.width !== size[0]) canvas.width = size[0];
  if (canvas.height !== size[1]) canvas.height = size[1];
  return density;
}

/** The bodies over the photo or the floor. @param {PoseEditor} editor @param {number} density */
function paintPeople(editor, density) {
  const { context: c, session, view, backdrop } = editor;
  const photo = !view.free && backdrop?.naturalWidth ? backdrop : null;
  if (photo) c.drawImage(photo, ...view.frame);
  else overlay.paintFloor(c, view, overlay.floorMiddle(session));
  c.setTransform(1, 0, 0, 1, 0, 0);
  c.globalAlpha = photo ? editor.opacity : 1;
  const others = editor.others.map((one) => one.at(session.active));
  const own = {
    mesh: session.body,
    rows: session.skeleton.skinning(),
    tints: overlay.tintsOf(session, editor.chosen, editor.hover),
  };
  paintBodies(c, {
    bodies: [own, ...others],
    floor: photo ? null : session.floor,
    ...view.matrices([session.skeleton.places[0], ...others.map((one) => one.pelvis)]),
  });
  c.globalAlpha = 1;
  c.setTransform(density, 0, 0, density, 0, 0);
}

/** @param {PoseEditor} editor @param {number[]} beyond joints beyond their limits */
function paintJoints(editor, beyond) {
  const { context: c, session, view, chosen, hover } = editor;
  if (view.free) overlay.paintCamera(c, view);
  else overlay.paintFrame(c, view);
  overlay.paintSkeleton(c, view, session, {
    chosen, hover, shown: editor.shownJoints(), strained: beyond,
    size: editor.markerSize,
  });
  if (!view.free) overlay.paintSame2d(c, view, editor.same2d);
  overlay.paintTwinMarks(c, editor.twinMarks(), editor.heldMark);
  overlay.paintRings(c, editor.rings(), editor.gestures.drag?.axis ?? -1);
  if (hover >= 0 && !editor.gestures.drag) {
    overlay.paintLabel(c, view, session.skeleton.places[hover], overlay.spoken(session.body.names[hover]));
  }
}

/** @param {PoseEditor} editor @param {number[]} beyond joints beyond their limits */
function say(editor, beyond) {
  const { view } = editor;
  const linked = editor.isLocked ? "The pose comes from the link: unlink it to edit here." : "";
  setText(editor.notice, editor.problem || linked);
  const held = editor.gestures.drag?.says?.();
  const unusual = beyond.includes(editor.chosen) ? "beyond its usual range" : "";
  const free = view.free ? "Your view only: 5 shows the picture" : "";
  setText(editor.status, held || editor.said || unusual || free);
}

/** @param {HTMLElement} element @param {string} text */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
