import type { DatasetRequest } from "../contracts/dataset-request.ts";
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
import type { Compute } from "../ports/compute.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CountedTokens } from "../tokenizer/token-counter.ts";
import type { TokenizerReader } from "../tokenizer/tokenizer-files.ts";
import { contentText } from "../trajectory/content.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import { readDocument } from "./compute-tasks.ts";
import { countingFor, countsTokens } from "./count-tokens.ts";
import { selectedDocuments } from "./selected-documents.ts";

/** The bytes of an evaluation set that a request names. */
export type EvaluationReader = (path: string) => Promise<Uint8Array>;

/** A request as a version knows it: evaluation sets and tokenizer by their contents, not by where they lay. */
export type DatasetSettings = Readonly<Record<string, unknown>>;

/** What curation asks of a selected trajectory; whatever else it holds comes out again. */
export interface Candidate extends Mixed {
  readonly reward: number | null;
}

export interface Curated<T extends Candidate> {
  readonly selected: readonly T[];
  readonly settings: DatasetSettings;
  /** Absent where nothing was compared and nothing balanced. */
  readonly section?: CurationSection;
  /** Absent where no tokenizer was given. */
  readonly tokens?: CountedTokens;
}

interface CurationPorts {
  readonly store: ObjectStore;
  readonly compute: Compute;
  readonly evaluations?: EvaluationReader;
  readonly tokenizers?: TokenizerReader;
  readonly beat?: () => Promise<void>;
}

/** The caps of a request count what is left after curation, so the selection before it has none. */
export function requestBeforeCuration(request: DatasetRequest): DatasetRequest {
  if (!isCurated(request)) return request;
  const { perTask: _perTask, limit: _limit, ...rest } = request;
  return rest;
}

/**
 * Leaves out what the documents speak against: trajectories about tasks of evaluation sets, those with too few or too
 * many tokens, then near-duplicates of better ones; then applies caps, shares, budget and order. Adds the reasons to the
 * selection's counts. Reads each document at most once.
 * @throws EvaluationSetError, TokenizerError, CurationError
 */
export async function curate<T extends Candidate>(
  selection: Pick<Selector, "excluded" | "verdicts"> & { readonly selected: readonly T[] },
  { request, ports }: { readonly request: DatasetRequest; readonly ports: CurationPorts },
): Promise<Curated<T>> {
  const { selected, excluded } = selection;
  const sets = await readSets(request, ports);
  const against = sets.map(({ name, sha256 }) => ({ name, sha256 }));
  const counting = await countingFor(request, ports);
  const { tokenizer: _path, ...asked } = request;
  const settings = {
    ...asked,
    ...(sets.length === 0 ? {} : { against }),
    ...(counting?.by === undefined ? {} : { tokenizer: { sha256: counting.by.tokenizer.sha256 } }),
  };
  if (!isCurated(request)) return { selected, settings };

  const threshold = nearOf(request);
  const near = threshold === undefined ? undefined : new NearDuplicates(threshold);
  const config = request.decontamination ?? decontaminationSchema.parse({});
  const decontaminator = sets.length === 0 ? undefined : new Decontaminator(sets, config);
  const reasons = new Map<string, string>();
  const contaminated: { readonly id: string; readonly found: Contamination }[] = [];
  const look = async ({ id }: T, document: Uint8Array) => {
    // Only tokens are counted elsewhere: for them alone, no document is read here.
    const trajectory =
      near === undefined && decontaminator === undefined ? undefined : readDocument(document);
    const found = trajectory && decontaminator?.match(taskFactsOf(trajectory));
    if (found !== undefined) return { found };
    const unfit = counting?.reasonAgainst(id, await counting.count(document));
    if (unfit !== undefined || near === undefined || trajectory === undefined) return { unfit };
    const { outcome, redaction } = trajectory.extra.gymline;
    const facts = { success: outcome.success, redactions: redaction.total };
    return { compared: { facts, trace: traceOf(trajectory) } };
  };
  const looked = readsDocuments(request) ? selectedDocuments(selected, { ...ports, look }) : [];
  for await (const { of, result } of looked) {
    const { found, unfit, compared } = result;
    if (found !== undefined) {
      contaminated.push({ id: of.id, found });
      reasons.set(of.id, CONTAMINATED[found.rule]);
    }
    if (unfit !== undefined) reasons.set(of.id, unfit);
    if (compared !== undefined) near?.add({ ...of, ...compared.facts }, compared.trace);
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
  const mixed = mix(clean, {
    caps: { ...request.mix, perTask: request.perTask, limit: request.limit },
    facts: {
      tokens: (id) => counting?.of(id) ?? 0,
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
    ...(request.mix?.balance === undefined || mixed.groups === undefined
      ? {}
      : { mix: { balance: request.mix.balance, groups: [...mixed.groups] } }),
  };
  const counted = counting?.counted();
  return {
    selected: mixed.rows,
    settings,
    ...(Object.keys(section).length === 0 ? {} : { section }),
    ...(counted === undefined ? {} : { tokens: counted }),
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
  const { against = [] } = request;
  return nearOf(request) !== undefined || against.length > 0 || countsTokens(request);
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
