/** The annotation page's style: light or dark as the system is, no fonts or pictures from elsewhere. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f7f9, #14161a);
  --card: light-dark(#ffffff, #1d2026);
  --text: light-dark(#1b1f24, #e4e7eb);
  --dim: light-dark(#57606a, #9aa4af);
  --line: light-dark(#d5dae0, #343a43);
  --mark: light-dark(#0b5cad, #79b8ff);
  --mark-ground: light-dark(#e8f1fb, #1c2d42);
  --code: light-dark(#f1f3f5, #16181d);
}
* { box-sizing: border-box; }
[hidden] { display: none; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
h1, h2, h3, h4, p, fieldset, pre { margin: 0; }
h1 { font-size: 1rem; }
h2 { font-size: 1.1rem; }
h3 { font-size: 0.95rem; }
h4 { font: 600 0.9rem ui-monospace, monospace; overflow-wrap: anywhere; }
button, select, input, textarea { font: inherit; color: inherit; }
button, select {
  background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.25rem 0.7rem; cursor: pointer;
}
button:hover, select:hover { border-color: var(--mark); }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 1px; }
body > header {
  position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: 0.5rem 0.8rem; align-items: center;
  padding: 0.6rem 1.2rem; background: var(--card); border-bottom: 1px solid var(--line);
}
body > header .grow { flex: 1; }
progress { width: 6rem; accent-color: var(--mark); }
main { display: grid; grid-template-columns: minmax(0, 1fr) 21rem; gap: 1.2rem; max-width: 86rem; margin: 0 auto; padding: 1.2rem; }
.task, .turn, #panel { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 0.9rem 1.1rem; }
.task, .turn { margin-bottom: 0.8rem; scroll-margin: 5rem 0 1rem; }
.turn.current { border-color: var(--mark); box-shadow: inset 4px 0 0 var(--mark); }
.turn.target, fieldset.target { background: var(--mark-ground); border-color: var(--mark); }
.turn > header { display: flex; gap: 0.8rem; align-items: baseline; margin-bottom: 0.3rem; }
.turn.user h3, .turn.system h3, .turn.context h3, .place, .facts, .hint, .label, .none, #status { color: var(--dim); }
#status { position: fixed; left: 1.2rem; bottom: 1rem; z-index: 3; background: var(--card); border: 1px solid var(--mark); border-radius: 6px; padding: 0.3rem 0.8rem; }
#status:empty { display: none; }
.place, .facts, .hint, .label, .none, #status, .step-score { font-size: 0.85rem; }
.step-score { color: var(--mark); font-weight: 600; margin-left: auto; }
.block { margin: 0.4rem 0; }
.label { display: block; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
.code .text { background: var(--code); border-radius: 6px; padding: 0.5rem 0.7rem; font: 0.85rem/1.45 ui-monospace, monospace; }
.text.folded {
  max-height: 13rem; overflow: hidden; mask-image: linear-gradient(#000 75%, transparent);
}
.fold { font-size: 0.85rem; margin-top: 0.3rem; }
.call { border-left: 3px solid var(--line); padding-left: 0.8rem; margin-top: 0.7rem; }
#panel { position: sticky; top: 4.6rem; align-self: start; max-height: calc(100vh - 5.8rem); overflow: auto; }
fieldset { border: 1px solid transparent; border-radius: 6px; padding: 0.3rem 0.5rem; margin: 0 -0.5rem 0.5rem; }
legend { font-weight: 600; padding: 0; float: left; width: 100%; }
.answers { clear: both; display: flex; gap: 0.35rem; }
.answers input { position: absolute; opacity: 0; width: 1px; height: 1px; }
.answers label {
  flex: 1; text-align: center; border: 1px solid var(--line); border-radius: 6px; padding: 0.2rem 0.3rem; cursor: pointer;
  background: var(--card);
}
.answers label:hover { border-color: var(--mark); }
.answers input:checked + label { background: var(--mark); border-color: var(--mark); color: var(--card); font-weight: 600; }
.answers input:focus-visible + label { outline: 3px solid var(--mark); outline-offset: 2px; }
#rubrics .answers label { padding: 0.05rem 0.3rem; font-size: 0.9rem; }
#rubrics legend { font-size: 0.9rem; }
#target { color: var(--mark); font-size: 0.9rem; font-weight: 600; margin-bottom: 0.6rem; }
.section { border-top: 1px solid var(--line); padding-top: 0.6rem; margin: 0.6rem 0 0.4rem; font-size: 0.85rem; color: var(--dim); }
textarea { width: 100%; min-height: 5rem; background: var(--ground); border: 1px solid var(--line); border-radius: 6px; padding: 0.4rem 0.6rem; }
.row { display: flex; gap: 0.5rem; margin-top: 0.8rem; }
.row > * { flex: 1; }
dialog { background: var(--card); color: var(--text); border: 1px solid var(--line); border-radius: 10px; padding: 1.3rem 1.6rem; max-width: 34rem; }
dialog::backdrop { background: rgb(0 0 0 / 0.45); }
dialog h2 { margin-bottom: 0.6rem; }
dialog input { width: 100%; background: var(--ground); border: 1px solid var(--line); border-radius: 6px; padding: 0.4rem 0.6rem; margin: 0.3rem 0; }
dialog .row { justify-content: end; }
dialog .row > * { flex: none; }
th { text-align: left; white-space: nowrap; padding: 0.15rem 1.2rem 0.15rem 0; font: 600 0.9rem ui-monospace, monospace; }
td { padding: 0.15rem 0; }
.fault { color: light-dark(#b3261e, #ff8a80); min-height: 1.5em; }
@media (max-width: 78rem) {
  h1, body > header progress { display: none; }
}
@media (max-width: 60rem) {
  main { grid-template-columns: minmax(0, 1fr); }
  #panel, body > header { position: static; max-height: none; }
}
`;
