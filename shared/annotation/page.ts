import { createHash } from "node:crypto";
import { logicFunctions } from "./client/logic.ts";
import { startPage } from "./client/start-page.ts";
import { viewFunctions } from "./client/views.ts";
import type { PageData } from "./page-data.ts";
import { STYLE } from "./style.ts";

/**
 * The annotation page as one HTML document that needs nothing else and may reach nothing else: its Content Security
 * Policy allows exactly the script and the style written here, by their hashes, and no connection. What trajectories
 * say stands in it as JSON that no parser of HTML can take for markup.
 */
export function annotationPage(page: PageData): string {
  const script = pageScript();
  const policy = [
    "default-src 'none'",
    `script-src '${sourceHash(script)}'`,
    `style-src '${sourceHash(STYLE)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gymline: label ${page.items.length} trajectories</title>
<style>${STYLE}</style>
</head>
<body>
${BODY}
<script type="application/json" id="data">${embeddedJson(page)}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** JSON that may stand in a script element: no `<`, and no line ends that JavaScript knows and JSON does not. */
export function embeddedJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The page's program: the text of the functions in `client/`, which call nothing from outside. */
function pageScript(): string {
  const logic = logicFunctions();
  const views = viewFunctions();
  const source = [...Object.values(logic), ...Object.values(views), startPage].map(String).join("\n");
  const names = (functions: object): string => `{ ${Object.keys(functions).join(", ")} }`;
  return `"use strict";
(() => {
${source}
const page = JSON.parse(document.getElementById("data").textContent);
startPage({ document, window, page, logic: ${names(logic)}, views: ${names(views)} });
})();
`;
}

function sourceHash(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

const BODY = `<header>
<h1>Gymline labels</h1>
<span id="place"></span>
<label>Go to <select id="jump"></select></label>
<span class="grow"></span>
<label><span id="count"></span> <progress id="progress" aria-label="trajectories with an overall score"></progress></label>
<span>as <button type="button" id="who" title="label under another name"></button></span>
<button type="button" id="load">Load file</button>
<button type="button" id="save">Save file</button>
<button type="button" id="show-help" aria-label="help: keys">?</button>
<input type="file" id="file" accept="application/json,.json" aria-label="file of labels" hidden>
</header>
<p id="status" role="status"></p>
<main>
<div id="trajectory"></div>
<aside id="panel" aria-label="your labels">
<p id="target" role="status"></p>
<div id="overall"></div>
<p class="section">By rubric, where you want to</p>
<div id="rubrics"></div>
<p class="section"><label for="comment">Comment</label></p>
<textarea id="comment" maxlength="10000"></textarea>
<div class="row">
<button type="button" id="previous">Previous</button>
<button type="button" id="next">Next</button>
</div>
</aside>
</main>
<dialog id="help" aria-labelledby="help-title">
<h2 id="help-title">Keys</h2>
<table><tbody id="keys"></tbody></table>
<p class="hint">Labels are kept in this browser as you go. Save the file and hand it in: gymline annotate --import.</p>
<div class="row"><button type="button" id="close-help">Close</button></div>
</dialog>
<dialog id="name-dialog" aria-labelledby="name-title">
<h2 id="name-title">Who labels?</h2>
<label for="name">Your name; it stands in the file beside each label</label>
<input id="name" autocomplete="off" spellcheck="false" maxlength="64" aria-describedby="name-fault">
<p class="fault" id="name-fault" role="alert"></p>
<div class="row"><button type="button" id="take-name">Begin</button></div>
</dialog>`;
