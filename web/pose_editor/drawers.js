/**
 * What slides over the canvas: poses, camera, help; one at a time.
 *
 * @typedef {import("./editor.js").PoseEditor} PoseEditor
 */

import { CameraDrawer } from "./camera_drawer.js";
import { keyHelp, POINTER_HELP } from "./commands.js";
import { Library } from "./library.js";
import { make } from "./toolbar.js";

export class Drawers {
  /** @param {PoseEditor} editor */
  constructor(editor) {
    this.library = new Library(editor);
    this.camera = new CameraDrawer(editor);
    const rows = [...POINTER_HELP, ...keyHelp()].flatMap(([what, does]) => [
      make("dt", {}, what), make("dd", {}, does),
    ]);
    /** @type {Record<string, HTMLElement>} */
    this.contents = {
      library: this.library.element,
      camera: this.camera.element,
      help: make("div", { className: "posexfer-help" }, make("dl", {}, ...rows)),
    };
    /** @type {string | null} */
    this.open = null;
    this.element = make("div", { className: "posexfer-drawer", hidden: true });
    for (const name of ["wheel", "keydown", "copy", "paste"]) {
      this.element.addEventListener(name, (event) => event.stopPropagation());
    }
  }

  /** Open a drawer, or shut it where it is open. @param {string} name */
  toggle(name) {
    this.open = this.open === name ? null : name;
    this.element.hidden = !this.open;
    if (!this.open) return;
    this.element.replaceChildren(this.contents[this.open]);
    if (this.open === "library") this.library.show();
  }

  /** How much of the canvas's right side is covered, in its pixels. */
  get width() {
    return this.open ? (this.element.parentElement?.clientWidth ?? 0) - this.element.offsetLeft : 0;
  }

  refresh() {
    if (this.open === "camera") this.camera.refresh();
  }
}
