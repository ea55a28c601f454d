/**
 * Asks the server which limbs have a depth twin, whenever the pose has come to rest.
 *
 * @typedef {import("./editor.js").PoseEditor} PoseEditor
 */

import { twinsRequest } from "./flip_depth.js";

const REST_MS = 150;

export class TwinFinder {
  /** @param {PoseEditor} editor */
  constructor(editor) {
    this.editor = editor;
    /** @type {import("./flip_depth.js").Twins} */
    this.twins = {};
    this.asked = "";
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  stop() {
    clearTimeout(this.timer);
  }

  /** Ask anew if pose or camera differ from what was asked last. */
  ask() {
    const { gestures, host, isLocked, session } = this.editor;
    if (gestures?.drag || isLocked) return;
    const request = twinsRequest(session.skeleton, session.camera);
    const asked = JSON.stringify(request);
    if (asked === this.asked) return;
    this.asked = asked;
    this.twins = {};
    this.stop();
    this.timer = setTimeout(async () => {
      try {
        const twins = await host.twins(request);
        if (asked !== this.asked) return;
        this.twins = twins;
      } catch {
        if (asked === this.asked) this.asked = ""; // without a server there are no marks; the next change asks again
        return;
      }
      this.editor.refresh();
    }, REST_MS);
  }
}
