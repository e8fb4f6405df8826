import type { PageData } from "../page-data.ts";

/**
 * What an annotation page does, without a browser. The page holds the text of these functions: each may call the
 * others here and nothing else, and nothing but functions is shared between them.
 */

export type Solved = "yes" | "no" | "unclear";

/** What somebody said of one trajectory so far. It becomes a label once there is an overall score. */
export interface Draft {
  readonly score: number | null;
  readonly solved: Solved | null;
  readonly rubrics: Readonly<Record<string, number>>;
  /** By index of the agent step. */
  readonly steps: Readonly<Record<string, number>>;
  readonly comment: string;
  /** ISO 8601, of the last change. */
  readonly at: string;
}

/** What the next digit scores. */
export type Target =
  | { readonly kind: "overall" }
  | { readonly kind: "rubric"; readonly id: string }
  | { readonly kind: "step" };

export interface State {
  readonly annotator: string;
  readonly item: number;
  readonly turn: number;
  readonly target: Target;
  readonly drafts: Readonly<Record<string, Draft>>;
}

export type Action =
  | { readonly type: "turn"; readonly by: 1 | -1 }
  | { readonly type: "item"; readonly by: 1 | -1 }
  | { readonly type: "go"; readonly item: number; readonly turn?: number }
  | { readonly type: "next-open" }
  /** In [0, 1]; null takes the score away. Without `target`, of what is chosen. */
  | { readonly type: "rate"; readonly score: number | null; readonly target?: Target }
  | { readonly type: "solved"; readonly solved: Solved | null }
  | { readonly type: "target"; readonly target: Target }
  | { readonly type: "next-rubric" }
  | { readonly type: "comment"; readonly text: string }
  | {
      readonly type: "restore";
      readonly annotator: string;
      readonly drafts: Readonly<Record<string, Draft>>;
    };

/** What a key asks for that changes no label. */
export type Command = "focus-comment" | "fold" | "save" | "help";

export function keyTable(): readonly (readonly [keys: string, meaning: string])[] {
  return [
    ["j / k", "next / previous step"],
    ["l / h", "next / previous trajectory"],
    ["g", "next trajectory without an overall score"],
    ["1 – 5", "score: 1 useless, 5 as good as can be"],
    ["y / n / u", "solved: yes / no / unclear"],
    ["r", "the next digit scores a rubric; again: the next rubric"],
    ["s", "the next digit scores the step that is marked"],
    ["Esc", "digits score the whole trajectory again; leave a field"],
    ["x", "take back the score that digits set"],
    ["c", "write a comment"],
    ["o", "show or fold the long texts of the step"],
    ["w", "save the labels as a file"],
    ["?", "this help"],
  ];
}

/** What a key press means outside of text fields; undefined: nothing, the browser may have it. */
export function meaningOf(key: string): Action | Command | undefined {
  if (/^[1-5]$/.test(key)) return { type: "rate", score: (Number(key) - 1) / 4 };
  switch (key) {
    case "j":
      return { type: "turn", by: 1 };
    case "k":
      return { type: "turn", by: -1 };
    case "l":
      return { type: "item", by: 1 };
    case "h":
      return { type: "item", by: -1 };
    case "g":
      return { type: "next-open" };
    case "y":
      return { type: "solved", solved: "yes" };
    case "n":
      return { type: "solved", solved: "no" };
    case "u":
      return { type: "solved", solved: "unclear" };
    case "r":
      return { type: "next-rubric" };
    case "s":
      return { type: "target", target: { kind: "step" } };
    case "Escape":
      return { type: "target", target: { kind: "overall" } };
    case "x":
      return { type: "rate", score: null };
    case "c":
      return "focus-comment";
    case "o":
      return "fold";
    case "w":
      return "save";
    case "?":
      return "help";
    default:
      return undefined;
  }
}

export function firstState(annotator: string): State {
  return { annotator, item: 0, turn: 0, target: { kind: "overall" }, drafts: {} };
}

export function emptyDraft(): Draft {
  return { score: null, solved: null, rubrics: {}, steps: {}, comment: "", at: "" };
}

export function draftOf(state: State, id: string): Draft {
  return state.drafts[id] ?? emptyDraft();
}

