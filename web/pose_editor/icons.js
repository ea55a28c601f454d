/** Line drawings of the toolbar, 24 by 24, as SVG paths. */

const PATHS = {
  undo: "M8 5 4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11H9",
  redo: "m16 5 4 4-4 4M20 9H10a5.5 5.5 0 0 0 0 11h5",
  resetJoint: "M5.5 9.5a7 7 0 1 1-.5 4M5 4.5v5h5M12 10.7a1.4 1.4 0 1 0 .01 0z",
  resetPose: "M12 3a2.2 2.2 0 1 0 .01 0zM4 10h16M12 10v5M12 15l-4 6M12 15l4 6",
  mirror: "M12 3v18M9 7 3 17h6zM15 7l6 10h-6z",
  copySide: "M12 3v18M3 8h5v8H3zM15 12h6M18 8.5l3.5 3.5-3.5 3.5",
  symmetry: "M12 3v18M9 12H2.5M6 8.5 2.5 12 6 15.5M15 12h6.5M18 8.5l3.5 3.5-3.5 3.5",
  flip: "M3.5 9.5h11v11h-11zM9.5 6V3.5h11v11H18",
  pin: "M9 3h6l-1 7 4 4H6l4-4zM12 14v7",
  floor: "M3 20.5h18M12 3v13M7.5 11.5 12 16l4.5-4.5",
  lock: "M6 11h12v9.5H6zM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11",
  views: "m12 3 8 4.5v9L12 21l-8-4.5v-9zM12 12l8-4.5M12 12v9M12 12 4 7.5",
  picture: "M3.5 5h17v14h-17zM3.5 16l5-5 4 4 3-3 5 5M15.5 8.2a1.3 1.3 0 1 0 .01 0z",
  joints: "M6 4.5a2 2 0 1 0 .01 0zM17 9.5a2 2 0 1 0 .01 0zM10 17a2 2 0 1 0 .01 0zM7.8 7.3l7.3 3.3M15.7 13l-4.3 4.7",
  library: "M4 4h5v16H4zM9 4h5v16H9M14.5 5.5l4-1L22 18.8l-4 1z",
  fullscreen: "M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7",
  help: "M12 3a9 9 0 1 0 .01 0zM9.3 9.5a2.7 2.7 0 1 1 3.9 2.4c-.9.5-1.2 1-1.2 2M12 17v.1",
  snap: "M4 20.5V4M4 20.5h16.5M4 10a10.5 10.5 0 0 1 10.5 10.5M8 5.5l.1 0M13 7.5l.1 0M17 11.5l.1 0",
  close: "M6 6l12 12M18 6 6 18",
  add: "M12 5v14M5 12h14",
};

/** @typedef {keyof typeof PATHS} IconName */

/** Draw an icon in the colour of the text round it. @param {IconName} name */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name]);
  drawing.append(path);
  return drawing;
}
