import { mean, meanInterval, meanOf } from "../statistics/mean.ts";
import { DEFAULT_LEVEL, type Estimate, notDefined } from "../statistics/result.ts";
import { proportion } from "../statistics/wilson.ts";
import type { EpisodeEntry, TokenCounts } from "./episode-entry.ts";

/** What a run gave, in figures. Failed episodes count in `failures`, tokens and costs alone. */
export interface CollectSummary {
  readonly episodes: { readonly done: number; readonly failed: number };
  /**
   * Share of successes among episodes with a verdict. With several attempts at a task its interval is that of the mean
   * of the tasks' shares: attempts at one task are no independent observations.
   */
  readonly success: Estimate;
  /** Sum of rewards of an episode; interval likewise. */
  readonly reward: Estimate;
  readonly turns: Estimate;
  /** Tasks by the verdicts on their attempts; those in `mixed` are what advantages within a group are made of. */
  readonly tasks: { readonly solved: number; readonly mixed: number; readonly unsolved: number };
  readonly tokens: TokenCounts;
  /** US dollars; null where no price is known. */
  readonly costUsd: number | null;
  /** Failed episodes by the name of their error, most frequent first. */
  readonly failures: Readonly<Record<string, number>>;
  /** Done episodes by how they ended. */
  readonly stops: Readonly<Record<string, number>>;
}

export function collectSummary(entries: readonly EpisodeEntry[]): CollectSummary {
  const done = entries.filter(({ kind }) => kind === "done");
  const failed = entries.filter(({ kind }) => kind === "failed");
  const verdicts = done.flatMap(({ task, success }) =>
    success === null ? [] : [{ task, value: Number(success) }],
  );
  const shares = [...Map.groupBy(verdicts, ({ task }) => task).values()].map((all) =>
    meanOf(all.map(({ value }) => value)),
  );
  const costs = entries.flatMap(({ cost_usd }) => cost_usd ?? []);
  return {
    episodes: { done: done.length, failed: failed.length },
    success: successOf(verdicts, shares),
    reward: clustered(done.map(({ task, reward }) => ({ task, value: reward }))),
    turns: clustered(done.map(({ task, turns }) => ({ task, value: turns }))),
    tasks: {
      solved: shares.filter((share) => share === 1).length,
      mixed: shares.filter((share) => share > 0 && share < 1).length,
      unsolved: shares.filter((share) => share === 0).length,
    },
    tokens: addedUp(entries),
    costUsd: costs.length === 0 ? null : costs.reduce((sum, usd) => sum + usd, 0),
    failures: counts(failed.map(({ error, stop }) => error?.name ?? stop)),
    stops: counts(done.map(({ stop }) => stop)),
  };
}

interface Observed {
  readonly task: string;
  readonly value: number;
}

function successOf(verdicts: readonly Observed[], shares: readonly number[]): Estimate {
  if (shares.length === verdicts.length) {
    return proportion(verdicts.filter(({ value }) => value === 1).length, verdicts.length);
  }
  return clustered(verdicts, [0, 1]);
}

/** The mean of the tasks' means. `n` counts tasks. */
function clustered(observed: readonly Observed[], within?: readonly [number, number]): Estimate {
  const groups = [...Map.groupBy(observed, ({ task }) => task).values()];
  const means = groups.map((all) => meanOf(all.map(({ value }) => value)));
  if (means.length === 0) return notDefined(0, "too_few");
  if (within === undefined) return mean(means);
  const interval = meanInterval(means, { level: DEFAULT_LEVEL, within });
  return { value: meanOf(means), n: means.length, interval };
}

function addedUp(entries: readonly EpisodeEntry[]): TokenCounts {
  const total = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
  for (const { tokens } of entries) {
    if (tokens === null) continue;
    total.input += tokens.input;
    total.cacheRead += tokens.cacheRead;
    total.cacheWrite += tokens.cacheWrite;
    total.output += tokens.output;
  }
  return total;
}

function counts(names: readonly string[]): Readonly<Record<string, number>> {
  const groups = [...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length] as const);
  return Object.fromEntries(groups.sort(([a, more], [b, less]) => less - more || (a < b ? -1 : 1)));
}
