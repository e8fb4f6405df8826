import type { PageItem } from "../page-data.ts";
import type { Turn } from "../turns.ts";
import type { PageDocument, PageElement } from "./dom.ts";

/**
 * The parts of the page as elements. Texts of trajectories get in as text nodes only. As in logic.ts, the page holds
 * the text of these functions, so they may call one another and nothing else.
 */

export interface ElementOptions {
  readonly className?: string;
  readonly text?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

export function element(
  document: PageDocument,
  tag: string,
  { className, text, attributes = {} }: ElementOptions = {},
): PageElement {
  const made = document.createElement(tag);
  if (className !== undefined) made.className = className;
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** A text that is folded where it is long; its button carries `data-fold`. */
export function textBlock(
  document: PageDocument,
  { text, label, code }: { readonly text: string; readonly label: string; readonly code: boolean },
): PageElement {
  const block = element(document, "div", { className: code ? "block code" : "block" });
  if (label !== "") block.append(element(document, "span", { className: "label", text: label }));
  const body = element(document, code ? "pre" : "div", { className: "text", text });
  block.append(body);
  const lines = text.split("\n").length;
  if (text.length > 1200 || lines > 14) {
    body.className = "text folded";
    const button = element(document, "button", { className: "fold", attributes: { type: "button" } });
    button.setAttribute("data-fold", `show all: ${lines} lines, ${text.length} characters`);
    button.addEventListener("click", () => setFolded(button, body, body.className !== "text folded"));
    setFolded(button, body, true);
    block.append(button);
  }
  return block;
}

export function setFolded(button: PageElement, body: PageElement, folded: boolean): void {
  body.className = folded ? "text folded" : "text";
  const texts = button as unknown as { getAttribute(name: string): string | null };
  button.textContent = folded ? texts.getAttribute("data-fold") : "fold";
  button.setAttribute("aria-expanded", String(!folded));
}

export function turnView(
  document: PageDocument,
  turn: Turn,
  place: { readonly position: number; readonly count: number },
): PageElement {
  const view = element(document, "article", {
    className: `turn ${turn.kind === "agent" ? "agent" : turn.source}`,
    attributes: { tabindex: "-1", "data-turn": String(place.position) },
  });
  const names = { system: "System", user: "User", context: "Earlier context" };
  const title = turn.kind === "agent" ? `Agent, step ${turn.index + 1}` : names[turn.source];
  const head = element(document, "header");
  head.append(element(document, "h3", { text: title }));
  head.append(
    element(document, "span", { className: "place", text: `${place.position + 1} of ${place.count}` }),
  );
  if (turn.kind === "agent") head.append(element(document, "span", { className: "step-score" }));
  view.append(head);
  if (turn.kind === "message") {
    view.append(textBlock(document, { text: turn.text, label: "", code: false }));
    return view;
  }
  if (turn.thought !== "") {
    view.append(textBlock(document, { text: turn.thought, label: "Thought", code: false }));
  }
  if (turn.message !== "") {
    const label = turn.thought === "" ? "" : "Message";
    view.append(textBlock(document, { text: turn.message, label, code: false }));
  }
  for (const call of turn.calls) view.append(callView(document, call));
  for (const text of turn.observations)
    view.append(textBlock(document, { text, label: "Output", code: true }));
  return view;
}

export function callView(
  document: PageDocument,
  call: Extract<Turn, { readonly kind: "agent" }>["calls"][number],
): PageElement {
  const view = element(document, "section", { className: "call" });
  view.append(element(document, "h4", { text: `→ ${call.tool}` }));
  for (const { name, text } of call.arguments) {
    view.append(textBlock(document, { text, label: name, code: true }));
  }
  const exit = call.exitCode === null ? "" : `, exit code ${call.exitCode}`;
  if (call.output === null) {
    view.append(element(document, "p", { className: "none", text: "The log holds no output of this call." }));
  } else {
    const text = call.output === "" ? "(empty)" : call.output;
    view.append(textBlock(document, { text, label: `Output${exit}`, code: true }));
  }
  return view;
}

export function taskView(document: PageDocument, item: PageItem): PageElement {
  const view = element(document, "section", { className: "task" });
  const facts = [item.task.id, item.task.repo, item.domain].filter((fact) => fact !== "");
  view.append(element(document, "h2", { text: "Task" }));
  view.append(element(document, "p", { className: "facts", text: facts.join(" · ") }));
  if (item.task.description !== "") {
    view.append(textBlock(document, { text: item.task.description, label: "", code: false }));
  }
  if (item.automatic !== undefined) {
    const { reward, success } = item.automatic;
    const verdict = success === null ? "says nothing" : success ? "says solved" : "says not solved";
    const score = reward === null ? "none" : reward.toFixed(3);
    view.append(
      element(document, "p", { className: "facts", text: `Automatic reward ${score}; the log ${verdict}` }),
    );
  }
  return view;
}

/** Radio buttons for one of several answers. `choose` gets the answer's value. */
export function choice(
  document: PageDocument,
  {
    name,
    legend,
    hint,
    answers,
    choose,
  }: {
    readonly name: string;
    readonly legend: string;
    readonly hint: string;
    readonly answers: readonly (readonly [value: string, text: string])[];
    readonly choose: (value: string) => void;
  },
): PageElement {
  const group = element(document, "fieldset", { attributes: { "data-choice": name } });
  group.append(element(document, "legend", { text: legend }));
  const row = element(document, "div", { className: "answers" });
  for (const [value, text] of answers) {
    const id = `${name}-${value}`;
    const input = element(document, "input", { attributes: { type: "radio", name, id, value } });
    input.addEventListener("change", () => choose(value));
    row.append(input, element(document, "label", { text, attributes: { for: id } }));
  }
  group.append(row);
  if (hint !== "") group.append(element(document, "p", { className: "hint", text: hint }));
  return group;
}

export function viewFunctions() {
  return { element, textBlock, setFolded, turnView, callView, taskView, choice };
}

export type Views = ReturnType<typeof viewFunctions>;
