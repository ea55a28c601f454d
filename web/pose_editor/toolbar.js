/**
 * Rows of buttons made of commands.
 *
 * @typedef {import("./editor.js").PoseEditor} PoseEditor
 */

import { COMMANDS, shownKey } from "./commands.js";
import { icon } from "./icons.js";

/**
 * Make an element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} [properties]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Make a button that never takes part in a form. @param {string} title @param {() => void} click @param {(Node | string)[]} children */
export function makeButton(title, click, ...children) {
  const button = make("button", { type: "button", title, ariaLabel: title }, ...children);
  button.addEventListener("click", click);
  return button;
}

export class Toolbar {
  /**
   * @param {PoseEditor} editor
   * @param {string[][]} groups names in `COMMANDS`
   * @param {string} className
   */
  constructor(editor, groups, className) {
    this.editor = editor;
    /** @type {Map<string, HTMLButtonElement>} */
    this.buttons = new Map();
    const rows = groups.map((names) => {
      const row = make("span", { className: "posexfer-group" });
      for (const name of names) {
        const { title, icon: drawing, keys = [] } = COMMANDS[name];
        const label = keys.length ? `${title} (${shownKey(keys[0])})` : title;
        const button = makeButton(label, () => editor.run(COMMANDS[name]), drawing ? icon(drawing) : title);
        button.dataset.command = name;
        this.buttons.set(name, button);
        row.append(button);
      }
      return row;
    });
    this.element = make("div", { className }, ...rows);
  }

  /** Show what can be done now and what is switched on. */
  refresh() {
    for (const [name, button] of this.buttons) {
      const { can, isOn } = COMMANDS[name];
      button.disabled = can ? !can(this.editor) : false;
      if (isOn) button.ariaPressed = String(Boolean(isOn(this.editor)));
    }
  }
}
