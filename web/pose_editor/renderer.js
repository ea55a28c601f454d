/**
 * Draws skinned bodies by WebGL2; one context serves every editor of the page.
 *
 * @typedef {import("./skinning.js").Mesh} Mesh
 *
 * @typedef {object} Posed one body of a picture
 * @property {Mesh} mesh
 * @property {Float32Array} rows what each joint does to the rest: 3 rows of 4 numbers a joint
 * @property {number[][]} tints red, green, blue and share of each joint's own colour
 *
 * @typedef {object} Scene what one picture shows
 * @property {Posed[]} bodies
 * @property {Float32Array} view from world to camera, columns, -z ahead
 * @property {Float32Array} projection from camera to clip space, columns
 * @property {number | null} floor height of the plane that the shadow falls on; null: no shadow
 */

import * as lighting from "./lighting.js";

/** Write a number or a vector for a shader. @param {number | number[]} value @returns {string} */
const glsl = (value) =>
  Array.isArray(value) ? `vec${value.length}(${value.map(glsl).join(", ")})` : value.toFixed(6);

const VERTEX = `#version 300 es
precision highp float;
layout(location = 0) in vec3 position;
layout(location = 1) in vec3 normal;
layout(location = 2) in uvec4 joints;
layout(location = 3) in vec4 weights;
uniform sampler2D bones;
uniform mat4 view;
uniform mat4 projection;
uniform float floorHeight;
uniform bool isShadow;
out vec3 facing;
out vec4 tint;
void main() {
  vec4 row0 = vec4(0), row1 = vec4(0), row2 = vec4(0);
  tint = vec4(0);
  float sum = dot(weights, vec4(1));
  for (int k = 0; k < 4; k++) {
    int joint = int(joints[k]);
    float weight = weights[k] / sum;
    row0 += weight * texelFetch(bones, ivec2(0, joint), 0);
    row1 += weight * texelFetch(bones, ivec2(1, joint), 0);
    row2 += weight * texelFetch(bones, ivec2(2, joint), 0);
    vec4 colour = texelFetch(bones, ivec2(3, joint), 0);
    tint += weight * vec4(colour.rgb * colour.a, colour.a);
  }
  vec4 place = vec4(position, 1);
  vec3 world = vec3(dot(row0, place), dot(row1, place), dot(row2, place));
  if (isShadow) world.y = floorHeight;
  facing = mat3(view) * vec3(dot(row0.xyz, normal), dot(row1.xyz, normal), dot(row2.xyz, normal));
  gl_Position = projection * view * vec4(world, 1);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec3 facing;
in vec4 tint;
uniform bool isShadow;
out vec4 colour;
void main() {
  if (isShadow) { colour = vec4(0, 0, 0, ${glsl(lighting.SHADOW)}); return; }
  vec3 n = normalize(facing);
  vec3 clay = ${glsl(lighting.CLAY)} * (1.0 - tint.a) + tint.rgb;
  float key = max(dot(n, ${glsl(lighting.KEY_FROM)}), 0.0);
  float sky = 0.5 + 0.5 * n.y;
  float front = max(n.z, 0.0);
  vec3 light = ${glsl(lighting.KEY)} * key + mix(${glsl(lighting.GROUND)}, ${glsl(lighting.SKY)}, sky);
  colour = vec4(clay * light * mix(${glsl(lighting.EDGE.away)}, ${glsl(lighting.EDGE.facing)}, smoothstep(0.0, ${glsl(lighting.EDGE.from)}, front)), 1);
}`;

/** What browsers call a graphics card that the processor imitates, many times slower than a page. */
const IMITATION = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** @type {Renderer | null} */
let shared = null;

/** Give the page's renderer, made on first use. */
export function sharedRenderer() {
  shared ??= new Renderer();
  return shared;
}

