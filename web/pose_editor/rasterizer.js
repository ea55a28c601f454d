/** Triangles painted pixel by pixel, the nearest in front; a pixel shows what covers its middle. */

const NEAREST = 0.03;

export class Raster {
  /** @param {number} width pixels @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    /** Alpha, blue, green and red of each pixel, from the highest byte to the lowest. */
    this.pixels = new Uint32Array(width * height);
    /** Depth of what each pixel shows, metres. */
    this.depth = new Float32Array(width * height);
  }

  clear() {
    this.pixels.fill(0);
    this.depth.fill(Infinity);
  }

  /**
   * Paint the side of a surface on which its vertices run counter-clockwise; triangles that reach
   * behind the eye are left out.
   *
   * @param {Float32Array} places of vertices: x and y in pixels, y down, and depth in metres
   * @param {Float32Array} colours of vertices: red, green and blue, 0 to 255
   * @param {Uint16Array | Uint32Array} faces three vertices each
   * @param {number} alpha 0 to 255
   */
  paint(places, colours, faces, alpha) {
    const { width, height, pixels, depth } = this;
    for (let face = 0; face < faces.length; face += 3) {
      const i = 3 * faces[face], j = 3 * faces[face + 1], k = 3 * faces[face + 2];
      const ax = places[i], ay = places[i + 1], bx = places[j], by = places[j + 1], cx = places[k], cy = places[k + 1];
      const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
      if (!(area < 0) || Math.min(places[i + 2], places[j + 2], places[k + 2]) < NEAREST) continue;
      const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 0.5));
      const right = Math.min(width - 1, Math.floor(Math.max(ax, bx, cx) - 0.5));
      const top = Math.max(0, Math.ceil(Math.min(ay, by, cy) - 0.5));
      const bottom = Math.min(height - 1, Math.floor(Math.max(ay, by, cy) - 0.5));
      // The shares of a and b, and how much they grow from a pixel to the next one and the next row.
      const ux = (by - cy) / area, uy = (cx - bx) / area, vx = (cy - ay) / area, vy = (ax - cx) / area;
      for (let row = top; row <= bottom; row++) {
        let u = ux * (left + 0.5 - cx) + uy * (row + 0.5 - cy);
        let v = vx * (left + 0.5 - cx) + vy * (row + 0.5 - cy);
        for (let pixel = row * width + left; pixel <= row * width + right; pixel++, u += ux, v += vx) {
          const w = 1 - u - v;
          if (u < 0 || v < 0 || w < 0) continue;
          const z = u * places[i + 2] + v * places[j + 2] + w * places[k + 2];
          if (z >= depth[pixel]) continue;
          depth[pixel] = z;
          const red = 0.5 + u * colours[i] + v * colours[j] + w * colours[k];
          const green = 0.5 + u * colours[i + 1] + v * colours[j + 1] + w * colours[k + 1];
          const blue = 0.5 + u * colours[i + 2] + v * colours[j + 2] + w * colours[k + 2];
          pixels[pixel] = (alpha << 24) | (blue << 16) | (green << 8) | red;
        }
      }
    }
  }
}
