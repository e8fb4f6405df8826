import type { DatasetRequest } from "../contracts/dataset-request.ts";
import { trajectoryKey } from "../contracts/keys.ts";
import { type CurationSection, LISTED } from "../curation/curation-section.ts";
import {
  type Contamination,
  Decontaminator,
  decontaminationSchema,
  type TaskFacts,
} from "../curation/decontaminate.ts";
import { type EvaluationSet, EvaluationSetError, parseEvaluationSet } from "../curation/evaluation-set.ts";
import { type Mixed, mix } from "../curation/mix.ts";
import { NearDuplicates } from "../curation/near-duplicates.ts";
import { traceOf } from "../curation/trace.ts";
import type { Selector } from "../dataset/select.ts";
import { estimateTokens } from "../judge/tokens.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { contentText } from "../trajectory/content.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import { readDocument } from "./compute-tasks.ts";

/** The bytes of an evaluation set that a request names. */
export type EvaluationReader = (path: string) => Promise<Uint8Array>;

/** A request as a version knows it: evaluation sets by name and content, not by where they lay. */
export type DatasetSettings = Readonly<Record<string, unknown>>;

/** What curation asks of a selected trajectory; whatever else it holds comes out again. */
export interface Candidate extends Mixed {
  readonly reward: number | null;
}

export interface Curated<T extends Candidate> {
  readonly selected: readonly T[];
  readonly settings: DatasetSettings;
  /** Absent where neither near-duplicates nor evaluation sets were looked for. */
  readonly section?: CurationSection;
}

interface CurationPorts {
  readonly store: ObjectStore;
  readonly evaluations?: EvaluationReader;
  readonly beat?: () => Promise<void>;
}

/** A trajectory of the selection cannot be read back, so it cannot be compared with others. */
export class CurationError extends Error {
  override readonly name = "CurationError";
  readonly id: string;
  constructor(id: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const remedy = "gymline doctor --deep names all that is damaged and how to mend it";
    super(`trajectory ${id} cannot be compared with others: ${why}. ${remedy}`, { cause });
    this.id = id;
  }
}

/** Documents read side by side. */
const WINDOW = 16;

/** The caps of a request count what is left after curation, so the selection before it has none. */
export function requestBeforeCuration(request: DatasetRequest): DatasetRequest {
  if (!isCurated(request)) return request;
  const { perTask: _perTask, limit: _limit, ...rest } = request;
  return rest;
}

/**
 * Leaves out what the documents speak against: trajectories about tasks of evaluation sets, then near-duplicates of
 * better ones; then applies caps, shares, budget and order. Adds the reasons to the selection's counts. Reads each document at most once.
 * @throws EvaluationSetError, CurationError
 */
export async function curate<T extends Candidate>(
  selection: Pick<Selector, "excluded" | "verdicts"> & { readonly selected: readonly T[] },
  { request, ports }: { readonly request: DatasetRequest; readonly ports: CurationPorts },
): Promise<Curated<T>> {
  const { selected, excluded } = selection;
  const sets = await readSets(request, ports);
  const against = sets.map(({ name, sha256 }) => ({ name, sha256 }));
  const settings = sets.length === 0 ? { ...request } : { ...request, against };
  if (!isCurated(request)) return { selected, settings };

  const threshold = nearOf(request);
  const near = threshold === undefined ? undefined : new NearDuplicates(threshold);
  const config = request.decontamination ?? decontaminationSchema.parse({});
  const decontaminator = sets.length === 0 ? undefined : new Decontaminator(sets, config);
  const reasons = new Map<string, string>();
  const tokens = new Map<string, number>();
  const contaminated: { readonly id: string; readonly found: Contamination }[] = [];
  for await (const { of, trajectory } of readsDocuments(request) ? documents(selected, ports) : []) {
    const facts = trajectory.extra.gymline;
    const found = decontaminator?.match(taskFactsOf(trajectory));
    if (found !== undefined) {
      contaminated.push({ id: of.id, found });
      reasons.set(of.id, CONTAMINATED[found.rule]);
      continue;
    }
    if (request.mix?.tokenBudget !== undefined) tokens.set(of.id, tokensOf(trajectory));
    const { success } = facts.outcome;
    near?.add({ ...of, success, redactions: facts.redaction.total }, traceOf(trajectory));
  }
  const report = near?.report();
  const repeated = (report?.clusters ?? []).flatMap(({ representative, members }) =>
    members.map(({ id, similarity }) => ({ id, of: representative, similarity })),
  );
  for (const { id } of repeated) reasons.set(id, "near-duplicate of a better one");

  const leftOut = (reason: string): void => {
    excluded[reason] = (excluded[reason] ?? 0) + 1;
  };
  const clean = selected.filter(({ id }) => {
    const reason = reasons.get(id);
    if (reason !== undefined) leftOut(reason);
    return reason === undefined;
  });
  const kept = mix(clean, {
    caps: { ...request.mix, perTask: request.perTask, limit: request.limit },
    facts: {
      tokens: (id) => tokens.get(id) ?? 0,
      difficulty: (task) => difficultyOf(selection.verdicts.get(task)),
    },
    leftOut,
  });
  const section: CurationSection = {
    ...(report === undefined
      ? {}
      : {
          near_duplicates: {
            threshold: report.threshold,
            lsh: report.lsh,
            compared: report.trajectories,
            candidates: report.candidates,
            checked: report.checked,
            clusters: report.clusters.length,
            removed: repeated.length,
            entries: repeated.slice(0, LISTED),
          },
        }),
    ...(decontaminator === undefined
      ? {}
      : {
          decontamination: {
            ...config,
            sets: sets.map(setFacts),
            compared: selected.length,
            removed: contaminated.length,
            entries: contaminated.slice(0, LISTED).map(({ id, found }) => ({ id, ...found })),
          },
        }),
  };
  return {
    selected: kept,
    settings,
    ...(report === undefined && decontaminator === undefined ? {} : { section }),
  };
}

