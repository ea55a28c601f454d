/** Scenarios of drawing: many editors, with and without a graphics card, speed. */

import { EDITOR, LONE, WRIST } from "./page.mjs";

const loseContext = (page) => page.ask((editor) => {
  window.lost = editor.renderer.gl.getExtension("WEBGL_lose_context");
  window.lost.loseContext();
});

/** How far the colours on an editor's canvas are spread: a body is there, or an empty ground. */
const contrast = (page, number = 0) => page.ask((editor) => {
  const { canvas, context } = editor;
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let bright = 0;
  for (let i = 0; i < data.length; i += 4) bright += data[i] > 150 && data[i + 2] > 120 ? 1 : 0;
  return bright / (canvas.width * canvas.height);
}, null, number);

/** Twenty editors share one context. */
export async function many(page) {
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
export async function lostContext(page) {
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
export async function noWebgl(page) {
  await page.build(LONE);
  await page.shot("no_webgl");
  const isMissing = await page.ask((editor) => editor.renderer.gl === null);
  const notice = await page.ask((editor) => editor.notice.textContent);
  const body = await contrast(page);
  await page.drag(await page.joint(WRIST), 10, -60);
  const entry = await page.run();
  return { isMissing, notice, body, edited: (await page.value()) !== "", status: entry.status.status_str };
}

/** Frames a second at 512 x 768, what they cost, and memory over 500 drags: printed, not judged. */
export async function speed(page) {
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
