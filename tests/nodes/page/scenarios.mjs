/** What is done in the page, by name; each gives facts that the Python test holds against values. */

import path from "node:path";

const EDITOR = "PoseXfer_PoseEditor";
const [PELVIS, ANKLE, HEAD, WRIST] = [0, 7, 15, 20];
const LONE = [[EDITOR, 100, 100]];
const WITH_DEPTH = [
  [[EDITOR, 100, 100], ["PoseXfer_RenderBodyMaps", 640, 100], ["PreviewImage", 1000, 100]],
  [[0, 0, 1, 0], [1, 0, 2, 0]],
];

const gap = ([a, b], [c, d]) => Math.hypot(a - c, b - d);
const place = (page, joint) => page.ask((editor, _node, j) => editor.session.skeleton.places[j], joint);
const distance = (a, b) => Math.hypot(...a.map((x, k) => x - b[k]));
const loseContext = (page) => page.ask((editor) => {
  window.lost = editor.renderer.gl.getExtension("WEBGL_lose_context");
  window.lost.loseContext();
});

/** The brightness of what PreviewImage shows, where a joint lies in the picture. */
async function depthAt(page, entry, joint) {
  const [file] = Object.values(entry.outputs).at(-1).images;
  const at = await page.ask((editor, _node, j) => editor.session.camera.project(editor.session.skeleton.places[j]), joint);
  return page.page.evaluate(async ([image, [x, y]]) => {
    const bitmap = await createImageBitmap(await (await fetch(`/view?${new URLSearchParams(image)}`)).blob());
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(Math.floor(x), Math.floor(y), 1, 1).data[0];
  }, [file, at]);
}

/** How far the colours on an editor's canvas are spread: a body is there, or an empty ground. */
const contrast = (page, number = 0) => page.ask((editor) => {
  const { canvas, context } = editor;
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let bright = 0;
  for (let i = 0; i < data.length; i += 4) bright += data[i] > 150 && data[i + 2] > 120 ? 1 : 0;
  return bright / (canvas.width * canvas.height);
}, null, number);

/** Select, drag, reach, pin, turn, undo, run, save, reload. */
async function edit(page) {
  await page.build(...WITH_DEPTH);
  const untouched = await page.value();
  await page.shot("opened");
  const first = await page.run();
  const from = await page.joint(WRIST);
  await page.drag(from, 20, -130, { shot: "reaching" });
  const reachGap = gap(await page.joint(WRIST), [from[0] + 20, from[1] - 130]);
  const reached = await page.value();
  const ankle = await place(page, ANKLE);
  await page.drag(await page.joint(PELVIS), 6, 25);
  const ankleMoved = distance(ankle, await place(page, ANKLE));
  const squatted = await page.value();
  const [x, y] = await page.joint(HEAD);
  await page.page.mouse.click(x, y);
  const chosen = await page.ask((editor) => editor.session.body.names[editor.chosen]);
  const grip = await page.ask((editor) => {
    const { at } = editor.rings()[1].points.filter((point) => point.isFront)[6];
    const box = editor.canvas.getBoundingClientRect();
    const grown = box.width / editor.canvas.clientWidth;
    return [box.left + at[0] * grown, box.top + at[1] * grown];
  });
  await page.drag(grip, 25, 0, { shot: "turning" });
  const turned = await page.value();
  await page.press("Control+z");
  const undone = await page.value();
  await page.press("Control+Shift+z");
  const redone = await page.value();
  await page.shot("posed");
  const second = await page.run();
  await page.shot("ran");
  const depth = await depthAt(page, second, WRIST);
  const saved = await page.page.evaluate(async () => {
    const graph = window.app.graph.serialize();
    const prompt = await window.app.graphToPrompt();
    await window.app.loadGraphData(JSON.parse(JSON.stringify(graph)));
    return Object.values(prompt.output).find((node) => node.class_type === "PoseXfer_PoseEditor").inputs.pose;
  });
  await page.wait(1500);
  await page.shot("reloaded");
  return {
    untouched, reachGap, ankleMoved, chosen, depth,
    changed: [untouched, reached, squatted, turned].every((one, i, all) => !i || one !== all[i - 1]),
    undone: undone === squatted, redone: redone === turned, saved: saved === turned,
    reloaded: (await page.value()) === turned,
    status: [first.status.status_str, second.status.status_str],
  };
}