const CONTAMINATED: Readonly<Record<Contamination["rule"], string>> = {
  "task-id": "task of an evaluation set, by its id",
  "repository-commit": "task of an evaluation set, by repository and commit",
  text: "task of an evaluation set, by its text",
};

function nearOf({ dedup }: DatasetRequest): number | undefined {
  return typeof dedup === "object" ? dedup.near : undefined;
}

/** Whether anything is compared, balanced or put in order once the filters are through. */
export function isCurated(request: DatasetRequest): boolean {
  return readsDocuments(request) || request.mix !== undefined;
}

function readsDocuments(request: DatasetRequest): boolean {
  const { against = [], mix: wanted } = request;
  return nearOf(request) !== undefined || against.length > 0 || wanted?.tokenBudget !== undefined;
}

/** Estimated from characters: of all messages, arguments and results. */
function tokensOf({ steps }: Trajectory): number {
  let tokens = 0;
  for (const { message, tool_calls: calls, observation } of steps) {
    tokens += estimateTokens(contentText(message));
    for (const call of calls ?? [])
      tokens += estimateTokens(call.function_name + JSON.stringify(call.arguments));
    for (const { content } of observation?.results ?? []) tokens += estimateTokens(contentText(content));
  }
  return tokens;
}

function difficultyOf(task: { readonly known: number; readonly solved: number } | undefined): number | null {
  return task === undefined || task.known === 0 ? null : 1 - task.solved / task.known;
}

async function readSets(
  { against = [] }: DatasetRequest,
  { evaluations }: CurationPorts,
): Promise<readonly EvaluationSet[]> {
  const sets: EvaluationSet[] = [];
  for (const path of against) {
    if (evaluations === undefined) {
      throw new EvaluationSetError(
        `the evaluation set ${path} cannot be read where this dataset is made; export it with gymline export --against`,
      );
    }
    sets.push(parseEvaluationSet(await evaluations(path), path));
  }
  return sets;
}

/** The documents in the order of the selection, a few read ahead. */
async function* documents<T extends Candidate>(
  selected: readonly T[],
  { store, beat }: CurationPorts,
): AsyncGenerator<{ readonly of: T; readonly trajectory: Trajectory }> {
  const underWay: { readonly of: T; readonly bytes: Promise<Uint8Array> }[] = [];
  const settle = async (next: (typeof underWay)[number]) => {
    await beat?.();
    try {
      return { of: next.of, trajectory: readDocument(await next.bytes) };
    } catch (cause) {
      throw new CurationError(next.of.id, cause);
    }
  };
  try {
    for (const of of selected) {
      const bytes = store.read(trajectoryKey(of.id));
      bytes.catch(() => undefined);
      underWay.push({ of, bytes });
      const next = underWay.length >= WINDOW ? underWay.shift() : undefined;
      if (next !== undefined) yield await settle(next);
    }
    for (let next = underWay.shift(); next !== undefined; next = underWay.shift()) yield await settle(next);
  } finally {
    await Promise.allSettled(underWay.map(({ bytes }) => bytes));
  }
}

/** What a trajectory says of its task: with texts of the system and the user up to the agent's first step. */
export function taskFactsOf(trajectory: Trajectory): TaskFacts {
  const { id, repo, base_commit: commit, description } = trajectory.extra.gymline.task;
  const first = trajectory.steps.findIndex(({ source }) => source === "agent");
  const before = first < 0 ? trajectory.steps : trajectory.steps.slice(0, first);
  return {
    id: id ?? null,
    repo: repo ?? null,
    commit: commit ?? null,
    texts: [
      ...(description === undefined ? [] : [description]),
      ...before.map(({ message }) => contentText(message)),
    ],
  };
}

function setFacts({
  name,
  sha256,
  items,
}: EvaluationSet): NonNullable<CurationSection["decontamination"]>["sets"][number] {
  return {
    name,
    sha256,
    items: items.length,
    with_id: items.filter(({ id }) => id !== null).length,
    with_commit: items.filter(({ repo, commit }) => repo !== null && commit !== null).length,
    with_text: items.filter(({ texts }) => texts.length > 0).length,
  };
}