/** The state after an action at the time `at` (ISO 8601). */
export function reduce(
  state: State,
  action: Action,
  { page, at }: { readonly page: PageData; readonly at: string },
): State {
  const item = page.items[state.item];
  if (item === undefined) return state;
  const draft = draftOf(state, item.id);
  const changed = (more: Partial<Draft>): State => ({
    ...state,
    drafts: { ...state.drafts, [item.id]: { ...draft, ...more, at } },
  });
  switch (action.type) {
    case "turn":
      return { ...state, turn: within(state.turn + action.by, item.turns.length) };
    case "item":
      return wentTo(state, within(state.item + action.by, page.items.length));
    case "go": {
      const to = wentTo(state, within(action.item, page.items.length));
      const turns = page.items[to.item]?.turns.length ?? 0;
      return action.turn === undefined ? to : { ...to, turn: within(action.turn, turns) };
    }
    case "next-open":
      return wentTo(state, nextOpen(state, page));
    case "rate": {
      const target = action.target ?? state.target;
      return afterRating(
        changed(rated(draft, { target, score: action.score, turn: item.turns[state.turn] })),
        {
          page,
          // A score given with the mouse leaves what digits set as it is.
          chosen: action.target === undefined,
          taken: action.score === null,
        },
      );
    }
    case "solved":
      return changed({ solved: action.solved });
    case "comment":
      return changed({ comment: action.text.slice(0, 10000) });
    case "target":
      return { ...state, target: action.target };
    case "next-rubric":
      return { ...state, target: nextRubric(state, page) };
    case "restore":
      return { ...state, annotator: action.annotator, drafts: action.drafts, target: { kind: "overall" } };
  }
}

function within(index: number, length: number): number {
  return Math.max(0, Math.min(index, length - 1));
}

function wentTo(state: State, item: number): State {
  return item === state.item ? state : { ...state, item, turn: 0, target: { kind: "overall" } };
}

/** The next trajectory without an overall score, round the end; this one where all have one. */
function nextOpen(state: State, page: PageData): number {
  for (let step = 1; step <= page.items.length; step += 1) {
    const index = (state.item + step) % page.items.length;
    const item = page.items[index];
    if (item !== undefined && draftOf(state, item.id).score === null) return index;
  }
  return state.item;
}

function rated(
  draft: Draft,
  options: {
    readonly target: Target;
    readonly score: number | null;
    readonly turn: PageData["items"][number]["turns"][number] | undefined;
  },
): Partial<Draft> {
  const { target, score, turn } = options;
  if (target.kind === "overall") return { score };
  if (target.kind === "rubric") return { rubrics: withScore(draft.rubrics, target.id, score) };
  // Only what the agent did can be scored.
  if (turn === undefined || turn.kind !== "agent") return {};
  return { steps: withScore(draft.steps, String(turn.index), score) };
}

function withScore(
  scores: Readonly<Record<string, number>>,
  key: string,
  score: number | null,
): Readonly<Record<string, number>> {
  const others = Object.entries(scores).filter(([name]) => name !== key);
  return Object.fromEntries(score === null ? others : [...others, [key, score]]);
}

/** After a rubric comes the next one, after the last one and after a step the whole trajectory. */
function afterRating(
  state: State,
  options: { readonly page: PageData; readonly chosen: boolean; readonly taken: boolean },
): State {
  if (!options.chosen || options.taken) return state;
  if (state.target.kind === "step") return { ...state, target: { kind: "overall" } };
  return state.target.kind === "rubric" ? { ...state, target: nextRubric(state, options.page) } : state;
}

function nextRubric(state: State, page: PageData): Target {
  const rubrics = page.items[state.item]?.rubrics ?? [];
  const { target } = state;
  const at = target.kind === "rubric" ? rubrics.findIndex(({ id }) => id === target.id) : -1;
  const next = rubrics[at + 1];
  return next === undefined ? { kind: "overall" } : { kind: "rubric", id: next.id };
}

/** How many trajectories of the page have an overall score. */
export function doneCount(state: State, page: PageData): number {
  return page.items.filter(({ id }) => draftOf(state, id).score !== null).length;
}

/** A name as it may stand in keys: "Ann Lee" becomes "ann-lee"; undefined where nothing of it may. */
export function annotatorOf(text: string): string | undefined {
  const name = text
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+|-+$/g, "")
    .slice(0, 64);
  return name === "" ? undefined : name;
}

