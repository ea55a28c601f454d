/** `CHROMIUM=PATH node run.mjs ADDRESS RENDERER SCENARIO`: one scenario in a fresh browser; its facts as JSON. */

import { EditorPage } from "./page.mjs";
import { SCENARIOS } from "./scenarios.mjs";

const [, , address, renderer, name] = process.argv;
const { drive, options } = SCENARIOS[name];
const page = await EditorPage.open(address, renderer, options);
try {
  const facts = await drive(page);
  process.stdout.write(`${JSON.stringify({ ...facts, errors: page.errors })}\n`);
} finally {
  await page.close();
}
