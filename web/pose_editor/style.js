/** How the editor's element looks; put into the page once. */

const RULES = `
.posexfer-editor { --line: #3b3e46; --panel: #26282d; --raised: #353840; --text: #e9e6df; --soft: #a7a8ad; --accent: #ffb454;
  position: relative; display: flex; flex-direction: column; width: 100%; height: 100%; min-height: 300px; box-sizing: border-box;
  background: var(--panel); color: var(--text); border-radius: 8px; overflow: hidden; user-select: none; -webkit-user-select: none;
  font: 11px/1.35 system-ui, sans-serif; }
.posexfer-mount { width: 100%; height: 100%; min-height: 300px; }
.posexfer-loading { align-items: center; justify-content: center; padding: 16px; white-space: pre-line; }
.posexfer-editor:fullscreen { border-radius: 0; font-size: 13px; }
.posexfer-editor:fullscreen .posexfer-drawer { width: 340px; }
.posexfer-editor * { box-sizing: border-box; }
.posexfer-editor button { display: inline-flex; align-items: center; justify-content: center; gap: 4px; min-width: 26px; height: 26px; margin: 0;
  padding: 0 5px; border: 0; border-radius: 6px; background: transparent; color: inherit; font: inherit; cursor: pointer; touch-action: manipulation; }
.posexfer-editor button:hover:enabled { background: var(--raised); }
.posexfer-editor button:focus-visible, .posexfer-editor input:focus-visible { outline: 1.5px solid var(--accent); outline-offset: -1px; }
.posexfer-editor button:disabled { opacity: .32; cursor: default; }
.posexfer-editor button[aria-pressed="true"], .posexfer-editor button[aria-selected="true"] { background: rgba(255, 180, 84, .2); color: var(--accent); }
.posexfer-editor svg { width: 17px; height: 17px; fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
.posexfer-editor input { height: 22px; min-width: 0; margin: 0; padding: 0 5px; border: 1px solid var(--line); border-radius: 5px; background: #1b1c20;
  color: var(--text); font: inherit; user-select: text; -webkit-user-select: text; }
.posexfer-editor input[type="number"] { appearance: textfield; -moz-appearance: textfield; }
.posexfer-editor input[type="number"]::-webkit-inner-spin-button { appearance: none; margin: 0; }
.posexfer-editor input:disabled { opacity: .45; }
.posexfer-editor input[type="range"] { width: 100%; padding: 0; border: 0; background: transparent; accent-color: var(--accent); }
.posexfer-bar { display: flex; flex-wrap: wrap; gap: 2px 0; padding: 4px; border-bottom: 1px solid var(--line); }
.posexfer-group { display: inline-flex; gap: 1px; }
.posexfer-bar .posexfer-group + .posexfer-group { margin-left: 4px; padding-left: 4px; border-left: 1px solid var(--line); }
.posexfer-bar .posexfer-group:last-child { margin-left: auto; }
.posexfer-stage { position: relative; flex: 1 1 240px; min-height: 200px; background: #202226; }
.posexfer-stage canvas.posexfer-view { position: absolute; inset: 0; width: 100%; height: 100%; outline: none; touch-action: none; }
.posexfer-side { position: absolute; top: 6px; right: 6px; border-radius: 8px; background: rgba(30, 32, 37, .8); }
.posexfer-side .posexfer-group { flex-direction: column; padding: 2px; }
.posexfer-status { position: absolute; left: 8px; bottom: 6px; max-width: calc(100% - var(--covered, 0px) - 16px); padding: 2px 8px; border-radius: 6px; background: rgba(24, 25, 29, .82); pointer-events: none; }
.posexfer-notice { position: absolute; left: 8px; top: 8px; max-width: calc(100% - max(var(--covered, 0px), 40px) - 16px); padding: 6px 9px; border-radius: 6px; border-left: 3px solid var(--accent);
  background: rgba(24, 25, 29, .92); white-space: pre-line; pointer-events: none; }
.posexfer-status:empty, .posexfer-notice:empty { display: none; }
.posexfer-drawer { position: absolute; top: 0; bottom: 0; right: 42px; width: min(224px, calc(100% - 50px)); overflow: auto; padding: 8px; background: rgba(34, 36, 41, .96);
  border-left: 1px solid var(--line); border-right: 1px solid var(--line); overscroll-behavior: contain; }
.posexfer-drawer[hidden] { display: none; }
.posexfer-title { margin: 8px 0 4px; color: var(--soft); }
.posexfer-title:first-child { margin-top: 0; }
.posexfer-line { display: flex; gap: 4px; margin-bottom: 6px; }
.posexfer-line button, .posexfer-sides button { flex: 1 1 auto; background: var(--raised); }
.posexfer-line input { flex: 1 1 60px; height: 26px; }
.posexfer-sides .posexfer-group { display: flex; }
.posexfer-grid { display: grid; grid-template-columns: 1fr 1fr; gap: 4px 8px; margin-bottom: 6px; }
.posexfer-field { display: inline-flex; align-items: center; gap: 4px; color: var(--soft); white-space: nowrap; }
.posexfer-field input { width: 58px; }
.posexfer-grid .posexfer-field { justify-content: space-between; }
.posexfer-poses { display: grid; grid-template-columns: repeat(auto-fill, minmax(66px, 1fr)); gap: 6px; }
.posexfer-card { position: relative; }
.posexfer-editor .posexfer-card > button:first-child { flex-direction: column; width: 100%; height: auto; padding: 3px; background: #2c2e34; }
.posexfer-card canvas { width: 100%; border-radius: 4px; background: radial-gradient(#4a4e57, #2a2c31); }
.posexfer-card span { width: 100%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 10px; }
.posexfer-row { grid-column: 1 / -1; }
.posexfer-editor .posexfer-row > button:first-child { flex-direction: row; }
.posexfer-editor .posexfer-remove { position: absolute; top: 2px; right: 2px; min-width: 18px; height: 18px; padding: 0; opacity: 0; background: rgba(20, 21, 24, .8); }
.posexfer-card:hover .posexfer-remove, .posexfer-remove:focus-visible { opacity: 1; }
.posexfer-remove svg { width: 11px; height: 11px; }
.posexfer-help dl { display: grid; grid-template-columns: 78px 1fr; gap: 4px 8px; margin: 0; }
.posexfer-help dt { color: var(--accent); }
.posexfer-help dd { margin: 0; }
.posexfer-inspector { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 6px; padding: 4px 6px; border-top: 1px solid var(--line); }
.posexfer-name { flex: 1 1 86px; min-width: 86px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.posexfer-name::first-letter { text-transform: uppercase; }
.posexfer-idle .posexfer-field { visibility: hidden; }
.posexfer-idle .posexfer-name { overflow: visible; color: var(--soft); }
.posexfer-field[data-axis="0"] { color: #ff7f83; } .posexfer-field[data-axis="1"] { color: #8fdc87; } .posexfer-field[data-axis="2"] { color: #7fb2ff; }
.posexfer-tabs { display: flex; align-items: center; gap: 2px; padding: 2px 6px 4px; overflow-x: auto; scrollbar-width: thin; }
.posexfer-tabs span { margin-right: 4px; color: var(--soft); }
.posexfer-editor .posexfer-tabs button { flex: none; min-width: 24px; height: 22px; }
.posexfer-tabs svg { width: 12px; height: 12px; }
@media (pointer: coarse) { .posexfer-editor button { min-width: 34px; height: 34px; } }
`;

/** Put the rules into the page, if they are not there yet. */
export function addStyle() {
  const id = "posexfer-editor-style";
  if (document.getElementById(id)) return;
  const style = document.createElement("style");
  style.id = id;
  style.textContent = RULES;
  document.head.append(style);
}
