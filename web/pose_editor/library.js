/**
 * The drawer of poses: those of the demo, one's own, files, and the clipboard.
 *
 * @typedef {import("./document.js").PoseDocument} PoseDocument
 * @typedef {import("./editor.js").PoseEditor} PoseEditor
 *
 * @typedef {{ name: string, own: boolean, quick: boolean }} Entry `quick`: read at once, so that
 *   it can have a picture
 *
 * @typedef {{ document: PoseDocument, notes: string[] }} Loaded a file's poses, and what was guessed
 *
 * @typedef {object} PoseShelf what the page's server keeps
 * @property {() => Promise<Entry[]>} list
 * @property {(name: string) => Promise<Loaded>} load
 * @property {(name: string, document: PoseDocument, size: number[]) => Promise<string>} save gives the name in the list
 * @property {(name: string) => Promise<void>} remove
 * @property {(file: File) => Promise<Loaded>} read a pose from any file that the pack reads
 */

import { adopt, copy, paste } from "./actions.js";
import { paintBodies } from "./body_painter.js";
import { Camera } from "./camera.js";
import { icon } from "./icons.js";
import { Skeleton } from "./skeleton.js";
import { make, makeButton } from "./toolbar.js";
import { View } from "./view.js";

const THUMBNAIL = [66, 88];

export class Library {
  /** @param {PoseEditor} editor */
  constructor(editor) {
    this.editor = editor;
    /** Poses that were fetched, by name. @type {Map<string, Loaded>} */
    this.known = new Map();
    this.list = make("div", { className: "posexfer-poses" });
    this.name = make("input", { type: "text", placeholder: "name", ariaLabel: "Name of the pose", maxLength: 60 });
    this.name.addEventListener("keydown", (event) => { if (event.key === "Enter") this.save(); });
    this.file = make("input", { type: "file", hidden: true });
    this.file.addEventListener("change", () => this.open());
    this.element = make(
      "div", { className: "posexfer-library" },
      make(
        "div", { className: "posexfer-line" }, this.name,
        makeButton("Save this pose", () => this.save(), "Save"),
      ),
      make(
        "div", { className: "posexfer-line" },
        makeButton("Copy the pose as JSON (Ctrl+C)", () => copy(editor), "Copy"),
        makeButton("Paste a pose's JSON (Ctrl+V)", () => paste(editor), "Paste"),
        makeButton("A pose from any file: SMPL, BVH, GLB, …", () => this.file.click(), "Open file"),
        this.file,
      ),
      this.list,
    );
  }

  /** List the poses anew, then draw those that are read at once. */
  async show() {
    await this.editor.trying(async () => {
      const entries = await this.editor.host.poses.list();
      const cards = entries.map((entry) => this.card(entry));
      this.list.replaceChildren(...cards.map(({ element }) => element));
      for (const [i, { canvas }] of cards.entries()) {
        if (this.editor.drawers.open !== "library") return;
        if (canvas) await this.drawNamed(canvas, entries[i].name);
      }
    });
  }

  /** @param {Entry} entry */
  card({ name, own, quick }) {
    const canvas = quick ? make("canvas", { width: THUMBNAIL[0] * 2, height: THUMBNAIL[1] * 2 }) : null;
    const title = name.replace(/^.*\//, "").replace(/\.npz$/, "").replace(/_/g, " ");
    const parts = [...(canvas ? [canvas] : []), make("span", {}, title)];
    const take = makeButton(`Take this pose: ${name}`, () => this.take(name), ...parts);
    const element = make("div", { className: canvas ? "posexfer-card" : "posexfer-card posexfer-row" }, take);
    if (own) {
      const remove = makeButton(`Delete ${name}`, () => this.remove(name), icon("close"));
      remove.className = "posexfer-remove";
      element.append(remove);
    }
    return { element, canvas };
  }

  /** Draw a pose; one that cannot be read has no picture, and says why when it is taken. @param {HTMLCanvasElement} canvas @param {string} name */
  async drawNamed(canvas, name) {
    try {
      this.draw(canvas, (await this.fetch(name)).document);
    } catch {
      canvas.remove();
    }
  }

  /** @param {string} name */
  async fetch(name) {
    let pose = this.known.get(name);
    if (!pose) this.known.set(name, pose = await this.editor.host.poses.load(name));
    return pose;
  }

  /** Draw a pose small, from the front. @param {HTMLCanvasElement} canvas @param {PoseDocument} pose */
  draw(canvas, { frames: [frame] }) {
    const { session } = this.editor;
    const context = canvas.getContext("2d");
    if (!context) return;
    const { body } = session;
    const skeleton = new Skeleton(body);
    skeleton.read({ ...frame, transl: [0, 0, 0] });
    const state = { ...body.camera, yaw: 0.35, pitch: 0.08, distance: 3.6, fov_deg: 32 };
    const view = new View(new Camera({ ...state, target: skeleton.places[3] }, [THUMBNAIL[0], THUMBNAIL[1]]));
    view.canvas = [THUMBNAIL[0], THUMBNAIL[1]];
    const plain = body.names.map(() => [0, 0, 0, 0]);
    paintBodies(context, {
      bodies: [{ mesh: body, rows: skeleton.skinning(), tints: plain }], floor: null,
      ...view.matrices([skeleton.places[0]]),
    });
  }

  /** Take a pose over; the place stays. @param {string} name */
  async take(name) {
    await this.reading(name, () => this.fetch(name));
  }

  /** Read poses, which may take long, and take them over. @param {string} name @param {() => Promise<Loaded>} read */
  async reading(name, read) {
    this.editor.said = `Reading ${name} …`;
    await this.editor.trying(async () => this.adopt(await read()));
  }

  /** @param {Loaded} loaded */
  adopt({ document, notes }) {
    adopt(this.editor, document);
    this.editor.said = notes.join(" ");
  }

  async save() {
    const { session, host } = this.editor;
    const name = this.name.value.trim();
    await this.editor.trying(async () => {
      if (!name) throw new Error("This pose has no name.\nExpected a few letters.\nType a name, then press Save.");
      this.known.delete(await host.poses.save(name, session.complete(), session.camera.size));
      this.name.value = "";
      await this.show();
    });
  }

  /** @param {string} name */
  async remove(name) {
    await this.editor.trying(async () => {
      await this.editor.host.poses.remove(name);
      this.known.delete(name);
      await this.show();
    });
  }

  async open() {
    const [file] = this.file.files ?? [];
    this.file.value = "";
    if (file) await this.reading(file.name, () => this.editor.host.poses.read(file));
  }
}
