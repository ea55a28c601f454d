/**
 * The editor's value: poses and a camera as JSON, the same as `posexfer_core/body/pose_document.py`
 * reads. Radians, metres, world y up, the body at rest facing +z.
 *
 * @typedef {import("./body.js").Body} Body
 * @typedef {import("./camera.js").CameraState} CameraState
 *
 * @typedef {object} Frame
 * @property {number[][]} pose axis-angle of SMPL's 24 joints, each in its parent's frame
 * @property {number[]} transl shift of the posed body
 * @property {number[][]} [fingers] axis-angle of 30 joints in SMPL-X's order; at rest without
 *
 * @typedef {object} PoseDocument
 * @property {1} version
 * @property {Frame[]} frames one or more
 * @property {CameraState} [camera] the input's own, or the standard one, when left out
 * @property {number[]} [betas] ten numbers of the bundled body's shape, where the node has no
 *   input body; the mean when left out
 */

export const VERSION = 1;
export const MOST_FRAMES = 256;
export const MOST_CHARACTERS = 1_000_000;
export const LARGEST = 1e4;

const DIGITS = 6;
const KEYS = ["version", "frames", "camera", "betas"];
const FRAME_KEYS = ["pose", "transl", "fingers"];
const CAMERA_KEYS = ["yaw", "pitch", "distance", "target", "fov_deg", "centre", "pixel_aspect"];

/** What is wrong with a text, in three lines: found, expected, what to do. */
export class DocumentError extends Error {
  /** @param {string} found @param {string} expected */
  constructor(found, expected) {
    super([found, expected, "Reset the editor, or repair the text."].join("\n"));
    this.name = "DocumentError";
  }
}

/**
 * Read a value that is not empty.
 *
 * @param {string} text
 * @returns {PoseDocument}
 * @throws {DocumentError} the text is something else
 */
export function parseDocument(text) {
  if (text.length > MOST_CHARACTERS) {
    throw new DocumentError(
      `Found ${text.length} characters.`, `Expected at most ${MOST_CHARACTERS}.`,
    );
  }
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    throw new DocumentError(
      `Found no JSON: ${text.slice(0, 40)}`, "Expected the JSON text of a pose.",
    );
  }
  checkKeys(found, KEYS, "the document");
  if (found.version !== VERSION) {
    throw new DocumentError(
      `Found version ${JSON.stringify(found.version)}.`, `Expected version ${VERSION}.`,
    );
  }
  const { frames, camera, betas } = found;
  const count = Array.isArray(frames) ? frames.length : 0;
  if (count < 1 || count > MOST_FRAMES) {
    throw new DocumentError(
      `Found ${count} frames.`, `Expected a list of 1 to ${MOST_FRAMES} in "frames".`,
    );
  }
  frames.forEach(checkFrame);
  if (betas !== undefined) check(betas, [10], "betas");
  if (camera !== undefined) checkCamera(camera);
  return found;
}

function checkFrame(frame, number) {
  const where = `frames[${number}]`;
  checkKeys(frame, FRAME_KEYS, where);
  check(frame.pose, [24, 3], `${where}.pose`);
  check(frame.transl, [3], `${where}.transl`);
  if (frame.fingers !== undefined) check(frame.fingers, [30, 3], `${where}.fingers`);
}

function checkCamera(camera) {
  checkKeys(camera, CAMERA_KEYS, "camera");
  for (const name of ["yaw", "pitch", "distance", "fov_deg"]) check(camera[name], [], `camera.${name}`);
  check(camera.target, [3], "camera.target");
  if (camera.centre !== undefined) check(camera.centre, [2], "camera.centre");
  if (camera.pixel_aspect !== undefined) check(camera.pixel_aspect, [], "camera.pixel_aspect");
  const { distance, fov_deg: fov, pixel_aspect: aspect = 1 } = camera;
  if (!(distance > 0 && fov >= 1 && fov <= 170 && aspect > 0)) {
    throw new DocumentError(
      `Found camera.distance ${distance}, fov_deg ${fov}, pixel_aspect ${aspect}.`,
      "Expected a distance and an aspect above 0, and 1 to 170 degrees.",
    );
  }
}

function checkKeys(found, known, where) {
  const plain = typeof found === "object" && found !== null && !Array.isArray(found);
  const other = plain ? Object.keys(found).filter((key) => !known.includes(key)) : [];
  if (plain && !other.length) return;
  throw new DocumentError(
    plain ? `Found ${other.join(", ")} in ${where}.` : `Found ${JSON.stringify(found)?.slice(0, 40)} for ${where}.`,
    `Expected an object of ${known.join(", ")}.`,
  );
}

/** Refuse what is not numbers of this shape; [] is one number. */
function check(found, shape, where) {
  const fits = (value, sizes) => (sizes.length
    ? Array.isArray(value) && value.length === sizes[0] && value.every((one) => fits(one, sizes.slice(1)))
    : typeof value === "number" && Math.abs(value) <= LARGEST);
  if (fits(found, shape)) return;
  throw new DocumentError(
    `Found ${JSON.stringify(found)?.slice(0, 40)} in ${where}.`,
    `Expected ${shape.length ? `${shape.join(" x ")} numbers` : "a number"} of at most ${LARGEST}.`,
  );
}

/**
 * Write a value. The camera is left out while it is the start's own: the node then draws with the
 * input's exact lens.
 *
 * @param {PoseDocument} document
 * @param {PoseDocument} start of the input, or `standing`
 * @returns {string}
 */
export function writeDocument(document, start) {
  const { version, frames, camera, betas } = document;
  const own = camera && JSON.stringify(rounded(camera)) !== JSON.stringify(rounded(start.camera));
  return JSON.stringify(rounded({ version, frames, camera: own ? camera : undefined, betas }));
}

function rounded(value) {
  if (typeof value === "number") return Number(value.toFixed(DIGITS));
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, rounded(one)]));
}

/**
 * What an editor starts from without an input.
 *
 * @param {Body} body
 * @returns {PoseDocument}
 */
export function standing(body) {
  const frame = { pose: structuredClone(body.standing), transl: [0, 0, 0] };
  return { version: VERSION, frames: [frame], camera: structuredClone(body.camera) };
}

/**
 * Take a pose from elsewhere (the library, the clipboard) while the pelvis stays.
 *
 * @param {Frame} here what is edited
 * @param {Frame} found the pose wanted
 * @returns {Frame} the pose and fingers of `found` at the place of `here`
 */
export function adoptPose(here, found) {
  const fingers = found.fingers ?? here.fingers;
  const frame = { pose: structuredClone(found.pose), transl: [...here.transl] };
  return fingers ? { ...frame, fingers: structuredClone(fingers) } : frame;
}

/**
 * What undo goes back to: poses and the tab that is open, not the camera.
 *
 * @param {PoseDocument} document
 * @param {number} active number of the open frame
 * @returns {string}
 */
export function poseState(document, active) {
  const { frames, betas } = document;
  return JSON.stringify({ frames, betas, active });
}

/**
 * Go back to a state; the camera stays.
 *
 * @param {PoseDocument} document
 * @param {string} state of `poseState`
 * @returns {{ document: PoseDocument, active: number }}
 */
export function withPoseState(document, state) {
  const { frames, betas, active } = JSON.parse(state);
  return { document: { ...document, frames, betas }, active };
}
