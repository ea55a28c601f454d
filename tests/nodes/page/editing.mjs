/** Scenarios of editing: selecting, dragging, keys, fingers. */

import { ANKLE, EDITOR, HEAD, LONE, PELVIS, WRIST } from "./page.mjs";

const WITH_DEPTH = [
  [[EDITOR, 100, 100], ["PoseXfer_RenderBodyMaps", 640, 100], ["PreviewImage", 1000, 100]],
  [[0, 0, 1, 0], [1, 0, 2, 0]],
];

const gap = ([a, b], [c, d]) => Math.hypot(a - c, b - d);
const place = (page, joint) => page.ask((editor, _node, j) => editor.session.skeleton.places[j], joint);
const distance = (a, b) => Math.hypot(...a.map((x, k) => x - b[k]));

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

/** Select, drag, reach, pin, turn, undo, run, save, reload. */
export async function edit(page) {
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
export async function photo(page) {
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
export async function shortcuts(page) {
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

/** One finger drags, two magnify; a screen of high density. */
export async function touch(page) {
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
