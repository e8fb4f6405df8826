import { createHash } from "node:crypto";
import type { CatalogEntry } from "../contracts/catalog-row.ts";
import type { DatasetRequest } from "../contracts/dataset-request.ts";
import type { Manifest } from "../dataset/manifest.ts";
import { reasonAmongAll } from "../dataset/select.ts";
import { SplitKeys } from "../dataset/split.ts";
import { targetOf } from "../dataset/targets/targets.ts";
import type { TaskAttempts } from "../preferences/attempt.ts";
import { collectAttempts } from "../preferences/collect-attempts.ts";
import { Counts } from "../preferences/counts.ts";
import type { VotedPair } from "../preferences/votes.ts";
import { votedPreferences } from "../votes/voted-preferences.ts";
import { attemptRows } from "./attempt-rows.ts";
import { curate } from "./curate.ts";
import { checkSize, type DatasetPlan, type PlanPorts, versionHash, versionText } from "./dataset-plan.ts";
import type { MadeRow, RowPorts } from "./dataset-rows.ts";
import { pairRows } from "./pair-rows.ts";
import { storedVotes } from "./store-votes.ts";
import { taskRows } from "./task-rows.ts";

/** What the rows of groups are made from. */
export interface GroupWork {
  readonly request: DatasetRequest;
  /** In the order of their keys; the attempts of each the best first. */
  readonly tasks: readonly TaskAttempts[];
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
  const candidates: Candidate[] = [];
  const splitKeys = new SplitKeys(request.split);
  let considered = 0;
  const scope = request.project === undefined ? {} : { project: request.project };
  for await (const entry of ports.catalog.select({ ...scope, includeSuperseded: true })) {
    considered += 1;
    splitKeys.note(entry);
    const reason = reasonAmongAll(entry, { request, now });
    if (reason === undefined) candidates.push(candidateOf(entry));
    else excluded.add(reason);
  }
  checkSize(candidates.length, { request, ports });
  const left: Record<string, number> = {};
  const { selected, settings, section, tokens } = await curate(
    { selected: candidates, excluded: left, verdicts: new Map() },
    { request: withoutCaps(request), ports },
  );
  excluded.merge(left);
  const hash = versionHash(request.target, {
    ...request,
    against: settings["against"],
    tokenizer: settings["tokenizer"],
  });
  for (const { id, revision, scorer } of selected) hash.update(`\n${id} ${revision} ${scorer}`);
  const collected = await collectAttempts(each(selected), { layers: request.pairs.layers });
  excluded.merge(collected.leftOut);
  const votes = await wantedVotes(request, ports);
  hash.update(createHash("sha256").update(JSON.stringify(votes)).digest());
  const tasks = withinLimit(collected.tasks, { limit: request.limit, excluded });
  const splitKey = (task: string): string => splitKeys.of(task);
  const work: GroupWork = { request, tasks, votes, splitKey, excluded, pairsLeftOut, tasksLeftOut, ports };
  return {
    version: versionText(hash),
    settings: { ...request, ...settings },
    ...(section === undefined ? {} : { curation: section }),
    ...(tokens === undefined ? {} : { tokens }),
    considered,
    trajectories: tasks.reduce((sum, { attempts }) => sum + attempts.length, 0),
    excluded,
    splitKey,
    rows: () => rowsOf(work),
    facts: () => ({
      ...recordOf("pairs_left_out", pairsLeftOut),
      ...recordOf("tasks_left_out", tasksLeftOut),
    }),
  };
}

type Candidate = ReturnType<typeof candidateOf>;

/** What pairing, grouping and the version need of a catalog entry: all of them are held at once. */
function candidateOf({ id, revision, taskKey, contentId, domain, agentSteps, ...more }: CatalogEntry) {
  const { success, outcomeScore, scorer, reward, outcome, process, efficiency } = more;
  const layers = { scorer, reward, outcome, process, efficiency };
  return { id, revision, taskKey, contentId, domain, agentSteps, success, outcomeScore, ...layers };
}

/** Groups are kept whole: what is left out of them, and how many are taken, is decided task by task. */
function withoutCaps(request: DatasetRequest): DatasetRequest {
  const { perTask: _perTask, limit: _limit, mix: _mix, dedup: _dedup, ...rest } = request;
  return rest;
}

async function* each(entries: readonly Candidate[]): AsyncGenerator<Candidate> {
  yield* entries;
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

/** Whole tasks, as long as their attempts are no more than `limit` in all. */
function withinLimit(
  tasks: readonly TaskAttempts[],
  { limit, excluded }: { readonly limit: number | undefined; readonly excluded: Counts },
): readonly TaskAttempts[] {
  if (limit === undefined) return tasks;
  let count = 0;
  return tasks.filter(({ attempts }) => {
    const fits = count + attempts.length <= limit;
    if (fits) count += attempts.length;
    else excluded.add("over the limit", attempts.length);
    return fits;
  });
}
