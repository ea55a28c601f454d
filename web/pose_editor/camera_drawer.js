/**
 * The drawer of view and camera: sides to look from, the picture's camera in numbers, and how
 * much of the photo shows through the body.
 *
 * @typedef {import("./editor.js").PoseEditor} PoseEditor
 */

import { drawFromHere } from "./actions.js";
import { VIEWS } from "./commands.js";
import { DEGREES, makeField, showNumber } from "./inspector.js";
import { make, makeButton, Toolbar } from "./toolbar.js";

/** Label, name in the camera's state, unit's size, step, least and most. @type {[string, "yaw" | "pitch" | "distance" | "fov_deg", number, number, number, number][]} */
const FIELDS = [
  ["Turn °", "yaw", DEGREES, 5, -360, 360],
  ["Tilt °", "pitch", DEGREES, 5, -88, 88],
  ["Away m", "distance", 1, 0.1, 0.3, 100],
  ["Lens °", "fov_deg", 1, 1, 1, 170],
];

export class CameraDrawer {
  /** @param {PoseEditor} editor */
  constructor(editor) {
    this.editor = editor;
    this.sides = new Toolbar(editor, [VIEWS], "posexfer-sides");
    for (const name of VIEWS) {
      const button = this.sides.buttons.get(name);
      if (button) button.textContent = name;
    }
    this.fields = FIELDS.map(([label, name, unit, step, least, most]) =>
      makeField(label, `The picture's camera: ${label}`, step, (value) =>
        this.set(name, Math.min(most, Math.max(least, value)) / unit)));
    this.opacity = make("input", { type: "range", min: "0", max: "100", ariaLabel: "How solid the body is" });
    this.opacity.addEventListener("input", () => {
      editor.opacity = this.opacity.valueAsNumber / 100;
      editor.redraw();
    });
    this.draw = makeButton("The picture will be drawn from where you look now", () => { drawFromHere(editor); editor.refresh(); }, "Draw from here");
    this.back = makeButton("The camera of the input, or the standard one", () => this.reset(), "Reset camera");
    this.element = make(
      "div", { className: "posexfer-camera" },
      make("div", { className: "posexfer-title" }, "Look from"), this.sides.element,
      make("div", { className: "posexfer-title" }, "The picture's camera"),
      make("div", { className: "posexfer-grid" }, ...this.fields.map(({ element }) => element)),
      make("div", { className: "posexfer-line" }, this.draw, this.back),
      make("div", { className: "posexfer-title" }, "Body over the photo"), this.opacity,
    );
  }

  /** @param {"yaw" | "pitch" | "distance" | "fov_deg"} name @param {number} value */
  set(name, value) {
    const { session } = this.editor;
    session.camera.state[name] = value;
    session.moveCamera();
    this.editor.refresh();
  }

  reset() {
    this.editor.session.resetCamera();
    this.editor.refresh();
  }

  refresh() {
    const { session, view, isLocked, opacity } = this.editor;
    this.sides.refresh();
    this.fields.forEach(({ input }, i) => {
      const [, name, unit] = FIELDS[i];
      input.disabled = isLocked;
      showNumber(input, session.camera.state[name] * unit, unit === 1 ? 2 : 1);
    });
    this.draw.disabled = !view.free || isLocked;
    this.back.disabled = isLocked;
    this.opacity.value = String(Math.round(100 * opacity));
  }
}