/** What the graphics card holds of one mesh, and of the bones that it is drawn with. */
class Buffers {
  /**
   * @param {WebGL2RenderingContext} gl
   * @param {Mesh} mesh
   */
  constructor(gl, mesh) {
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    [mesh.positions, mesh.normals, mesh.joints, mesh.weights].forEach((data, slot) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(slot);
      if (slot === 2) gl.vertexAttribIPointer(slot, 4, gl.UNSIGNED_BYTE, 0, 0);
      else if (slot === 3) gl.vertexAttribPointer(slot, 4, gl.UNSIGNED_BYTE, true, 0, 0);
      else gl.vertexAttribPointer(slot, 3, gl.FLOAT, false, 0, 0);
    });
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, mesh.faces, gl.STATIC_DRAW);
    this.count = mesh.faces.length;
    this.kind = mesh.faces.BYTES_PER_ELEMENT === 2 ? gl.UNSIGNED_SHORT : gl.UNSIGNED_INT;
  }
}

export class Renderer {
  constructor() {
    this.canvas = document.createElement("canvas");
    /** Called when the graphics card is lost and when it is back. @type {Set<() => void>} */
    this.listeners = new Set();
    /** @type {WeakMap<Mesh, Buffers>} */
    this.buffers = new WeakMap();
    this.canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault(); // or the browser never gives it back
      this.tell();
    });
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.build();
      this.tell();
    });
    const gl = this.canvas.getContext("webgl2", { alpha: true, antialias: true });
    /** Null without WebGL2, or where it is imitated. */
    this.gl = gl && !IMITATION.test(nameOf(gl)) ? gl : null;
    this.build();
  }

  tell() {
    for (const listener of this.listeners) listener();
  }

  /** Compile the shaders and make the texture of bones, anew after a loss. */
  build() {
    const gl = this.gl;
    if (!gl || gl.isContextLost()) return;
    this.buffers = new WeakMap();
    const program = gl.createProgram();
    for (const [kind, source] of /** @type {const} */ ([
      [gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT],
    ])) {
      const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(`The body's shader does not link: ${gl.getProgramInfoLog(program)}`);
    }
    gl.useProgram(program);
    /** @param {string} name */
    this.uniform = (name) => gl.getUniformLocation(program, name);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }

  /**
   * Draw the bodies and copy them into a 2D canvas of the same pixels.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Scene} scene
   * @returns {boolean} whether it was drawn; not without a graphics card, or while that is lost
   */
  draw(context, scene) {
    const gl = this.gl;
    if (!gl || gl.isContextLost() || !this.uniform) return false;
    const { width, height } = context.canvas;
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniformMatrix4fv(this.uniform("view"), false, scene.view);
    gl.uniformMatrix4fv(this.uniform("projection"), false, scene.projection);
    gl.uniform1f(this.uniform("floorHeight"), scene.floor ?? 0);
    let [posed] = scene.bodies;
    let buffers = this.pose(gl, posed);
    for (const isShadow of scene.floor === null ? [false] : [true, false]) {
      gl.uniform1i(this.uniform("isShadow"), isShadow ? 1 : 0);
      if (isShadow) gl.disable(gl.DEPTH_TEST);
      else gl.enable(gl.DEPTH_TEST);
      for (const body of scene.bodies) {
        if (body !== posed) buffers = this.pose(gl, body);
        posed = body;
        gl.drawElements(gl.TRIANGLES, buffers.count, buffers.kind, 0);
      }
    }
    context.drawImage(this.canvas, 0, 0);
    return true;
  }

  /** Have the next triangles be of a body. @param {WebGL2RenderingContext} gl @param {Posed} body */
  pose(gl, body) {
    let buffers = this.buffers.get(body.mesh);
    if (!buffers) this.buffers.set(body.mesh, buffers = new Buffers(gl, body.mesh));
    gl.bindVertexArray(buffers.array);
    gl.texImage2D(
      gl.TEXTURE_2D, 0, gl.RGBA32F, 4, body.tints.length, 0, gl.RGBA, gl.FLOAT, packBones(body),
    );
    return buffers;
  }
}

/** The name of the graphics card. @param {WebGL2RenderingContext} gl @returns {string} */
function nameOf(gl) {
  const hidden = gl.getExtension("WEBGL_debug_renderer_info");
  return gl.getParameter(hidden ? hidden.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
}

/** Lay out the texture of bones: a line of four texels a joint. @param {Posed} body */
function packBones({ rows, tints }) {
  const bones = new Float32Array(16 * tints.length);
  tints.forEach((tint, joint) => {
    bones.set(rows.subarray(12 * joint, 12 * joint + 12), 16 * joint);
    bones.set(tint, 16 * joint + 12);
  });
  return bones;
}
