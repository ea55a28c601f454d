/**
 * What stands in the node: the editor, and before its body is there a line that says so. Holds
 * the value from the first moment on.
 *
 * @typedef {import("./body.js").Body} Body
 * @typedef {import("./document.js").PoseDocument} PoseDocument
 * @typedef {import("./editor.js").Host} Host
 *
 * @typedef {object} Given what the node says when it has run
 * @property {PoseDocument} start
 * @property {string} body what to ask the server for
 * @property {string | null} backdrop address of a picture
 * @property {{ body: string, frames: import("./document.js").Frame[] }[]} [others] who else is in
 *   the picture; left out by runs of older versions
 */

import { Bystander } from "./bystander.js";
import { PoseEditor } from "./editor.js";
import { addStyle } from "./style.js";
import { make } from "./toolbar.js";

export class MountedEditor {
  /**
   * @param {Host} host
   * @param {(query: string) => Promise<Body>} loadBody
   */
  constructor(host, loadBody) {
    addStyle();
    this.host = { ...host, changed: (text) => { this.text = text; host.changed(text); } };
    this.loadBody = loadBody;
    this.text = "";
    /** @type {PoseEditor | null} */
    this.editor = null;
    this.message = make("div", { className: "posexfer-editor posexfer-loading" }, "Loading the body …");
    this.element = make("div", { className: "posexfer-mount" }, this.message);
    this.element.dataset.captureWheel = "true"; // Nodes 2.0 leaves the wheel to what has the focus
    this.ready = this.open("");
  }

  get value() {
    return this.text;
  }

  set value(text) {
    if (text === this.text) return;
    this.text = text;
    this.editor?.load(text);
  }

  /** Fetch the body and show the editor. @param {string} query */
  async open(query) {
    try {
      const body = await this.loadBody(query);
      if (!this.editor) {
        this.editor = new PoseEditor(this.host, body, this.text);
        this.element.replaceChildren(this.editor.element);
      }
      return body;
    } catch (error) {
      const problem = `The body could not be loaded.\n${error instanceof Error ? error.message : error}`;
      if (this.editor) this.editor.fail(problem);
      else this.message.textContent = problem;
      return null;
    }
  }

  /** Start from what the node was given. @param {Given} given */
  async receive({ start, body: query, backdrop, others = [] }) {
    await this.ready;
    const body = await this.open(query);
    if (!body) return;
    const people = await Promise.all(others.map(async ({ body: asked, frames }) => {
      const found = await this.open(asked);
      return found && new Bystander(found, frames);
    }));
    this.editor?.receive(body, start, backdrop, people.filter((one) => one !== null));
  }

  destroy() {
    this.editor?.destroy();
  }
}