/** The file that is saved (`gymline.labels.v1`), in the order of the page. */
export function labelsFile(
  state: State,
  { page, at }: { readonly page: PageData; readonly at: string },
): Readonly<Record<string, unknown>> {
  const said = page.items.flatMap(({ id }) => {
    const draft = state.drafts[id];
    return draft === undefined ? [] : [{ id, draft }];
  });
  const common = ({ id, draft }: { readonly id: string; readonly draft: Draft }) => ({
    trajectory_id: id,
    success: draft.solved === "yes" ? true : draft.solved === "no" ? false : null,
    rubrics: draft.rubrics,
    steps: Object.entries(draft.steps).map(([index, score]) => ({ index: Number(index), score })),
    comment: draft.comment,
    labelled_at: draft.at,
  });
  return {
    schema: "gymline.labels.v1",
    annotator: state.annotator,
    page_id: page.page_id,
    saved_at: at,
    labels: said.flatMap(({ id, draft }) =>
      draft.score === null
        ? []
        : [
            {
              schema: "gymline.label.v1",
              annotator: state.annotator,
              score: draft.score,
              ...common({ id, draft }),
            },
          ],
    ),
    drafts: said.flatMap((each) => (each.draft.score === null ? [common(each)] : [])),
  };
}

/**
 * Goes on from a saved file: what it says of trajectories of this page, unless newer things stand here already. A text
 * gives the reason why the file is of no use.
 */
export function takenFrom(
  text: string,
  { state, page }: { readonly state: State; readonly page: PageData },
): { readonly state: State; readonly taken: number; readonly foreign: number } | string {
  let file: Record<string, unknown>;
  try {
    file = JSON.parse(text);
  } catch {
    return "The file is no JSON: choose one that this page saved.";
  }
  if (file?.["schema"] !== "gymline.labels.v1" || typeof file["annotator"] !== "string") {
    return "The file holds no labels (gymline.labels.v1): choose one that this page saved.";
  }
  const annotator = annotatorOf(file["annotator"]) ?? state.annotator;
  // Another person's labels take the place of those on the page, which stay in the browser under their own name.
  const drafts: Record<string, Draft> = annotator === state.annotator ? { ...state.drafts } : {};
  const known = new Set(page.items.map(({ id }) => id));
  let taken = 0;
  let foreign = 0;
  for (const list of [file["labels"], file["drafts"]]) {
    for (const value of Array.isArray(list) ? list : []) {
      const id = String(value?.["trajectory_id"]);
      if (!known.has(id)) {
        foreign += 1;
        continue;
      }
      const draft = draftFrom(value);
      if ((drafts[id]?.at ?? "") > draft.at) continue;
      drafts[id] = draft;
      taken += 1;
    }
  }
  const restored = reduce(state, { type: "restore", annotator, drafts }, { page, at: "" });
  return { state: restored, taken, foreign };
}

function draftFrom(value: Readonly<Record<string, unknown>>): Draft {
  const { score, success, rubrics, steps, comment, labelled_at: at } = value;
  const pairs = (Array.isArray(steps) ? steps : []).map(
    (step) => [String(step?.["index"]), step?.["score"]] as const,
  );
  return {
    score: isScore(score) ? score : null,
    solved: success === true ? "yes" : success === false ? "no" : null,
    rubrics: scoresOf(Object.entries(typeof rubrics === "object" && rubrics !== null ? rubrics : {})),
    steps: scoresOf(pairs),
    comment: typeof comment === "string" ? comment : "",
    at: typeof at === "string" ? at : "",
  };
}

function scoresOf(pairs: readonly (readonly [string, unknown])[]): Readonly<Record<string, number>> {
  return Object.fromEntries(pairs.flatMap(([key, score]) => (isScore(score) ? [[key, score] as const] : [])));
}

function isScore(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 1;
}

/** All of the above, by name, as the page needs them. */
export function logicFunctions() {
  return {
    keyTable,
    meaningOf,
    firstState,
    emptyDraft,
    draftOf,
    reduce,
    within,
    wentTo,
    nextOpen,
    rated,
    withScore,
    afterRating,
    nextRubric,
    doneCount,
    annotatorOf,
    labelsFile,
    takenFrom,
    draftFrom,
    scoresOf,
    isScore,
  };
}

export type Logic = ReturnType<typeof logicFunctions>;
