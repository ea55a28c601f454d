/** What `tests/web/test_pose_editor.py` has written: bodies, poses, and what Python makes of them. */

import { readFileSync } from "node:fs";
import path from "node:path";

import { readBody } from "../../web/pose_editor/body.js";
import { Skeleton } from "../../web/pose_editor/skeleton.js";

const folder = process.env.POSEXFER_WEB_CASES;
if (!folder) throw new Error("POSEXFER_WEB_CASES is not set; run pytest tests/web.");

/** @param {string} name */
export function bodyOf(name) {
  const bytes = readFileSync(path.join(folder, name));
  return readBody(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

export const body = bodyOf("body.bin");
export const cases = JSON.parse(readFileSync(path.join(folder, "cases.json"), "utf8"));

/** The skeleton of a case, in its pose and shape. */
export function posed({ rest, frame }) {
  const skeleton = new Skeleton({ ...body, rest });
  skeleton.read(frame);
  return skeleton;
}

/** Random numbers from 0 to 1, the same in every run (Mulberry32). */
export function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
