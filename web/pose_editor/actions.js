/**
 * What commands do to the pose and to the view.
 *
 * @typedef {import("./document.js").PoseDocument} PoseDocument
 * @typedef {import("./editor.js").PoseEditor} PoseEditor
 */

import { Camera } from "./camera.js";
import { adoptPose, parseDocument } from "./document.js";
import { takeTwin } from "./flip_depth.js";
import * as mirroring from "./mirror.js";
import { spoken } from "./overlay.js";
import * as r from "./rotations.js";

/** @param {PoseEditor} editor */
export function mirror({ session }) {
  session.change(mirroring.mirror);
}

/** Give the pose of the chosen joint's side to the other. @param {PoseEditor} editor */
export function copySide({ chosenSide, session }) {
  if (chosenSide) session.change((skeleton) => mirroring.copySide(skeleton, chosenSide));
}

/** @param {PoseEditor} editor */
export function dropToFloor({ session }) {
  session.change((skeleton) => skeleton.dropToFloor(session.floor));
}

/** Give the chosen joint the turn it started with. @param {PoseEditor} editor */
export function resetJoint({ chosen, session }) {
  session.change((skeleton) => skeleton.reset(chosen, session.startFrame), chosen);
}

/** @param {PoseEditor} editor */
export function resetPose({ session, view }) {
  session.reset();
  view.showPicture();
}

/** Pin the chosen limb's hand or foot, or let it go. @param {PoseEditor} editor */
export function togglePin({ chosenLimb, session: { pinned } }) {
  if (chosenLimb && !pinned.delete(chosenLimb)) pinned.add(chosenLimb);
}

/**
 * Take the twin of a limb; the joints as they were in the picture stay marked.
 *
 * @param {PoseEditor} editor
 * @param {string | null} limb
 */
export function flip(editor, limb) {
  const { session, twinFinder: { twins } } = editor;
  const twin = limb && twins[limb];
  if (!limb || !twin) return;
  const [, ...chain] = session.body.limbs[limb];
  const project = () => chain.map((joint) => session.camera.project(session.skeleton.places[joint]));
  const before = project();
  session.change((skeleton) => takeTwin(skeleton, twin));
  const after = project();
  const moved = Math.max(...before.map(([x, y], i) => Math.hypot(after[i][0] - x, after[i][1] - y)));
  const way = after[1][2] < before[1][2] ? "nearer" : "further away";
  editor.same2d = before;
  editor.said = `${spoken(limb)} ${Math.round(100 * twin.depth_change_m)} cm ${way}, same 2D to ${moved.toFixed(1)} px`;
  editor.refresh();
}

/**
 * Put a document's poses where the open one is. They are seen by this camera as they are by their
 * own, whose world may be turned.
 *
 * @param {Pick<PoseEditor, "isLocked" | "session">} editor
 * @param {PoseDocument} found
 */
export function adopt({ isLocked, session }, found) {
  if (isLocked) return;
  const { active, camera, document: { frames }, frame } = session;
  const [here, there] = [camera, new Camera(found.camera ?? camera.state, camera.size)]
    .map(({ axes: [right, up, back] }) => r.fromColumns(right, up, back));
  const turn = r.multiply(here, r.transpose(there));
  const taken = found.frames.map((one) => {
    const adopted = adoptPose(frame, one);
    adopted.pose[0] = r.toAxisAngle(r.multiply(turn, r.toMatrix(one.pose[0])));
    return adopted;
  });
  session.setFrames([...frames.slice(0, active), ...taken, ...frames.slice(active + 1)], active);
}

/** Copy the open pose as JSON. @param {PoseEditor} editor */
export function copy(editor) {
  editor.trying(async () => {
    await navigator.clipboard.writeText(editor.session.completeText());
    editor.said = "Copied as JSON";
  });
}

/** Take the pose on the clipboard. @param {PoseEditor} editor */
export function paste(editor) {
  editor.trying(async () => adopt(editor, parseDocument(await navigator.clipboard.readText())));
}

/** Copy by key, which needs no permission. @param {PoseEditor} editor @param {ClipboardEvent} event */
export function copyTo(editor, event) {
  event.preventDefault();
  event.stopPropagation();
  event.clipboardData?.setData("text/plain", editor.session.completeText());
  editor.said = "Copied as JSON";
  editor.redraw();
}

/** @param {PoseEditor} editor @param {ClipboardEvent} event */
export function pasteFrom(editor, event) {
  event.preventDefault();
  event.stopPropagation();
  const text = event.clipboardData?.getData("text/plain") ?? "";
  editor.trying(() => adopt(editor, parseDocument(text)));
}

/** Keep the picture's camera when the view moves, or move it along. @param {PoseEditor} editor */
export function toggleLock(editor) {
  editor.keepsCamera = !editor.keepsCamera;
  if (!editor.keepsCamera) editor.view.free = null;
}

/** Draw the picture from where the free camera is. @param {PoseEditor} editor */
export function drawFromHere({ session, view }) {
  if (!view.free) return;
  session.camera.state = view.free.state;
  view.free = null;
  session.moveCamera();
}

/** @param {PoseEditor} editor */
export function toggleFullscreen(editor) {
  editor.trying(() => (editor.isFullscreen ? document.exitFullscreen() : editor.element.requestFullscreen()));
}