/** From a person's own body over their own photo: camera, flip, reset. */
async function photo(page) {
  await page.build(
    [["PoseXfer_DemoPerson", 100, 100], [EDITOR, 500, 100]], [[0, 1, 1, 0], [0, 0, 1, 1]],
  );
  const entry = await page.run();
  await page.until((editor) => editor.backdrop);
  await page.shot("photo");
  const start = await page.ask((editor) => ({
    size: editor.session.camera.size, backdrop: editor.backdrop?.naturalWidth > 0, keepsCamera: editor.keepsCamera,
    camera: editor.session.camera.state,
  }));
  const started = await page.value();
  await page.drag(await page.joint(WRIST), -12, -30);
  await page.drag(await page.place(0.08, 0.5), 70, 5);
  const isFree = await page.ask((editor) => editor.view.free !== null);
  await page.shot("photo_free_view");
  await page.press("5");
  const camera = await page.ask((editor) => editor.session.camera.state);
  await page.until((editor) => Object.values(editor.twinFinder.twins).some(Boolean));
  const limbs = await page.ask((editor) => Object.keys(editor.twinFinder.twins).filter((limb) => editor.twinFinder.twins[limb]));
  const joints = () => page.ask((editor, _node, limb) => editor.session.body.limbs[limb]
    .map((joint) => editor.session.camera.project(editor.session.skeleton.places[joint])), limbs[0]);
  const unflipped = await joints();
  await page.ask((editor, _node, limb) => editor.choose(editor.session.body.limbs[limb][1]), limbs[0]);
  await page.command("flip");
  await page.shot("photo_flipped");
  const flipped = await joints();
  await page.command("resetPose");
  return {
    status: entry.status.status_str, ...start, started, isFree, limbs,
    cameraKept: JSON.stringify(camera) === JSON.stringify(start.camera),
    moved2d: Math.max(...flipped.map((one, i) => gap(one, unflipped[i]))),
    movedDepth: Math.max(...flipped.map((one, i) => Math.abs(one[2] - unflipped[i][2]))),
    reset: await page.value(),
  };
}

/** Keys and wheel go where they belong. */
async function shortcuts(page) {
  const count = () => page.page.evaluate(() => window.app.graph._nodes.length);
  const zoom = () => page.page.evaluate(() => window.app.canvas.ds.scale);
  const offset = () => page.page.evaluate(() => [...window.app.canvas.ds.offset]);
  let queued = 0;
  page.page.on("request", (request) => {
    if (request.method() === "POST" && /\/prompt$/.test(request.url())) queued += 1;
  });
  await page.build(LONE);
  const empty = [1050, 300];
  const ground = () => page.place(0.06, 0.25);
  await page.drag(await page.joint(WRIST), 10, -60);
  const posed = await page.value();
  for (const key of ["Delete", "Backspace", "r", "q", "Control+d", "Control+m"]) await page.press(key);
  const facts = { kept: await count(), mode: await page.ask((_editor, node) => node.mode) };
  await page.press("Control+z");
  await page.press("Control+z");
  await page.press("Control+Shift+z");
  facts.keysOfEditor = (await page.value()) !== "";
  await page.press("Control+Enter");
  for (let i = 0; i < 60 && !queued; i++) await page.wait(500);
  await page.wait(700);
  facts.queued = queued;
  await page.ask((editor) => editor.canvas.focus()); // a run takes the focus away
  facts.zoomFocused = await zoom();
  await page.page.mouse.move(...(await ground()));
  await page.page.mouse.wheel(0, -120);
  await page.wait(500);
  facts.zoomAfterFocusedWheel = await zoom();
  await page.page.mouse.click(...empty);
  await page.wait(300);
  await page.page.mouse.move(...(await ground()));
  await page.page.mouse.wheel(0, -120);
  await page.wait(500);
  facts.zoomAfterWheel = await zoom();
  const was = await offset();
  await page.drag(await ground(), -50, 15, { button: "middle" });
  facts.panned = gap(was, await offset());
  await page.fit();
  await page.drag(await page.joint(WRIST), 15, -20);
  const last = await page.value();
  await page.page.mouse.click(...empty);
  await page.press("Control+z");
  await page.wait(1500);
  facts.hostUndoKeepsNode = (await count()) === 1;
  facts.hostUndid = (await page.value()) !== last;
  facts.posed = posed !== "";
  const title = await page.page.evaluate(() => {
    const { canvas, graph } = window.app;
    const [{ pos, size }] = graph._nodes;
    const box = canvas.canvas.getBoundingClientRect();
    const { offset: by, scale } = canvas.ds;
    return [box.left + (pos[0] + 0.6 * size[0] + by[0]) * scale, box.top + (pos[1] - 15 + by[1]) * scale];
  });
  await page.page.mouse.click(...title);
  await page.wait(500);
  await page.press("Delete");
  facts.deletedOutside = await count();
  return facts;
}

