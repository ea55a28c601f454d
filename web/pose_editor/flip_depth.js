/**
 * Depth flips: the other place of a limb with the same joints in the picture. The server finds
 * them (`posexfer_core/body/depth_flip.py`); here is what it is asked and what becomes of it.
 *
 * @typedef {import("./document.js").Frame} Frame
 * @typedef {import("./skeleton.js").Skeleton} Skeleton
 *
 * @typedef {Record<string, { pose: number[][], depth_change_m: number } | null>} Twins by limb;
 *   null where a limb has no other place
 */

import { BODY_JOINTS } from "./body.js";

/**
 * Describe the pose and the camera that twins are wanted of.
 *
 * @param {Skeleton} skeleton
 * @param {import("./camera.js").Camera} camera
 * @returns {object} the body of `POST /posexfer/twins`, to be sent as JSON
 */
export function twinsRequest(skeleton, camera) {
  const { pose, transl } = skeleton.write();
  return { pose, transl, camera: camera.state, size: camera.size, rest: skeleton.body.rest.slice(0, BODY_JOINTS) };
}

/**
 * Take a twin over.
 *
 * @param {Skeleton} skeleton posed as it was when the twins were asked for
 * @param {{ pose: number[][] }} twin
 */
export function takeTwin(skeleton, twin) {
  const { transl, fingers } = skeleton.write();
  skeleton.read({ pose: twin.pose, transl, fingers });
}
