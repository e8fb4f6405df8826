import { createHash } from "node:crypto";
import type { CatalogEntry } from "../contracts/catalog-row.ts";
import type { PairRecord } from "./vote.ts";

export interface PairRequest {
  /** Largest difference of reward of a pair. */
  readonly band: number;
  /** At most so many pairs of one task. */
  readonly perTask: number;
  readonly seed: number;
  /** At most so many pairs in all, the closest first. */
  readonly limit?: number;
}

export type Candidate = Pick<CatalogEntry, "id" | "contentId" | "taskKey" | "reward">;

export interface ChosenPair {
  readonly record: PairRecord;
  /** Difference of the rewards, at least 0. */
  readonly difference: number;
}

/**
 * The pairs that the reward is least sure of: attempts at one task whose rewards differ by at most `band`, the closest
 * first, equally close ones in an order that the seed gives. Of attempts that did the same thing (one content id) only
 * one is taken, since there is nothing to prefer; attempts without a reward are left out.
 */
export function chooseUncertainPairs(
  candidates: readonly Candidate[],
  request: PairRequest,
): readonly ChosenPair[] {
  const { perTask, limit = Number.POSITIVE_INFINITY } = request;
  const chosen = [...byTask(candidates).values()].flatMap((attempts) =>
    closest(attempts, request).slice(0, perTask),
  );
  return chosen
    .sort(byDifference)
    .slice(0, limit)
    .map(({ record, difference }) => ({ record, difference }));
}

interface Ranked extends ChosenPair {
  readonly order: string;
}

/** The same for either order of the two, whatever side they stand on. */
export function pairIdOf(taskKey: string, a: string, b: string): string {
  return hash(JSON.stringify([taskKey, ...[a, b].sort()]));
}

/** The pair of two trajectories, its sides drawn by the seed. */
export function pairRecord(
  { taskKey, ids }: { readonly taskKey: string; readonly ids: readonly [string, string] },
  seed: number,
): PairRecord {
  const pairId = pairIdOf(taskKey, ...ids);
  const [first, second] = [...ids].sort() as [string, string];
  const swapped = Number.parseInt(hash(`${seed}\nside\n${pairId}`).slice(0, 8), 16) % 2 === 1;
  return {
    schema: "gymline.pair-record.v1",
    pair_id: pairId,
    task_id: taskKey,
    left_id: swapped ? second : first,
    right_id: swapped ? first : second,
  };
}

interface Attempt extends Candidate {
  readonly reward: number;
}

function byTask(candidates: readonly Candidate[]): ReadonlyMap<string, readonly Attempt[]> {
  const tasks = new Map<string, Attempt[]>();
  const contents = new Set<string>();
  for (const { id, contentId, taskKey, reward } of [...candidates].sort((a, b) => compared(a.id, b.id))) {
    const content = `${taskKey}\n${contentId}`;
    if (reward === null || contents.has(content)) continue;
    contents.add(content);
    const attempts = tasks.get(taskKey);
    if (attempts === undefined) tasks.set(taskKey, [{ id, contentId, taskKey, reward }]);
    else attempts.push({ id, contentId, taskKey, reward });
  }
  return tasks;
}

/**
 * Sorted by reward, the n closest pairs are among those at most n places apart: the pairs in between would all be
 * closer, or as close. So a task of many attempts need not be paired in full.
 */
function closest(attempts: readonly Attempt[], { band, perTask, seed }: PairRequest): readonly Ranked[] {
  const drawn = attempts.map((attempt) => ({ attempt, order: hash(`${seed}\n${attempt.id}`) }));
  drawn.sort((a, b) => a.attempt.reward - b.attempt.reward || compared(a.order, b.order));
  const pairs: Ranked[] = [];
  for (const [place, { attempt: first }] of drawn.entries()) {
    for (const { attempt: second } of drawn.slice(place + 1, place + 1 + perTask)) {
      const difference = second.reward - first.reward;
      // Rewards are sums of rounded figures: a difference on the edge of the band is in it.
      if (difference > band + 1e-9) break;
      const record = pairRecord({ taskKey: first.taskKey, ids: [first.id, second.id] }, seed);
      pairs.push({ record, difference, order: hash(`${seed}\npair\n${record.pair_id}`) });
    }
  }
  return pairs.sort(byDifference);
}

function byDifference(a: Ranked, b: Ranked): number {
  return a.difference - b.difference || compared(a.order, b.order);
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function compared(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
