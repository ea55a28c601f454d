/**
 * The body that the editor shows: mesh, joints and tables, as the server packs them
 * (`posexfer_core/export/editor_body.py`). Metres, y up, facing +z, the person's left at +x.
 *
 * @typedef {import("./rotations.js").Vector} Vector
 * @typedef {import("./camera.js").CameraState} CameraState
 *
 * @typedef {object} Limit the range of each part of a joint's axis-angle vector, radians
 * @property {Vector} lower
 * @property {Vector} upper
 *
 * @typedef {object} Body
 * @property {string[]} names of the joints: SMPL's 24, then 30 of the fingers where it has them
 * @property {number[]} parents the joint that each hangs on; -1 for the pelvis
 * @property {number[]} mirrored the joint on the other side, itself in the middle
 * @property {number[]} follows for the first joint of each finger the hand whose turn it shares;
 *   -1 for all others
 * @property {Record<string, number[]>} limbs root, middle, end and tip of left_arm, right_arm,
 *   left_leg and right_leg
 * @property {(Limit | null)[]} limits of each joint; null where it is free
 * @property {Vector[]} standing the pose of 24 joints to start from without an input
 * @property {CameraState} camera the camera to start from without an input
 * @property {Vector[]} rest each joint at rest
 * @property {Float32Array} positions of the vertices at rest, 3 numbers each
 * @property {Float32Array} normals
 * @property {Uint8Array} joints the four joints that move each vertex most
 * @property {Uint8Array} weights of those four, 255 in all
 * @property {Uint16Array | Uint32Array} faces three vertices each
 */

/** SMPL's joints; those of the fingers follow. */
export const BODY_JOINTS = 24;

const MAGIC = "posexfer";

/** @type {Map<string, Promise<Body>>} */
const loaded = new Map();

/**
 * Load a body once for all editors of the page.
 *
 * @param {(query: string) => Promise<ArrayBuffer>} fetchBytes asks `/posexfer/body?query`
 * @param {string} [query] what the node said; the bundled body of mean shape when left out
 * @returns {Promise<Body>}
 */
export function loadBody(fetchBytes, query = "") {
  let body = loaded.get(query);
  if (!body) {
    body = fetchBytes(query).then(readBody);
    loaded.set(query, body);
    body.catch(() => loaded.delete(query));
  }
  return body;
}

/**
 * Unpack a body: magic, length of the header, the header as JSON, then the arrays one after
 * another, little-endian, each from a multiple of 4.
 *
 * @param {ArrayBuffer} buffer
 * @returns {Body}
 */
export function readBody(buffer) {
  const text = new TextDecoder();
  const size = buffer.byteLength < 12 ? 0 : new DataView(buffer).getUint32(8, true);
  if (text.decode(new Uint8Array(buffer, 0, Math.min(8, buffer.byteLength))) !== MAGIC) {
    throw new Error("The server sent something else than a body.");
  }
  const { vertices, faces, ...tables } = JSON.parse(text.decode(new Uint8Array(buffer, 12, size)));
  let at = 12 + size;
  /**
   * @template T
   * @param {{ new (buffer: ArrayBuffer, at: number, count: number): T, BYTES_PER_ELEMENT: number }} Kind
   * @param {number} count
   * @returns {T}
   */
  const take = (Kind, count) => {
    at = Math.ceil(at / 4) * 4;
    const array = new Kind(buffer, at, count);
    at += count * Kind.BYTES_PER_ELEMENT;
    return array;
  };
  const rest = take(Float32Array, 3 * tables.names.length);
  return {
    ...tables,
    rest: tables.names.map((_, joint) => Array.from(rest.subarray(3 * joint, 3 * joint + 3))),
    positions: take(Float32Array, 3 * vertices),
    normals: take(Float32Array, 3 * vertices),
    joints: take(Uint8Array, 4 * vertices),
    weights: take(Uint8Array, 4 * vertices),
    faces: vertices > 0xffff ? take(Uint32Array, 3 * faces) : take(Uint16Array, 3 * faces),
  };
}

/**
 * The limb that a joint belongs to.
 *
 * @param {Body} body
 * @param {number} joint
 * @returns {string | null} a name in `body.limbs`; null for the trunk and the head
 */
export function limbOf(body, joint) {
  for (let up = joint; up > 0; up = body.parents[up]) {
    for (const [name, chain] of Object.entries(body.limbs)) if (chain[0] === up) return name;
  }
  return null;
}
