/**
 * The line of the chosen joint: its name, its turns in degrees, pin, snapping, reset.
 *
 * @typedef {import("./editor.js").PoseEditor} PoseEditor
 */

import { JOINT_BAR } from "./commands.js";
import { fromEuler, toEuler } from "./euler.js";
import { spoken } from "./overlay.js";
import { make, Toolbar } from "./toolbar.js";

export const DEGREES = 180 / Math.PI;

/**
 * Make a field for a number, with its label in front.
 *
 * @param {string} label
 * @param {string} title
 * @param {number} step
 * @param {(value: number) => void} changed told finite numbers only
 */
export function makeField(label, title, step, changed) {
  const input = make("input", { type: "number", step: String(step), title, ariaLabel: title });
  input.addEventListener("change", () => {
    if (Number.isFinite(input.valueAsNumber)) changed(input.valueAsNumber);
  });
  return { input, element: make("label", { className: "posexfer-field" }, label, input) };
}

/** Show a number in a field that is not being typed in. @param {HTMLInputElement} input @param {number} value @param {number} digits */
export function showNumber(input, value, digits) {
  const text = String(Number(value.toFixed(digits)));
  if (document.activeElement !== input && input.value !== text) input.value = text;
}

export class Inspector {
  /** @param {PoseEditor} editor */
  constructor(editor) {
    this.editor = editor;
    this.name = make("span", { className: "posexfer-name" });
    this.fields = ["X", "Y", "Z"].map((label, axis) =>
      makeField(label, `Turn about ${label}, degrees`, 1, (degrees) => this.turn(axis, degrees)));
    this.fields.forEach(({ element }, axis) => { element.dataset.axis = String(axis); });
    this.bar = new Toolbar(editor, JOINT_BAR, "posexfer-joint-bar");
    this.element = make(
      "div", { className: "posexfer-inspector" },
      this.name, ...this.fields.map(({ element }) => element), this.bar.element,
    );
  }

  /** Turn the chosen joint, exactly as typed. @param {number} axis @param {number} degrees */
  turn(axis, degrees) {
    const { session, chosen } = this.editor;
    if (chosen < 0) return;
    const angles = toEuler(session.skeleton.local[chosen]);
    angles[axis] = degrees / DEGREES;
    session.change((skeleton) => skeleton.setLocal(chosen, fromEuler(angles)), chosen);
    this.editor.refresh();
  }

  refresh() {
    const { session, chosen, isLocked } = this.editor;
    const joint = chosen >= 0 ? chosen : null;
    this.name.textContent = joint === null ? "Click a joint to turn it" : spoken(session.body.names[joint]);
    this.element.classList.toggle("posexfer-idle", joint === null);
    const angles = joint === null ? [0, 0, 0] : toEuler(session.skeleton.local[joint]);
    this.fields.forEach(({ input }, axis) => {
      input.disabled = joint === null || isLocked;
      showNumber(input, angles[axis] * DEGREES, 1);
    });
    this.bar.refresh();
  }
}
