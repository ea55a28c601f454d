/** How the body looks, with a graphics card and without: colours and shares from 0 to 1. */

import * as r from "./rotations.js";

/** How dark the shadow is. */
export const SHADOW = 0.28;
export const CLAY = [0.9, 0.875, 0.845];
/** The lamp: where it is, seen from the camera, and its colour. */
export const KEY_FROM = r.unit([-0.45, 0.7, 0.6]);
export const KEY = [0.6, 0.575, 0.54];
/** Light from below and from above. */
export const GROUND = [0.3, 0.28, 0.28];
export const SKY = [0.46, 0.49, 0.54];
/** Darker where the surface turns away, so that an arm stands out from the chest behind it. */
export const EDGE = { away: 0.45, facing: 1.05, from: 0.6 };
