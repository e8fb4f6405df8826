import type { PageData } from "../page-data.ts";
import type { PageDocument, PageElement, PageEvent, PageWindow } from "./dom.ts";
import type { Action, Command, Draft, Logic, State } from "./logic.ts";
import type { Views } from "./views.ts";

export interface PageParts {
  readonly document: PageDocument;
  readonly window: PageWindow;
  readonly page: PageData;
  readonly logic: Logic;
  readonly views: Views;
}

/**
 * Brings an annotation page to life. The page holds the text of this function, so all it needs comes as an argument.
 * State goes through `logic.reduce`; here is only what a browser does: draw, listen, keep, save.
 */
export function startPage({ document, window, page, logic, views }: PageParts): void {
  const at = (): string => new window.Date().toISOString();
  const byId = (id: string): PageElement => {
    const found = document.getElementById(id);
    if (found === null) throw new Error(`the page has no element "${id}"`);
    return found;
  };
  const keep = `gymline.annotation.${page.page_id}`;
  let state: State = logic.firstState("");
  let drawn = -1;
  let unsaved = false;

  function kept(key: string): string | null {
    try {
      return window.localStorage.getItem(key);
    } catch {
      return null;
    }
  }

  function say(text: string): void {
    byId("status").textContent = text;
  }

  function autosave(): void {
    if (state.annotator === "") return;
    try {
      window.localStorage.setItem(keep, state.annotator);
      window.localStorage.setItem(`${keep}.${state.annotator}`, JSON.stringify(state.drafts));
      say("");
    } catch {
      say("this browser keeps nothing: save the file before you leave");
    }
  }

  function restored(annotator: string): Readonly<Record<string, Draft>> {
    try {
      const value: unknown = JSON.parse(kept(`${keep}.${annotator}`) ?? "{}");
      return typeof value === "object" && value !== null ? (value as Record<string, Draft>) : {};
    } catch {
      return {};
    }
  }

  function act(action: Action): void {
    const before = state.drafts;
    state = logic.reduce(state, action, { page, at: at() });
    if (state.drafts !== before) {
      unsaved = true;
      autosave();
    }
    draw();
    if (action.type === "turn" || action.type === "go") showTurn();
  }

  function showTurn(): void {
    const turn = byId(`turn-${state.turn}`);
    turn.focus({ preventScroll: true });
    turn.scrollIntoView({ block: "nearest" });
  }

  function drawItem(): void {
    const item = page.items[state.item];
    if (item === undefined) return;
    const count = item.turns.length;
    const turns = item.turns.map((turn, position) => {
      const view = views.turnView(document, turn, { position, count });
      view.id = `turn-${position}`;
      view.addEventListener("click", () => {
        if (state.turn !== position) act({ type: "go", item: state.item, turn: position });
      });
      return view;
    });
    byId("trajectory").replaceChildren(views.taskView(document, item), ...turns);
    const scores = ["1", "2", "3", "4", "5"].map((digit) => [digit, digit] as const);
    const rubrics = item.rubrics.map(({ id, name, description }) =>
      views.choice(document, {
        name: `rubric-${id}`,
        legend: name,
        hint: description,
        answers: scores,
        choose: (value) =>
          act({ type: "rate", score: (Number(value) - 1) / 4, target: { kind: "rubric", id } }),
      }),
    );
    byId("rubrics").replaceChildren(...rubrics);
    byId("comment").value = logic.draftOf(state, item.id).comment;
    byId("jump").value = String(state.item);
    window.scrollTo(0, 0);
    drawn = state.item;
  }

  function check(name: string, value: string | null): void {
    for (const input of byId("panel").querySelectorAll(`[name="${name}"]`)) {
      input.checked = input.value === value;
    }
  }

  function digitOf(score: number | null | undefined): string | null {
    return score === null || score === undefined ? null : String(Math.round(score * 4) + 1);
  }

  function draw(): void {
    const item = page.items[state.item];
    if (item === undefined) return;
    if (drawn !== state.item) drawItem();
    const draft = logic.draftOf(state, item.id);
    check("overall", digitOf(draft.score));
    check("solved", draft.solved);
    for (const { id } of item.rubrics) check(`rubric-${id}`, digitOf(draft.rubrics[id]));
    const { target } = state;
    const wanted = target.kind === "rubric" ? `rubric-${target.id}` : target.kind;
    for (const group of byId("panel").querySelectorAll("[data-choice]")) {
      const name = (group as unknown as { getAttribute(name: string): string }).getAttribute("data-choice");
      group.className = name === wanted ? "target" : "";
    }
    item.turns.forEach((turn, position) => {
      const view = byId(`turn-${position}`);
      const current = position === state.turn;
      const scored = turn.kind === "agent" ? digitOf(draft.steps[String(turn.index)]) : null;
      view.className = `turn ${turn.kind === "agent" ? "agent" : turn.source}${current ? " current" : ""}${
        current && target.kind === "step" ? " target" : ""
      }`;
      for (const mark of view.querySelectorAll(".step-score")) {
        mark.textContent = scored === null ? "" : `step score ${scored}`;
      }
    });
    byId("target").textContent =
      target.kind === "step"
        ? "Digits score the marked step"
        : target.kind === "rubric"
          ? "Digits score the marked rubric"
          : "Digits score the whole trajectory";
    const done = logic.doneCount(state, page);
    byId("count").textContent = `${done} of ${page.items.length} scored`;
    byId("progress").value = String(done);
    byId("progress").setAttribute("value", String(done));
    byId("place").textContent = `Trajectory ${state.item + 1} of ${page.items.length}`;
    byId("who").textContent = state.annotator;
    byId("save").textContent = unsaved ? "Save file ●" : "Save file";
    byId("save").setAttribute("title", unsaved ? "labels are kept in this browser, but in no file yet" : "");
    const options = [...byId("jump").querySelectorAll("option")];
    options.forEach((option, index) => {
      const id = page.items[index]?.id ?? "";
      const mark = logic.draftOf(state, id).score === null ? "○" : "●";
      option.textContent = `${mark} ${index + 1}  ${id.slice(0, 10)}`;
    });
  }

  function save(): void {
    const content = JSON.stringify(logic.labelsFile(state, { page, at: at() }), null, 2);
    const url = window.URL.createObjectURL(new window.Blob([`${content}\n`], { type: "application/json" }));
    const name = `labels-${state.annotator}-${page.page_id}.json`;
    const link = views.element(document, "a", { attributes: { href: url, download: name } });
    document.body.append(link);
    link.click();
    link.remove();
    window.setTimeout(() => window.URL.revokeObjectURL(url), 10000);
    unsaved = false;
    draw();
    say(`saved as ${name}`);
  }

  async function load(): Promise<void> {
    const file = byId("file").files?.[0];
    if (file === undefined) return;
    const result = logic.takenFrom(await file.text(), { state, page });
    byId("file").value = "";
    if (typeof result === "string") {
      say(result);
      return;
    }
    state = result.state;
    drawn = -1;
    autosave();
    draw();
    const foreign = result.foreign === 0 ? "" : `; ${result.foreign} of other pages left out`;
    say(`went on from the file of ${state.annotator}: ${result.taken} taken${foreign}`);
  }

  function fold(): void {
    const turn = byId(`turn-${state.turn}`);
    for (const button of turn.querySelectorAll("button.fold")) button.click();
  }

  function toggle(id: string): void {
    const dialog = byId(id);
    if (dialog.open) dialog.close();
    else dialog.showModal();
  }

  function named(text: string): void {
    const annotator = logic.annotatorOf(text);
    if (annotator === undefined) {
      byId("name-fault").textContent = "Give a name of letters or digits.";
      return;
    }
    state = logic.reduce(
      state,
      { type: "restore", annotator, drafts: restored(annotator) },
      { page, at: at() },
    );
    drawn = -1;
    autosave();
    draw();
    if (byId("name-dialog").open) byId("name-dialog").close();
  }

  function isTyping(): boolean {
    const active = document.activeElement;
    if (active === null) return false;
    if (active.tagName === "TEXTAREA" || active.tagName === "SELECT") return true;
    return active.tagName === "INPUT" && active.type !== "radio";
  }

  function command(name: Command): void {
    if (name === "save") save();
    else if (name === "fold") fold();
    else if (name === "help") toggle("help");
    else byId("comment").focus();
  }

  function pressed(event: PageEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (byId("name-dialog").open) return;
    // The browser closes a dialog at Escape by itself.
    if (byId("help").open && event.key !== "?") return;
    if (isTyping()) {
      if (event.key === "Escape") document.activeElement?.blur();
      return;
    }
    const meaning = logic.meaningOf(event.key);
    if (meaning === undefined) return;
    event.preventDefault();
    if (typeof meaning === "string") command(meaning);
    else act(meaning);
  }

  function askName(): void {
    byId("name").value = state.annotator === "" ? page.annotator : state.annotator;
    byId("name-fault").textContent = "";
    byId("name-dialog").showModal();
  }

  const rows = logic.keyTable().map(([keys, meaning]) => {
    const row = views.element(document, "tr");
    row.append(
      views.element(document, "th", { text: keys, attributes: { scope: "row" } }),
      views.element(document, "td", { text: meaning }),
    );
    return row;
  });
  byId("keys").replaceChildren(...rows);
  byId("progress").setAttribute("max", String(page.items.length));
  byId("jump").replaceChildren(
    ...page.items.map((_, index) =>
      views.element(document, "option", { attributes: { value: String(index) } }),
    ),
  );
  byId("overall").replaceChildren(
    views.choice(document, {
      name: "overall",
      legend: "Overall quality",
      hint: "1 useless, 5 as good as can be",
      answers: ["1", "2", "3", "4", "5"].map((digit) => [digit, digit] as const),
      choose: (value) => act({ type: "rate", score: (Number(value) - 1) / 4, target: { kind: "overall" } }),
    }),
    views.choice(document, {
      name: "solved",
      legend: "Was the task solved?",
      hint: "",
      answers: [
        ["yes", "yes"],
        ["no", "no"],
        ["unclear", "unclear"],
      ],
      choose: (value) => {
        if (value === "yes" || value === "no" || value === "unclear") act({ type: "solved", solved: value });
      },
    }),
  );
  const clicks: readonly (readonly [string, () => void])[] = [
    ["save", save],
    ["load", () => byId("file").click()],
    ["show-help", () => toggle("help")],
    ["close-help", () => toggle("help")],
    ["who", askName],
    ["take-name", () => named(byId("name").value)],
    ["previous", () => act({ type: "item", by: -1 })],
    ["next", () => act({ type: "item", by: 1 })],
  ];
  for (const [id, work] of clicks) byId(id).addEventListener("click", work);
  byId("name-dialog").addEventListener("cancel", (event) => {
    if (state.annotator === "") event.preventDefault();
  });
  byId("name").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    named(byId("name").value);
  });
  byId("file").addEventListener("change", () => void load());
  byId("jump").addEventListener("change", () => act({ type: "go", item: Number(byId("jump").value) }));
  byId("comment").addEventListener("input", () => act({ type: "comment", text: byId("comment").value }));
  document.addEventListener("keydown", pressed);
  const last = page.annotator === "" ? (kept(keep) ?? "") : page.annotator;
  if (logic.annotatorOf(last) === undefined) {
    draw();
    askName();
  } else named(last);
}
