import { createHash } from "node:crypto";
import type { CatalogEntry } from "../contracts/catalog-row.ts";
import type { DatasetRequest } from "../contracts/dataset-request.ts";
import type { CurationSection } from "../curation/curation-section.ts";
import type { Manifest } from "../dataset/manifest.ts";
import { reasonAmongAll } from "../dataset/select.ts";
import { SplitKeys } from "../dataset/split.ts";
import { targetOf } from "../dataset/targets/targets.ts";
import { type AttemptEntry, AttemptTable, type Tasks } from "../preferences/attempt-table.ts";
import { Counts } from "../preferences/counts.ts";
import type { VotedPair } from "../preferences/votes.ts";
import type { CountedTokens } from "../tokenizer/token-counter.ts";
import { votedPreferences } from "../votes/voted-preferences.ts";
import { attemptRows } from "./attempt-rows.ts";
import { curate, type DatasetSettings, isCurated } from "./curate.ts";
import {
  type DatasetPlan,
  type PlanPorts,
  SizeLimit,
  type VersionHash,
  versionHash,
  versionText,
} from "./dataset-plan.ts";
import type { MadeRow, RowPorts } from "./dataset-rows.ts";
import { pairRows } from "./pair-rows.ts";
import { storedVotes } from "./store-votes.ts";
import { taskRows } from "./task-rows.ts";

/** What the rows of groups are made from. */
export interface GroupWork {
  readonly request: DatasetRequest;
  /** In the order of their keys; the attempts of each the best first. */
  readonly tasks: Tasks;
  readonly votes: readonly VotedPair[];
  /** By which key a task is split. */
  readonly splitKey: (task: string) => string;
  /** Trajectories left out, pairs and tasks that make no row. */
  readonly excluded: Counts;
  readonly pairsLeftOut: Counts;
  readonly tasksLeftOut: Counts;
  readonly ports: RowPorts;
}

/**
 * Plans a dataset whose rows are made of several attempts at a task. Of each trajectory a few facts are held; texts are
 * read task by task.
 */
export async function planGroups(request: DatasetRequest, ports: PlanPorts): Promise<DatasetPlan> {
  const excluded = new Counts();
  const [pairsLeftOut, tasksLeftOut] = [new Counts(), new Counts()];
  const now = ports.clock.now();
  const picked = new Picked(request, ports);
  const splitKeys = new SplitKeys(request.split);
  let considered = 0;
  const scope = request.project === undefined ? {} : { project: request.project };
  for await (const entry of ports.catalog.select({ ...scope, includeSuperseded: true })) {
    considered += 1;
    splitKeys.note(entry);
    const reason = reasonAmongAll(entry, { request, now });
    if (reason === undefined) picked.add(entry);
    else excluded.add(reason);
  }
  const { table, hash, settings, section, tokens } = await picked.settle(excluded);
  const votes = await wantedVotes(request, ports);
  hash.update(createHash("sha256").update(JSON.stringify(votes)).digest());
  const { limit } = request;
  const tasks =
    limit === undefined
      ? table.tasks()
      : table.tasksWithin(limit, (attempts) => excluded.add("over the limit", attempts));
  const splitKey = (task: string): string => splitKeys.of(task);
  const work: GroupWork = { request, tasks, votes, splitKey, excluded, pairsLeftOut, tasksLeftOut, ports };
  return {
    version: versionText(hash),
    settings: { ...request, ...settings },
    ...(section === undefined ? {} : { curation: section }),
    ...(tokens === undefined ? {} : { tokens }),
    considered,
    trajectories: tasks.attempts,
    excluded,
    splitKey,
    rows: () => rowsOf(work),
    facts: () => ({
      ...recordOf("pairs_left_out", pairsLeftOut),
      ...recordOf("tasks_left_out", tasksLeftOut),
    }),
  };
}

type Candidate = AttemptEntry & Pick<CatalogEntry, "revision" | "domain">;

