/**
 * Draws bodies into 2D canvases: by the graphics card, or by the page's own processor where there
 * is no card, the browser imitates one, or it is lost for a while.
 *
 * @typedef {import("./renderer.js").Scene} Scene
 */

import { sharedRenderer } from "./renderer.js";
import { SoftwareRenderer } from "./software_renderer.js";
import { make } from "./toolbar.js";

/** @type {{ renderer: SoftwareRenderer, context: CanvasRenderingContext2D | null } | null} */
let spare = null;

/** Draw bodies over what a canvas shows. @param {CanvasRenderingContext2D} context @param {Scene} scene */
export function paintBodies(context, scene) {
  if (!sharedRenderer().draw(context, scene)) drawWithoutCard(context, scene);
}

/** @param {CanvasRenderingContext2D} context @param {Scene} scene */
function drawWithoutCard(context, scene) {
  spare ??= {
    renderer: new SoftwareRenderer(),
    context: make("canvas").getContext("2d", { willReadFrequently: true }),
  };
  const { width, height, pixels } = spare.renderer.paint(scene, context.canvas.width, context.canvas.height);
  const { context: between } = spare;
  if (!between) return;
  if (between.canvas.width !== width) between.canvas.width = width;
  if (between.canvas.height !== height) between.canvas.height = height;
  between.putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), width, height), 0, 0);
  context.drawImage(between.canvas, 0, 0);
}
