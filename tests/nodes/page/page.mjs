/** A page of ComfyUI with pose editors in it, driven by mouse and keys. */

import { chromium } from "playwright-core";

export const EDITOR = "PoseXfer_PoseEditor";
export const LONE = [[EDITOR, 100, 100]];
/** Numbers of joints. */
export const [PELVIS, ANKLE, HEAD, WRIST] = [0, 7, 15, 20];

/** Runs in the page. */
function hideImitation() {
  const { prototype } = WebGL2RenderingContext;
  const { getParameter } = prototype;
  prototype.getParameter = function (name) {
    const found = getParameter.call(this, name);
    return /swiftshader/i.test(found) ? "a graphics card" : found;
  };
}

export class EditorPage {
  /**
   * Open a page. `renderer` is "classic" or "nodes2"; with `card` the page takes the graphics card
   * that the browser imitates for a real one.
   */
  static async open(address, renderer, { flags = [], touch = false, density = 1, card = false } = {}) {
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", ...flags] });
    const context = await browser.newContext({
      viewport: { width: 1200, height: 800 }, hasTouch: touch, deviceScaleFactor: density,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    context.setDefaultTimeout(180_000); // machines may be busy
    const page = await context.newPage();
    if (card) await page.addInitScript(hideImitation);
    const errors = [];
    page.on("pageerror", ({ stack }) => {
      if (stack?.includes("posexfer")) errors.push(stack); // others are the page's own
    });
    page.on("console", (said) => {
      if (said.type() === "error" && said.text().includes("posexfer")) errors.push(said.text());
    });
    // Without it a fresh user is shown the templates, in front of the graph.
    await fetch(`${address}/settings/Comfy.TutorialCompleted`, { method: "POST", body: "true" });
    await page.goto(address);
    await page.waitForFunction(() => window.app?.graph && window.app?.extensionManager?.setting);
    await page.waitForTimeout(1500);
    await page.evaluate((isOn) => {
      const { setting } = window.app.extensionManager;
      const name = "Comfy.VueNodes.Enabled"; // unknown to older pages
      if (setting.get(name) !== undefined) return setting.set(name, isOn);
      return undefined;
    }, renderer === "nodes2");
    for (let i = 0; i < 3; i++) await page.keyboard.press("Escape");
    await page.waitForTimeout(700);
    return new EditorPage(browser, page, errors);
  }

  constructor(browser, page, errors) {
    Object.assign(this, { browser, page, errors, shots: process.env.SHOTS });
  }

  close() {
    return this.browser.close();
  }

  /** Seconds of processor time that the browser's processes have taken, by kind. */
  async processorTimes() {
    this.root ??= await this.browser.newBrowserCDPSession();
    const { processInfo } = await this.root.send("SystemInfo.getProcessInfo");
    const times = { renderer: 0, GPU: 0 };
    for (const { type, cpuTime } of processInfo) times[type] = (times[type] ?? 0) + cpuTime;
    return times;
  }

  wait(ms) {
    return this.page.waitForTimeout(ms);
  }

  async shot(name) {
    if (this.shots) await this.page.screenshot({ path: `${this.shots}/${name}.png` });
  }

  /** Put nodes into an empty graph: `[type, x, y]` each; then links `[from, output, to, input]`. */
  async build(nodes, links = []) {
    await this.page.evaluate(([kinds, wires]) => {
      const { app, LiteGraph } = window;
      app.graph.clear();
      const made = kinds.map(([type, x, y]) => {
        const node = LiteGraph.createNode(type);
        node.pos = [x, y];
        app.graph.add(node);
        return node;
      });
      for (const [from, output, to, input] of wires) made[from].connect(output, made[to], input);
    }, [nodes, links]);
    await this.page.waitForFunction(() => window.app.graph._nodes
      .filter((node) => node.type === "PoseXfer_PoseEditor")
      .every((node) => node.widgets.find((one) => one.name === "pose").mounted?.editor));
    await this.fit();
  }

  /** Show all nodes, and wait until the graph rests. */
  async fit() {
    await this.page.evaluate(() => {
      window.app.canvas.deselectAll?.();
      return window.app.extensionManager.command.execute("Comfy.Canvas.FitView");
    });
    const look = () => this.page.evaluate(() => JSON.stringify([window.app.canvas.ds.scale, [...window.app.canvas.ds.offset]]));
    let [before, now] = ["", await look()];
    while (before !== now) {
      await this.wait(700);
      [before, now] = [now, await look()];
    }
  }

  /** Evaluate a function of the n-th editor of the graph, of its node and of what else is given. */
  ask(look, given, number = 0) {
    return this.page.evaluate(([source, rest, index]) => {
      const node = window.app.graph._nodes.filter((one) => one.type === "PoseXfer_PoseEditor")
        .sort((one, other) => one.id - other.id)[index]; // the page moves what is clicked to the front
      const widget = node.widgets.find((one) => one.name === "pose");
      // eslint-disable-next-line no-eval
      return (0, eval)(`(${source})`)(widget.mounted.editor, node, rest, widget);
    }, [String(look), given, number]);
  }

  /** Wait until something is true of the first editor. */
  async until(look) {
    for (let i = 0; i < 120; i++) {
      if (await this.ask(look)) return;
      await this.wait(500);
    }
    throw new Error(`This does not come true: ${look}`);
  }

  value(number = 0) {
    return this.ask((_editor, _node, _given, widget) => widget.value, null, number);
  }

  /** Where a joint is on the screen. */
  joint(joint, number = 0) {
    return this.ask(async (editor, _node, index) => {
      for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame); // until it is painted
      const [x, y] = editor.view.project(editor.session.skeleton.places[index]);
      const box = editor.canvas.getBoundingClientRect();
      const grown = box.width / editor.canvas.clientWidth;
      return [box.left + x * grown, box.top + y * grown];
    }, joint, number);
  }

  /** Where a place of the canvas is on the screen; shares of its width and height. */
  place(across, down, number = 0) {
    return this.ask((editor, _node, [x, y]) => {
      const box = editor.canvas.getBoundingClientRect();
      return [box.left + x * box.width, box.top + y * box.height];
    }, [across, down], number);
  }

  async drag([x, y], dx, dy, { steps = 5, shot = "", ...options } = {}) {
    await this.page.mouse.move(x, y);
    await this.page.mouse.down(options);
    for (let i = 1; i <= steps; i++) await this.page.mouse.move(x + (dx * i) / steps, y + (dy * i) / steps);
    await this.wait(60);
    if (shot) await this.shot(shot);
    await this.page.mouse.up(options);
    await this.wait(150);
  }

  async press(key) {
    await this.page.keyboard.press(key);
    await this.wait(250);
  }

  /** Click a button of an editor. */
  async command(name, number = 0) {
    await this.ask((editor, _node, wanted) =>
      editor.element.querySelector(`[data-command="${wanted}"]`).click(), name, number);
    await this.wait(200);
  }

  /** Choose a file in an open library, as a person does. */
  async openFile(path) {
    const chooser = this.page.waitForEvent("filechooser");
    await this.page.getByRole("button", { name: "A pose from any file" }).click();
    const answer = this.page.waitForResponse((response) => /\/pose\?name=input/.test(response.url()));
    await (await chooser).setFiles(path);
    await answer;
    await this.until((editor) => !editor.said.startsWith("Reading"));
  }

  /** Run the workflow and wait for its end; gives the history's entry. */
  async run() {
    const newest = () =>
      this.page.evaluate(async () => {
        const queue = await (await fetch("/queue")).json();
        if (queue.queue_running.length + queue.queue_pending.length) return null;
        return Object.entries(await (await fetch("/history?max_items=1")).json())[0] ?? null;
      });
    const before = (await newest())?.[0];
    await this.page.evaluate(() => window.app.queuePrompt(0, 1));
    const deadline = Date.now() + 180_000;
    while (Date.now() < deadline) {
      await this.wait(500);
      const entry = await newest();
      if (entry && entry[0] !== before) {
        await this.wait(800);
        return entry[1];
      }
    }
    throw new Error("The workflow does not end.");
  }
}
