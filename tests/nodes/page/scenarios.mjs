/** What is done in the page, by name; each gives facts that the Python test holds against values. */

import { lostContext, many, noWebgl, speed } from "./drawing.mjs";
import { edit, photo, shortcuts, touch } from "./editing.mjs";
import { files, library, people, template } from "./poses.mjs";

export const SCENARIOS = {
  edit: { drive: edit },
  photo: { drive: photo },
  shortcuts: { drive: shortcuts },
  many: { drive: many, options: { card: true } },
  lost_context: { drive: lostContext, options: { card: true } },
  no_webgl: { drive: noWebgl, options: { flags: ["--disable-3d-apis"] } },
  touch: { drive: touch, options: { touch: true, density: 2 } },
  library: { drive: library },
  files: { drive: files },
  people: { drive: people },
  speed: { drive: speed },
  pose_by_hand: { drive: (page) => template(page, "Pose by hand") },
  pose_your_own_photo: { drive: (page) => template(page, "Pose your own photo") },
};
