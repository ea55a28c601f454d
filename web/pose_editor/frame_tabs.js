/**
 * The frames as tabs; together they are a batch.
 *
 * @typedef {import("./editor.js").PoseEditor} PoseEditor
 */

import { MOST_FRAMES } from "./document.js";
import { icon } from "./icons.js";
import { make, makeButton } from "./toolbar.js";

export class FrameTabs {
  /** @param {PoseEditor} editor */
  constructor(editor) {
    this.editor = editor;
    this.shown = "";
    this.element = make("div", { className: "posexfer-tabs", role: "tablist" });
  }

  /** Build the tabs anew where their number or the open one has changed. */
  refresh() {
    const { session, isLocked } = this.editor;
    const count = session.document.frames.length;
    const shown = `${count} ${session.active} ${isLocked}`;
    if (shown === this.shown) return;
    this.shown = shown;
    const tabs = Array.from({ length: count }, (_, number) => {
      const tab = makeButton(`Pose ${number + 1}`, () => this.open(number), String(number + 1));
      tab.role = "tab";
      tab.ariaSelected = String(number === session.active);
      return tab;
    });
    const add = makeButton("Add a pose to the batch: a copy of this one", () => this.add(), icon("add"));
    add.disabled = isLocked || count >= MOST_FRAMES;
    const remove = makeButton("Remove this pose from the batch", () => this.remove(), icon("close"));
    remove.disabled = isLocked;
    this.element.replaceChildren(make("span", {}, "Poses"), ...tabs, add, ...(count > 1 ? [remove] : []));
    const open = tabs[session.active];
    this.element.scrollLeft = open.offsetLeft - this.element.clientWidth / 2;
  }

  /** @param {number} number */
  open(number) {
    this.editor.session.open(number);
    this.editor.refresh();
  }

  add() {
    const { session } = this.editor;
    const { frames } = session.document;
    const at = session.active + 1;
    session.setFrames([...frames.slice(0, at), structuredClone(session.frame), ...frames.slice(at)], at);
    this.editor.refresh();
  }

  remove() {
    const { session } = this.editor;
    if (session.document.frames.length < 2) return;
    session.setFrames(session.document.frames.filter((_, number) => number !== session.active), session.active);
    this.editor.refresh();
  }
}
