/**
 * What is painted in 2D round the body: floor, frame, bones, joints, rings, marks. Lengths are the
 * canvas's CSS pixels.
 *
 * @typedef {import("./rings.js").Ring} Ring
 * @typedef {import("./rotations.js").Vector} Vector
 * @typedef {import("./session.js").Session} Session
 * @typedef {import("./view.js").View} View
 * @typedef {CanvasRenderingContext2D} Context
 *
 * @typedef {object} Marks what the overlay shows of the joints
 * @property {number} chosen joint; -1 for none
 * @property {number} hover joint under the cursor; -1 for none
 * @property {number[]} shown joints that have a marker
 * @property {number[]} strained joints beyond their limits
 * @property {number} size factor of the markers
 */

import { BODY_JOINTS, limbOf } from "./body.js";

export const COLOURS = {
  chosen: "#ffb454",
  reach: "#38d0f2",
  middle: "#f4f1ea",
  l_: "#8cb8ff",
  r_: "#ff9e8c",
  strained: "#ff4d5e",
  axes: ["#ff5d62", "#74d66b", "#5b9dff"],
};
const GRID = 0.5;
const REACHES = 4;
const MARK = 9;
const MARK_OFF = [15, -15];

/** The sides' colours, which bones and joints share. @param {string} name */
const sideColour = (name) => COLOURS[name.slice(0, 2)] ?? COLOURS.middle;

/** Say a joint's name in full: "left elbow". @param {string} name */
export const spoken = (name) =>
  name.replace(/^l_/, "left ").replace(/^r_/, "right ").replace(/_/g, " ").replace(/(\d)/, " $1");

/** @param {Context} c @param {number[][]} points */
function line(c, points) {
  c.beginPath();
  points.forEach(([x, y], i) => (i ? c.lineTo(x, y) : c.moveTo(x, y)));
  c.stroke();
}

/** @param {Context} c @param {number} width @param {number} height */
export function paintBackground(c, width, height) {
  const light = c.createRadialGradient(
    width / 2, height * 0.4, 0, width / 2, height * 0.4, Math.max(width, height) * 0.75,
  );
  light.addColorStop(0, "#41454d");
  light.addColorStop(1, "#202226");
  c.fillStyle = light;
  c.fillRect(0, 0, width, height);
}

/**
 * A grid on the floor round the body; it fades with the distance from it.
 *
 * @param {Context} c
 * @param {View} view
 * @param {Vector} middle of the grid; its height is the floor's
 */
export function paintFloor(c, view, [x, floor, z]) {
  const [left, back] = [x, z].map((at) => Math.round(at / GRID));
  const steps = Array.from({ length: 2 * REACHES + 1 }, (_, i) => i - REACHES);
  const grid = steps.map((i) => steps.map((k) => view.project([(left + i) * GRID, floor, (back + k) * GRID])));
  c.strokeStyle = "#9aa3b2";
  c.lineWidth = 1;
  for (const [i, across] of steps.entries()) {
    for (const [k, along] of steps.slice(1).entries()) {
      c.globalAlpha = 0.26 * Math.max(0, 1 - Math.hypot(across, along - 0.5) / REACHES);
      for (const ends of [[grid[i][k], grid[i][k + 1]], [grid[k][i], grid[k + 1][i]]]) {
        if (ends.every((end) => end[2] > 0.1)) line(c, ends);
      }
    }
  }
  c.globalAlpha = 1;
}

/** Darken what lies outside of the picture. @param {Context} c @param {View} view */
export function paintFrame(c, view) {
  const [width, height] = view.canvas;
  const [x, y, w, h] = view.frame;
  c.fillStyle = "rgba(15,16,19,.5)";
  c.beginPath();
  c.rect(0, 0, width, height);
  c.rect(x, y, w, h);
  c.fill("evenodd");
  c.strokeStyle = "rgba(255,255,255,.55)";
  c.lineWidth = 1;
  c.strokeRect(x, y, w, h);
}

/**
 * The picture's camera as it stands in the world, for views from elsewhere.
 *
 * @param {Context} c
 * @param {View} view
 */
export function paintCamera(c, view) {
  const { picture } = view;
  const [w, h] = picture.size;
  const eye = view.project(picture.eye);
  const corners = [[0, 0], [w, 0], [w, h], [0, h]].map(([x, y]) =>
    view.project(picture.unproject(x, y, 0.12 * picture.state.distance)));
  if ([eye, ...corners].some((point) => point[2] < 0.1)) return;
  c.strokeStyle = "rgba(255,180,84,.75)";
  c.lineWidth = 1.25;
  line(c, [...corners, corners[0]]);
  for (const corner of corners) line(c, [eye, corner]);
}

/**
 * Bones and joints.
 *
 * @param {Context} c
 * @param {View} view
 * @param {Session} session
 * @param {Marks} marks
 */