function candidateOf({ id, revision, taskKey, contentId, domain, ...more }: CatalogEntry): Candidate {
  const { agentSteps, success, outcomeScore, scorer, reward, outcome, process, efficiency } = more;
  const layers = { scorer, reward, outcome, process, efficiency };
  return { id, revision, taskKey, contentId, domain, agentSteps, success, outcomeScore, ...layers };
}

/**
 * What passed the filters. Each goes straight into the table and the version's hash, unless curation has a word:
 * that takes a list of them all, some 600 bytes each.
 */
class Picked {
  readonly #request: DatasetRequest;
  readonly #ports: PlanPorts;
  readonly #table: AttemptTable;
  readonly #excluded = new Counts();
  readonly #list: Candidate[] | undefined;
  readonly #size: SizeLimit;
  #hash: VersionHash;

  constructor(request: DatasetRequest, ports: PlanPorts) {
    this.#request = request;
    this.#ports = ports;
    this.#table = new AttemptTable(request.pairs);
    this.#size = new SizeLimit(request, ports);
    this.#list = isCurated(withoutCaps(request)) ? [] : undefined;
    this.#hash = versionHash(request.target, { ...request });
  }

  /** @throws DatasetTooLargeError */
  add(entry: CatalogEntry): void {
    this.#size.add(entry);
    if (this.#list === undefined) this.#take(entry);
    else this.#list.push(candidateOf(entry));
  }

  /** @throws what curation throws */
  async settle(excluded: Counts): Promise<{
    readonly table: AttemptTable;
    readonly hash: VersionHash;
    readonly settings: DatasetSettings;
    readonly section?: CurationSection;
    readonly tokens?: CountedTokens;
  }> {
    const left: Record<string, number> = {};
    const request = withoutCaps(this.#request);
    const { selected, settings, section, tokens } = await curate(
      { selected: this.#list ?? [], excluded: left, verdicts: new Map() },
      { request, ports: this.#ports },
    );
    excluded.merge(left);
    if (this.#list !== undefined) {
      const { against, tokenizer } = settings;
      this.#hash = versionHash(this.#request.target, { ...this.#request, against, tokenizer });
      for (const candidate of selected) this.#take(candidate);
    }
    excluded.merge(this.#excluded.record());
    return {
      table: this.#table,
      hash: this.#hash,
      settings,
      ...(section === undefined ? {} : { section }),
      ...(tokens === undefined ? {} : { tokens }),
    };
  }

  #take(candidate: Candidate): void {
    const { id, revision, scorer } = candidate;
    this.#hash.update(`\n${id} ${revision} ${scorer}`);
    const reason = this.#table.add(candidate);
    if (reason !== undefined) this.#excluded.add(reason);
  }
}

/** Groups are kept whole: what is left out of them, and how many are taken, is decided task by task. */
function withoutCaps(request: DatasetRequest): DatasetRequest {
  const { perTask: _perTask, limit: _limit, mix: _mix, dedup: _dedup, ...rest } = request;
  return rest;
}

function rowsOf(work: GroupWork): AsyncIterable<MadeRow> {
  const { unit } = targetOf(work.request.target);
  if (unit === "pair") return pairRows(work);
  return unit === "group" ? attemptRows(work) : taskRows(work);
}

type LeftOut = Pick<Manifest["selection"], "pairs_left_out" | "tasks_left_out">;

function recordOf(name: keyof LeftOut, counts: Counts): LeftOut {
  const record = counts.record();
  return Object.keys(record).length === 0 ? {} : { [name]: record };
}

async function wantedVotes(
  { target, pairs }: DatasetRequest,
  { store }: RowPorts,
): Promise<readonly VotedPair[]> {
  if (pairs.minVotes === undefined || targetOf(target).unit !== "pair") return [];
  const stored = await storedVotes(store);
  const options = { minVotes: pairs.minVotes, minAgreement: 0.5 };
  const preferred = votedPreferences(stored.pairs, stored.votes, options);
  return preferred.map(({ interval: _, ...pair }) => ({ ...pair, source: "votes" as const }));
}
