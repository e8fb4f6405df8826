import type { DatasetFacts, DatasetSeen, LoopPolicy, LoopRecord } from "../contracts/loop.ts";

/** `wait`: it may be time later. `skip`: this version will never do. */
export type Admission =
  | { readonly kind: "start" }
  | { readonly kind: "wait" | "skip"; readonly reason: string };

export const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Whether a dataset version sets a training off now. Pure: `now` in milliseconds since the epoch. */
export function admit(
  dataset: DatasetSeen,
  of: {
    readonly policy: LoopPolicy;
    readonly record: LoopRecord;
    readonly facts: DatasetFacts;
    readonly now: number;
  },
): Admission {
  const { policy, record, facts, now } = of;
  const { minimumNew, minimumRows, minimumReward, coolDownHours, budget } = policy.retrain;
  const { trained, active, last_start: lastStart } = record;
  const skip = (reason: string): Admission => ({ kind: "skip", reason });
  const wait = (reason: string): Admission => ({ kind: "wait", reason });
  if (trained !== null && dataset.created_at <= trained.created_at) {
    return skip(`${trained.version}, which is as new, was trained on already`);
  }
  if (facts.rows < minimumRows) return skip(`${facts.rows} rows are fewer than ${minimumRows}`);
  if (facts.fresh < minimumNew) return skip(`${facts.fresh} new trajectories are fewer than ${minimumNew}`);
  // Asked this way round, so that what is no number does not do.
  if (minimumReward !== undefined && !(facts.reward !== null && facts.reward >= minimumReward)) {
    return skip(`its mean reward (${facts.reward ?? "none"}) is below ${minimumReward}`);
  }
  if (active !== null) return wait(`the run ${active.id} is under way`);
  if (lastStart !== null && now - lastStart < coolDownHours * HOUR_MS) {
    return wait(`the last training began less than ${coolDownHours} hours ago`);
  }
  if (budget !== undefined) {
    const spent = spentSince(record, now - budget.days * DAY_MS);
    if (spent + policy.training.hours > budget.hours) {
      return wait(
        `${spent.toFixed(1)} of ${budget.hours} hours in ${budget.days} days are spent, and a training may take ${policy.training.hours}`,
      );
    }
  }
  return { kind: "start" };
}

/** Hours of trainings that ended since a time. */
export function spentSince({ spent }: Pick<LoopRecord, "spent">, since: number): number {
  return spent.reduce((sum, { at, hours }) => (at >= since ? sum + hours : sum), 0);
}