/** Twenty editors share one context. */
async function many(page) {
  const grid = Array.from({ length: 20 }, (_, i) => [EDITOR, 480 * (i % 7), 760 * Math.floor(i / 7)]);
  await page.build(grid);
  await page.wait(1500);
  await page.shot("twenty");
  const bodies = [];
  for (const number of [0, 9, 19]) bodies.push(await contrast(page, number));
  await page.drag(await page.joint(WRIST, 9), 8, -25);
  const values = [await page.value(8), await page.value(9), await page.value(10)];
  const contexts = await page.page.evaluate(() => new Set(window.app.graph._nodes
    .map((node) => node.widgets.find((one) => one.name === "pose").mounted.editor.renderer.gl)).size);
  const listeners = await page.ask((editor) => {
    const { renderer } = editor;
    const before = renderer.listeners.size;
    window.app.graph.clear();
    return [before, renderer.listeners.size];
  });
  return { bodies, changed: values.map((value) => value !== ""), contexts, listeners };
}

/** The graphics card goes and comes back; without it the body looks the same. */
async function lostContext(page) {
  await page.build(LONE);
  const isLost = () => page.ask((editor) => editor.renderer.gl.isContextLost());
  const look = (name) => page.ask(({ canvas, context }, _node, key) => {
    window[key] = context.getImageData(0, 0, canvas.width, canvas.height).data;
  }, name);
  const lost = [await isLost()];
  await look("byCard");
  await loseContext(page);
  await page.wait(600);
  await page.shot("lost");
  lost.push(await isLost());
  await look("without");
  const gaps = await page.page.evaluate(() => {
    const found = window.byCard.map((one, i) => Math.abs(one - window.without[i]));
    return [found.reduce((sum, one) => sum + one, 0), found.filter((one) => one > 16).length].map((one) => one / found.length);
  });
  await page.drag(await page.joint(WRIST), 10, -60);
  const edited = (await page.value()) !== "";
  const seen = [await contrast(page)];
  await page.page.evaluate(() => window.lost.restoreContext());
  await page.wait(900);
  lost.push(await isLost());
  seen.push(await contrast(page));
  return { lost, gaps, edited, seen };
}

/** A browser without WebGL. */
async function noWebgl(page) {
  await page.build(LONE);
  await page.shot("no_webgl");
  const isMissing = await page.ask((editor) => editor.renderer.gl === null);
  const notice = await page.ask((editor) => editor.notice.textContent);
  const body = await contrast(page);
  await page.drag(await page.joint(WRIST), 10, -60);
  const entry = await page.run();
  return { isMissing, notice, body, edited: (await page.value()) !== "", status: entry.status.status_str };
}

