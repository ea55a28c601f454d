/**
 * Everything that a button or a key does, once: the toolbar, the keys and the help are made of it.
 *
 * @typedef {import("./editor.js").PoseEditor} PoseEditor
 * @typedef {import("./icons.js").IconName} IconName
 *
 * @typedef {object} Command
 * @property {string} title
 * @property {IconName} [icon]
 * @property {string[]} [keys] such as "Mod+Shift+Z"; Mod is Ctrl, or Command on a Mac
 * @property {(editor: PoseEditor) => void} run
 * @property {(editor: PoseEditor) => unknown} [can] whether it does anything now
 * @property {(editor: PoseEditor) => unknown} [isOn] of what is switched on and off
 */

import * as actions from "./actions.js";

/** @param {PoseEditor} editor */
const isEditable = (editor) => !editor.isLocked;
/** @param {PoseEditor} editor */
const hasChosen = (editor) => isEditable(editor) && editor.chosen >= 0;

/** @type {Record<string, Command>} */
export const COMMANDS = {
  undo: {
    title: "Undo", icon: "undo", keys: ["Mod+Z"],
    run: (editor) => editor.session.undo(),
    can: (editor) => isEditable(editor) && editor.session.history.past.length,
  },
  redo: {
    title: "Redo", icon: "redo", keys: ["Mod+Shift+Z", "Mod+Y"],
    run: (editor) => editor.session.redo(),
    can: (editor) => isEditable(editor) && editor.session.history.future.length,
  },
  resetPose: {
    title: "Reset to the input's pose and camera, or to standing", icon: "resetPose", keys: ["Shift+R"],
    run: (editor) => actions.resetPose(editor), can: isEditable,
  },
  mirror: {
    title: "Mirror: swap left and right", icon: "mirror", keys: ["M"],
    run: (editor) => actions.mirror(editor), can: isEditable,
  },
  copySide: {
    title: "Copy the chosen joint's side to the other", icon: "copySide", keys: ["C"],
    run: (editor) => actions.copySide(editor),
    can: (editor) => hasChosen(editor) && editor.chosenSide,
  },
  symmetry: {
    title: "Edit both sides alike", icon: "symmetry", keys: ["S"],
    run: (editor) => { editor.session.isSymmetric = !editor.session.isSymmetric; },
    can: isEditable, isOn: (editor) => editor.session.isSymmetric,
  },
  flip: {
    title: "Flip depth of the chosen limb: same 2D, behind instead of in front", icon: "flip", keys: ["F"],
    run: (editor) => actions.flip(editor, editor.chosenLimb),
    can: (editor) => isEditable(editor) && editor.chosenLimb && editor.twinFinder.twins[editor.chosenLimb],
  },
  floor: {
    title: "Drop to the floor", icon: "floor", keys: ["G"],
    run: (editor) => actions.dropToFloor(editor), can: isEditable,
  },
  library: {
    title: "Poses: library, files, clipboard", icon: "library", keys: ["B"],
    run: (editor) => editor.drawers.toggle("library"), isOn: (editor) => editor.drawers.open === "library",
  },
  fullscreen: {
    title: "Whole screen", icon: "fullscreen", keys: ["E"],
    run: (editor) => actions.toggleFullscreen(editor), isOn: (editor) => editor.isFullscreen,
  },
  help: {
    title: "Mouse and keys", icon: "help", keys: ["?"],
    run: (editor) => editor.drawers.toggle("help"), isOn: (editor) => editor.drawers.open === "help",
  },
  picture: {
    title: "The picture as it will be drawn", icon: "picture", keys: ["5"],
    run: (editor) => editor.view.showPicture(), isOn: (editor) => !editor.view.free,
  },
  lock: {
    title: "Keep the picture's camera: only your view moves", icon: "lock", keys: ["L"],
    run: (editor) => actions.toggleLock(editor), isOn: (editor) => editor.keepsCamera,
  },
  camera: {
    title: "View and camera", icon: "views", keys: ["V"],
    run: (editor) => editor.drawers.toggle("camera"), isOn: (editor) => editor.drawers.open === "camera",
  },
  joints: {
    title: "Show joints", icon: "joints", keys: ["H"],
    run: (editor) => { editor.showsJoints = !editor.showsJoints; }, isOn: (editor) => editor.showsJoints,
  },
  pin: {
    title: "Pin: this hand or foot stays while the body moves", icon: "pin", keys: ["P"],
    run: (editor) => actions.togglePin(editor),
    can: (editor) => hasChosen(editor) && editor.chosenLimb,
    isOn: (editor) => editor.session.pinned.has(editor.chosenLimb ?? ""),
  },
  snap: {
    title: "Snap rings to 15° (Ctrl while dragging does the opposite)", icon: "snap", keys: ["A"],
    run: (editor) => { editor.snaps = !editor.snaps; }, isOn: (editor) => editor.snaps,
  },
  resetJoint: {
    title: "Reset this joint (or double-click it)", icon: "resetJoint", keys: ["R"],
    run: (editor) => actions.resetJoint(editor), can: hasChosen,
  },
  front: { title: "From the front", keys: ["1"], run: (editor) => editor.look("front") },
  back: { title: "From behind", keys: ["2"], run: (editor) => editor.look("back") },
  left: { title: "From the person's left", keys: ["3"], run: (editor) => editor.look("left") },
  right: { title: "From the person's right", keys: ["4"], run: (editor) => editor.look("right") },
  top: { title: "From above", keys: ["6"], run: (editor) => editor.look("top") },
};

export const TOOLBAR = [
  ["undo", "redo"], ["resetPose", "mirror", "copySide", "symmetry", "flip", "floor"],
  ["library", "fullscreen", "help"],
];
export const VIEW_BAR = [["picture", "lock", "camera", "joints"]];
export const JOINT_BAR = [["snap", "pin", "resetJoint"]];
export const VIEWS = ["front", "back", "left", "right", "top"];

/** What the mouse and fingers do, for the help. */
export const POINTER_HELP = [
  ["Drag a blue handle", "hand or foot reaches, pelvis moves the body"],
  ["Drag another joint", "aims the bone above it"],
  ["Shift + drag knee or elbow", "swings it, hand or foot stays"],
  ["Shift + drag the pelvis", "moves the whole body, pinned feet too"],
  ["Alt + drag", "moves to and from the eye"],
  ["Drag a ring", "turns the chosen joint; Ctrl snaps"],
  ["Right-click a joint", "pins its hand or foot"],
  ["Double-click a joint", "resets it"],
  ["Drag beside the body", "orbits; right button or Shift pans"],
  ["Wheel", "magnifies; while the padlock is open it moves the camera, with Alt it magnifies"],
  ["Two fingers", "magnify and shift"],
];

/** @param {string} key of a command */
export const shownKey = (key) => key.replace("Mod", "Ctrl");

/** The keys of commands with their titles, for the help. */
export const keyHelp = () =>
  Object.values(COMMANDS).flatMap(({ keys, title }) => (keys ? [[keys.map(shownKey).join(", "), title]] : []));

/**
 * Name a key press as `Command.keys` does.
 *
 * @param {KeyboardEvent} event
 * @returns {string}
 */
export function keyName(event) {
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const shift = event.shiftKey && /^[A-Z]$/.test(key) ? "Shift+" : "";
  return (event.ctrlKey || event.metaKey ? "Mod+" : "") + shift + key;
}

/** @param {KeyboardEvent} event @returns {Command | undefined} */
export const commandOf = (event) =>
  Object.values(COMMANDS).find(({ keys }) => keys?.includes(keyName(event)));
