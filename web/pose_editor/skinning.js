/**
 * Linear blend skinning: where the vertices of a mesh are in a pose.
 *
 * @typedef {Pick<import("./body.js").Body, "positions" | "normals" | "joints" | "weights" | "faces">} Mesh
 */

/**
 * @param {Mesh} mesh
 * @param {Float32Array} rows of `Skeleton.skinning`: 3 rows of 4 numbers a joint
 * @param {Float32Array} places is written: 3 numbers a vertex, metres
 * @param {Float32Array} normals is written: 3 numbers a vertex, not of unit length
 */
export function skin(mesh, rows, places, normals) {
  const { positions, normals: rest, joints, weights } = mesh;
  const blended = new Float64Array(12);
  for (let i = 0; i < positions.length; i += 3) {
    blended.fill(0);
    const four = (4 * i) / 3;
    for (let k = four; k < four + 4; k++) {
      const [weight, from] = [weights[k] / 255, 12 * joints[k]];
      if (weight) for (let n = 0; n < 12; n++) blended[n] += weight * rows[from + n];
    }
    const [x, y, z] = [positions[i], positions[i + 1], positions[i + 2]];
    const [u, v, w] = [rest[i], rest[i + 1], rest[i + 2]];
    for (let k = 0; k < 3; k++) {
      const [a, b, c, shift] = [blended[4 * k], blended[4 * k + 1], blended[4 * k + 2], blended[4 * k + 3]];
      places[i + k] = a * x + b * y + c * z + shift;
      normals[i + k] = a * u + b * v + c * w;
    }
  }
}