/** One finger drags, two magnify; a screen of high density. */
async function touch(page) {
  await page.build(LONE);
  const session = await page.page.context().newCDPSession(page.page);
  const send = (type, points) => session.send("Input.dispatchTouchEvent", {
    type, touchPoints: points.map(([x, y], id) => ({ x, y, id })),
  });
  const wrist = await page.joint(WRIST);
  const near = [wrist[0] + 14, wrist[1] + 8];
  await send("touchStart", [near]);
  for (let i = 1; i <= 6; i++) await send("touchMove", [[near[0] + 3 * i, near[1] - 12 * i]]);
  await send("touchEnd", []);
  await page.wait(400);
  const dragged = await page.value();
  const [[ax, ay], [bx, by]] = [await page.place(0.4, 0.45), await page.place(0.6, 0.55)];
  await send("touchStart", [[ax, ay]]);
  await send("touchStart", [[ax, ay], [bx, by]]);
  for (let i = 1; i <= 6; i++) await send("touchMove", [[ax - 6 * i, ay - 6 * i], [bx + 6 * i, by + 6 * i]]);
  await send("touchEnd", []);
  await page.wait(400);
  await page.shot("touch");
  return {
    dragged: dragged !== "", kept: (await page.value()) === dragged,
    zoom: await page.ask((editor) => editor.view.zoom),
    density: await page.ask((editor) => editor.canvas.width / editor.canvas.getBoundingClientRect().width),
  };
}

/** Poses of the demo, own poses, the clipboard, several frames. */
async function library(page) {
  await page.build(LONE);
  await page.drag(await page.joint(WRIST), 10, -60);
  const posed = await page.ask((editor) => editor.session.frame.pose);
  await page.command("library");
  await page.page.waitForFunction(() => document.querySelectorAll(".posexfer-card").length > 3);
  await page.wait(2000);
  await page.ask((editor) => {
    editor.drawers.library.name.value = "my pose";
    return editor.drawers.library.save();
  });
  await page.wait(1500);
  await page.shot("library");
  const titles = await page.ask((editor) => [...editor.element.querySelectorAll(".posexfer-card span")].map((one) => one.textContent));
  const take = async (title) => {
    await page.ask((editor, _node, wanted) => [...editor.element.querySelectorAll(".posexfer-card button")]
      .find((one) => one.textContent === wanted).click(), title);
    await page.until((editor) => !editor.said.startsWith("Reading"));
    return page.ask((editor) => editor.session.frame.pose);
  };
  const walking = await take("walking");
  const own = await take("my pose");
  const removed = await page.ask(async (editor) => {
    await editor.drawers.library.remove("own/my pose.npz");
    return [...editor.element.querySelectorAll(".posexfer-card span")].map((one) => one.textContent);
  });
  await page.command("library");
  await page.press("Control+c");
  const copied = await page.page.evaluate(() => navigator.clipboard.readText());
  await page.press("m");
  const mirrored = await page.ask((editor) => editor.session.frame.pose);
  await page.press("Control+v");
  const pasted = await page.ask((editor) => editor.session.frame.pose);
  await page.ask((editor) => [...editor.element.querySelectorAll(".posexfer-tabs button")].at(-1).click());
  await page.drag(await page.joint(PELVIS), 5, 20);
  await page.shot("frames");
  const frames = await page.ask((editor) => editor.session.document.frames.map((frame) => frame.pose));
  const entry = await page.run();
  return {
    titles, removed, copied, posed, walking, own, mirrored, pasted, frames,
    status: entry.status.status_str,
  };
}

/** Poses from files of one's own, in $FILES: parameters, a motion, keypoints, a damaged file. */
async function files(page) {
  await page.build(LONE);
  await page.command("library");
  const opened = {};
  for (const name of ["arms up.npz", "walk.bvh", "people.json", "damaged.npz"]) {
    await page.openFile(path.join(process.env.FILES, name));
    await page.wait(300);
    await page.shot(`opened ${name}`);
    opened[name] = await page.ask(({ notice, session }) => ({
      notice: notice.textContent, poses: session.document.frames.map((frame) => frame.pose),
    }));
    opened[name].value = await page.value();
  }
  await page.command("library");
  await page.drag(await page.joint(WRIST), 10, -20);
  opened.noticeAfterDrag = await page.ask((editor) => editor.notice.textContent);
  return opened;
}