export function paintSkeleton(c, view, { body, skeleton, pinned }, marks) {
  const points = skeleton.places.map((place) => view.project(place));
  c.lineWidth = 1.75;
  c.lineCap = "round";
  c.globalAlpha = 0.5;
  for (const joint of marks.shown) {
    const above = body.parents[joint];
    if (above < 0) continue;
    c.strokeStyle = sideColour(body.names[joint]);
    line(c, [points[above], points[joint]]);
  }
  c.globalAlpha = 1;
  const ends = new Map(Object.entries(body.limbs).map(([limb, chain]) => [chain[2], limb]));
  const nearLast = [...marks.shown].sort((a, b) => points[b][2] - points[a][2]);
  for (const joint of nearLast) {
    const [x, y] = points[joint];
    const limb = ends.get(joint);
    const isHandle = limb !== undefined || joint === 0;
    const isFinger = joint >= BODY_JOINTS;
    const grown = joint === marks.hover || joint === marks.chosen ? 1.3 : 1;
    const radius = (isFinger ? 2.8 : isHandle ? 6.5 : 4.2) * marks.size * grown;
    c.beginPath();
    if (limb && pinned.has(limb)) c.roundRect(x - radius, y - radius, 2 * radius, 2 * radius, 2);
    else c.arc(x, y, radius, 0, 7);
    c.fillStyle = joint === marks.chosen ? COLOURS.chosen
      : isHandle ? COLOURS.reach : sideColour(body.names[joint]);
    c.fill();
    c.strokeStyle = marks.strained.includes(joint) ? COLOURS.strained : "rgba(16,17,20,.85)";
    c.lineWidth = marks.strained.includes(joint) ? 2.5 : 1.25;
    c.stroke();
  }
}

/** Name a joint beside it. @param {Context} c @param {View} view @param {Vector} place @param {string} text */
export function paintLabel(c, view, place, text) {
  const [x, y] = view.project(place);
  c.font = "11px system-ui, sans-serif";
  const width = c.measureText(text).width + 12;
  const left = Math.min(x + 12, view.canvas[0] - width - 4);
  c.fillStyle = "rgba(18,19,23,.86)";
  c.beginPath();
  c.roundRect(left, y - 27, width, 18, 5);
  c.fill();
  c.fillStyle = "#f4f1ea";
  c.fillText(text, left + 6, y - 14);
}

/**
 * @param {Context} c
 * @param {Ring[]} rings
 * @param {number} held axis of the ring that is dragged or hovered; -1 for none
 */
export function paintRings(c, rings, held) {
  for (const { points, axis } of rings) {
    c.strokeStyle = COLOURS.axes[axis];
    c.lineWidth = held === axis ? 4 : 2.25;
    for (let i = 1; i < points.length; i++) {
      c.globalAlpha = points[i].isFront ? (held < 0 || held === axis ? 1 : 0.4) : 0.16;
      line(c, [points[i - 1].at, points[i].at]);
    }
  }
  c.globalAlpha = 1;
}

/**
 * Where the marks of limbs that have a depth twin lie: beside hand or foot.
 *
 * @param {View} view
 * @param {Session} session
 * @param {Record<string, unknown>} twins by limb; null where there is none
 */
export function twinMarks(view, { body, skeleton }, twins) {
  return Object.keys(body.limbs).filter((limb) => twins[limb]).map((limb) => {
    const [x, y] = view.project(skeleton.places[body.limbs[limb][2]]);
    const side = limb.startsWith("left") ? 1 : -1;
    return { limb, at: [x + side * MARK_OFF[0], y + MARK_OFF[1]], radius: MARK };
  });
}

/** Two arrows, to and from the eye. @param {Context} c @param {ReturnType<typeof twinMarks>} marks @param {string | null} held */
export function paintTwinMarks(c, marks, held) {
  for (const { limb, at: [x, y], radius } of marks) {
    c.beginPath();
    c.arc(x, y, radius, 0, 7);
    c.fillStyle = limb === held ? COLOURS.chosen : "rgba(28,30,36,.88)";
    c.fill();
    c.strokeStyle = limb === held ? "#1b1c20" : COLOURS.chosen;
    c.lineWidth = 1.4;
    c.stroke();
    for (const way of [-1, 1]) {
      const [stem, tip] = [x + 2.6 * way, y - 4.6 * way];
      line(c, [[stem, y + 4 * way], [stem, tip]]);
      line(c, [[stem - 2.2, tip + 2.4 * way], [stem, tip], [stem + 2.2, tip + 2.4 * way]]);
    }
  }
}

/** Joints of a limb as they were in the picture before its depth was flipped. @param {Context} c @param {View} view @param {number[][]} pixels */
export function paintSame2d(c, view, pixels) {
  const [left, top] = view.frame;
  const at = pixels.map(([x, y]) => [left + view.scale * x, top + view.scale * y]);
  c.strokeStyle = "#ffffff";
  c.lineWidth = 1.5;
  c.setLineDash([4, 3]);
  line(c, at);
  c.setLineDash([]);
  for (const [x, y] of at) {
    c.beginPath();
    c.arc(x, y, 10, 0, 7);
    c.stroke();
  }
}

/**
 * The colour of each joint's part of the body.
 *
 * @param {Session} session
 * @param {number} chosen
 * @param {number} hover
 * @returns {number[][]} red, green, blue and share
 */
export function tintsOf({ body }, chosen, hover) {
  const limb = chosen < 0 ? null : limbOf(body, chosen);
  return body.names.map((_, joint) => {
    if (joint === chosen) return [1, 0.66, 0.25, 0.75];
    if (joint === hover) return [1, 0.8, 0.55, 0.4];
    if (limb && limbOf(body, joint) === limb) return [1, 0.8, 0.55, 0.22];
    return [0, 0, 0, 0];
  });
}

/** The middle of the grid: below the pelvis, on the floor. @param {Session} session @returns {Vector} */
export const floorMiddle = ({ skeleton: { places: [[x, , z]] }, floor }) => [x, floor, z];
