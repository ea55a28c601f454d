/** Scenarios of poses from elsewhere: the library, files, templates. */

import path from "node:path";

import { EDITOR, LONE, PELVIS, WRIST } from "./page.mjs";

/** Poses of the demo, own poses, the clipboard, several frames. */
export async function library(page) {
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
export async function files(page) {
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

/** Two editors in a chain: the second one moves its body before that of the first. */
export async function people(page) {
  await page.build(
    [[EDITOR, 100, 100], [EDITOR, 640, 100], ["PoseXfer_RenderBodyMaps", 1180, 100], ["PreviewImage", 1520, 100]],
    [[0, 0, 1, "others"], [1, 3, 2, 0], [2, 0, 3, 0]],
  );
  const first = await page.run();
  const places = () => page.ask(({ others, session }) => ({
    other: others[0].at(0).pelvis, own: session.skeleton.places[0], count: others.length,
  }), null, 1);
  const before = await places();
  const onScreen = await page.ask(({ others, view }) => view.project(others[0].at(0).pelvis), null, 1);
  await page.shot("two people, run");
  const [x, y] = await page.joint(PELVIS, 1);
  const grown = await page.ask(({ canvas }) => canvas.getBoundingClientRect().width / canvas.clientWidth, null, 1);
  const [own] = await page.ask(({ session, view }) => view.project(session.skeleton.places[0]), null, 1);
  await page.page.keyboard.down("Shift");
  await page.drag([x, y], 0.75 * (onScreen[0] - own) * grown, 0);
  await page.page.keyboard.down("Alt");
  await page.drag(await page.joint(PELVIS, 1), 0, 60 * grown);
  await page.page.keyboard.up("Alt");
  await page.page.keyboard.up("Shift");
  const after = await places();
  const texts = [await page.value(0), await page.value(1)];
  await page.shot("two people, moved");
  const second = await page.run();
  await page.wait(800);
  await page.shot("two people, drawn");
  return { before, after, texts, status: [first.status.status_str, second.status.status_str] };
}

/** A template as the page opens it, with small weights: run, pose, run again. */
export async function template(page, name) {
  await page.page.evaluate(async (title) => {
    const { app } = window;
    const address = `/api/workflow_templates/posexfer/${encodeURIComponent(title)}.json`;
    const file = await (await fetch(address)).json();
    await app.loadGraphData(file);
    const encoders = app.graph._nodes.filter((node) => node.type === "CLIPTextEncode");
    if (encoders.length > 0) { // zeros stand for what text encoders give
      const zeros = window.LiteGraph.createNode("TestZeroText");
      app.graph.add(zeros);
      for (const widget of zeros.widgets) widget.value = 768;
      for (const node of encoders) {
        zeros.connect(0, node, node.inputs.findIndex((input) => input.name === "clip"));
      }
    }
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