/** Frames a second at 512 x 768, what they cost, and memory over 500 drags: printed, not judged. */
async function speed(page) {
  await page.build(LONE);
  await page.ask((_editor, node) => {
    window.app.canvas.ds.scale = 1;
    node.setSize([534, 1000]);
    window.app.graph.setDirtyCanvas(true, true);
  });
  await page.wait(1000);
  const session = await page.page.context().newCDPSession(page.page);
  const heap = async () => {
    await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "JSHeapUsedSize").value;
  };
  await session.send("Performance.enable");
  /** Drag a hand to and fro, a move a frame; milliseconds that a frame takes. */
  const drags = (count, moves) => page.ask(async ({ canvas, view, session: pose }, _node, [many, steps]) => {
    const box = canvas.getBoundingClientRect();
    const grown = box.width / canvas.clientWidth;
    const send = (type, [x, y], buttons) => canvas.dispatchEvent(new PointerEvent(type, {
      pointerId: 7, clientX: box.left + x * grown, clientY: box.top + y * grown, buttons, bubbles: true,
    }));
    const begun = performance.now();
    for (let drag = 0; drag < many; drag++) {
      const [x, y] = view.project(pose.skeleton.places[20]);
      const way = drag % 2 ? -1 : 1;
      send("pointerdown", [x, y], 1);
      for (let step = 1; step <= steps; step++) {
        send("pointermove", [x + 4 * way * step, y - 3 * way * step], 1);
        await new Promise(requestAnimationFrame);
      }
      send("pointerup", [x, y], 0);
    }
    return (performance.now() - begun) / many / steps;
  }, [count, moves]);
  await drags(2, 5);
  const size = await page.ask(({ canvas }) => [canvas.width, canvas.height]);
  const before = await page.processorTimes();
  const frameMs = await drags(2, 20);
  const after = await page.processorTimes();
  const [pageMs, cardMs] = ["renderer", "GPU"].map((kind) => ((after[kind] - before[kind]) * 1e3) / 40);
  const heaps = [await heap()];
  for (let i = 0; i < 2; i++) {
    await drags(250, 2);
    heaps.push(await heap());
  }
  return { size, frameMs, pageMs, cardMs, heap: heaps };
}

/** A template as the page opens it, with small weights: run, pose, run again. */
async function template(page, name) {
  await page.page.evaluate(async (title) => {
    const { app } = window;
    const address = `/api/workflow_templates/posexfer/${encodeURIComponent(title)}.json`;
    const file = await (await fetch(address)).json();
    const encoders = file.nodes.filter((node) => node.type === "CLIPTextEncode");
    for (const node of encoders) { // zeros stand for what text encoders give
      Object.assign(node, { type: "TestZeroText", inputs: [], widgets_values: [768, 768] });
    }
    file.links = file.links.filter(([, , , to]) => !encoders.some((node) => node.id === to));
    await app.loadGraphData(file);
    const small = { steps: 2, weights: "toy.safetensors" };
    for (const node of app.graph._nodes) {
      const own = node.type === "PoseXfer_FramePose" ? { ...small, width: 128, height: 128 } : small;
      for (const widget of node.widgets ?? []) widget.value = own[widget.name] ?? widget.value;
    }
  }, name);
  await page.wait(1500);
  await page.fit();
  await page.shot(`${name}, opened`);
  const opened = await page.value();
  const first = await page.run();
  await page.wait(1500);
  await page.shot(`${name}, run`);
  const { size, backdrop } = await page.ask((editor) => ({
    size: editor.session.camera.size, backdrop: editor.backdrop?.naturalWidth > 0,
  }));
  const ran = await page.value();
  await page.drag(await page.joint(WRIST), -15, 10, { shot: `${name}, dragged` });
  const second = await page.run();
  const files = (entry) => Object.values(entry.outputs).flatMap((one) => one.images ?? [])
    .filter((one) => one.type === "output").length;
  return {
    status: [first.status.status_str, second.status.status_str], size, backdrop,
    kept: opened !== "" && opened === ran, posed: (await page.value()) !== ran,
    files: [files(first), files(second)],
  };
}

export const SCENARIOS = {
  edit: { drive: edit },
  photo: { drive: photo },
  shortcuts: { drive: shortcuts },
  many: { drive: many, options: { card: true } },
  lost_context: { drive: lostContext, options: { card: true } },
  no_webgl: { drive: noWebgl, options: { flags: ["--disable-3d-apis"] } },
  touch: { drive: touch, options: { touch: true, density: 2 } },
  library: { drive: library },
  files: { drive: files },
  speed: { drive: speed },
  pose_by_hand: { drive: (page) => template(page, "Pose by hand") },
  pose_your_own_photo: { drive: (page) => template(page, "Pose your own photo") },
};
