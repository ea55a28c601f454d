/** Puts the pose editor into ComfyUI's page; no other file of it knows ComfyUI. */

// @ts-ignore served by ComfyUI
import { api } from "../../scripts/api.js";
// @ts-ignore served by ComfyUI
import { app } from "../../scripts/app.js";
import { loadBody } from "./pose_editor/body.js";
import { MountedEditor } from "./pose_editor/mount.js";

const WIDGET = "POSEXFER_POSE";
const HEIGHT = 460;
const SIZE = [512, 768];
/** @type {WeakMap<object, (output: any) => void>} */
const receivers = new WeakMap();

/**
 * Ask our part of the server.
 *
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 * @throws {Error} what the server says is wrong
 */
async function ask(path, options) {
  const answer = await api.fetchApi(`/posexfer/${path}`, options);
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Error(said.problem ?? `The server answered ${answer.status} to ${path}.`);
}

/** @param {string} path @param {object} content */
const post = (path, content) => ask(path, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content),
});

/** @param {string} name */
const named = (name) => new URLSearchParams({ name });

/** @type {import("./pose_editor/library.js").PoseShelf} */
const poses = {
  list: async () => (await (await ask("poses")).json()).poses,
  load: async (name) => (await ask(`pose?${named(name)}`)).json(),
  save: async (name, document, size) => (await (await post("poses", { name, document, size })).json()).name,
  remove: async (name) => { await ask(`poses?${named(name)}`, { method: "DELETE" }); },
  async read(file) {
    const form = new FormData();
    form.append("image", file); // the page's own upload: any file, into its input folder
    const answer = await api.fetchApi("/upload/image", { method: "POST", body: form });
    if (!answer.ok) throw new Error(`The server answered ${answer.status} to the upload of ${file.name}.`);
    const { name, subfolder } = await answer.json();
    return poses.load(["input", subfolder, name].filter(Boolean).join("/"));
  },
};

/** Tell the page that a value changed by a button or a key; it only watches the mouse. */
function noteChange() {
  const tracker = app.extensionManager?.workflow?.activeWorkflow?.changeTracker;
  (tracker?.captureCanvasState ?? tracker?.checkState)?.call(tracker);
}

const GRAPH_MOUSE = {
  pointerdown: "processMouseDown", pointermove: "processMouseMove", pointerup: "processMouseUp",
};

/**
 * @param {any} node of the graph
 * @param {string} name of the input
 * @param {any} spec of the input
 */
function addEditor(node, name, spec) {
  let lastSize = SIZE;
  const numbers = ["width", "height"];
  /** @param {string} wanted */
  const find = (wanted) => node.widgets?.find((one) => one.name === wanted);
  const mounted = new MountedEditor({
    pictureSize: () => /** @type {[number, number]} */ (
      numbers.map((number, axis) => Number(find(number)?.value) || lastSize[axis])),
    changed: (text) => {
      widget.callback?.(text);
      node.graph?.setDirtyCanvas?.(true, false);
      noteChange();
    },
    isLinked: () => Boolean(node.inputs?.some((one) => one.name === name && one.link != null)),
    twins: async (request) => (await post("twins", request)).json(),
    passWheel: (event) => {
      event.preventDefault();
      event.stopPropagation();
      app.canvas.processMouseWheel(event);
    },
    passMiddle: (event) => app.canvas[GRAPH_MOUSE[event.type]]?.(event),
    poses,
  }, (query) => loadBody(async (asked) => (await ask(`body?${asked}`)).arrayBuffer(), query));
  const widget = node.addDOMWidget(name, WIDGET, mounted.element, {
    getValue: () => mounted.value,
    setValue: (text) => { mounted.value = text ?? ""; },
    getMinHeight: () => HEIGHT,
    hideOnZoom: false,
  });
  widget.mounted = mounted; // for other extensions and for tests
  mounted.value = spec?.[1]?.default ?? "";
  receivers.set(node, (output) => {
    const [given] = output?.posexfer_editor ?? [];
    if (!given) return;
    lastSize = given.size;
    const backdrop = given.backdrop && api.apiURL(`/view?${new URLSearchParams(given.backdrop)}`);
    mounted.receive({ ...given, backdrop });
  });
  follow(node, "onExecuted", (output) => receivers.get(node)?.(output));
  follow(node, "onConnectionsChange", () => mounted.editor?.refresh());
  follow(node, "onRemoved", () => mounted.destroy());
  for (const number of numbers) {
    const size = find(number);
    if (size) follow(size, "callback", () => mounted.editor?.refresh());
  }
  return { widget, minWidth: 440, minHeight: 700 };
}

/** Call a function after a method of an object. @param {any} object @param {string} name @param {(...given: any[]) => void} then */
function follow(object, name, then) {
  const before = object[name];
  object[name] = function (...given) {
    const result = before?.apply(this, given);
    then(...given);
    return result;
  };
}

/** The page counts and pinches all touches on their way down; those of an editor are not its own. */
function keepTouches() {
  for (const name of ["touchstart", "touchmove", "touchend", "touchcancel"]) {
    window.addEventListener(name, (event) => {
      if (event.target instanceof Element && event.target.closest(".posexfer-editor")) event.stopPropagation();
    }, { capture: true, passive: true });
  }
}

app.registerExtension({
  name: "posexfer.PoseEditor",
  setup: keepTouches,
  getCustomWidgets: () => ({ [WIDGET]: addEditor }),
  /** The page makes nodes anew when it undoes; what they said when they ran is still there. */
  loadedGraphNode(/** @type {any} */ node) {
    receivers.get(node)?.(app.nodeOutputs?.[node.id]);
  },
});
