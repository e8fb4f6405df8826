import type { Estimate, Interval } from "../../shared/statistics/result.ts";
import { type Strength, strengths } from "../../shared/votes/bradley-terry.ts";
import { type PairTally, tallies } from "../../shared/votes/tally.ts";
import type { PairRecord, Vote } from "../../shared/votes/vote.ts";
import { type VoterAgreement, voterAgreement } from "../../shared/votes/voter-agreement.ts";
import { pc } from "./colours.ts";
import { figure, many, note, out, table } from "./terminal.ts";

export interface VoteFigures extends VoterAgreement {
  readonly pairs: number;
  readonly votes: number;
  readonly seed: number;
  readonly tallies: readonly PairTally[];
  readonly strengths?: readonly { readonly taskId: string; readonly attempts: readonly Strength[] }[];
}

/** All that is shown of the votes of a store. */
export function voteFigures(
  { pairs, votes }: { readonly pairs: readonly PairRecord[]; readonly votes: readonly Vote[] },
  options: { readonly seed: number; readonly strengths: boolean },
): VoteFigures {
  const { seed } = options;
  const counted = tallies(pairs, votes);
  const tasks = [...new Set(counted.map(({ record }) => record.task_id))].sort();
  const byTask = tasks.map((taskId) => ({
    taskId,
    attempts: strengths(counted.filter(({ record }) => record.task_id === taskId)),
  }));
  return {
    pairs: pairs.length,
    votes: votes.length,
    seed,
    tallies: counted,
    ...voterAgreement(pairs, votes, { seed }),
    ...(options.strengths ? { strengths: byTask } : {}),
  };
}

export function printVotes(figures: VoteFigures): void {
  const columns = [
    { title: "task", max: 34 },
    { title: "left" },
    { title: "right" },
    { title: "for left", align: "right" },
    { title: "right", align: "right" },
    { title: "tie", align: "right" },
    { title: "skip", align: "right" },
    { title: "preferred" },
    { title: "share of those who chose" },
  ] as const;
  const rows = figures.tallies.map(({ record, left, right, tie, skip, majority, share }) => [
    record.task_id,
    record.left_id.slice(0, 10),
    record.right_id.slice(0, 10),
    ...[left, right, tie, skip].map(String),
    majority ?? "–",
    estimateText(share),
  ]);
  if (rows.length > 0) out(table(columns, rows));
  for (const { taskId, attempts } of figures.strengths ?? []) {
    out(`\n${pc.bold("Strengths")} of the attempts at ${taskId}`);
    const titles = [
      { title: "id" },
      { title: "strength (log odds)" },
      { title: "votes", align: "right" },
    ] as const;
    out(
      table(
        titles,
        attempts.map(({ trajectoryId, strength, interval, n }) => [
          trajectoryId.slice(0, 10),
          `${figure(strength, 2)} ${intervalText(interval)}`,
          String(n),
        ]),
      ),
    );
  }
  if (figures.voters.length > 0) {
    const titles = [
      { title: "voter" },
      { title: "votes", align: "right" },
      { title: "as most others", align: "right" },
    ] as const;
    const voters = figures.voters.map(({ voter, votes, withMajority: { agreed, of } }) => [
      voter,
      String(votes),
      of === 0 ? "–" : `${agreed} of ${of}`,
    ]);
    out(`\n${table(titles, voters)}`);
    out(`\nKrippendorff's alpha ${estimateText(figures.alpha)}; bootstrap seed ${figures.seed}`);
  }
  note(`${many(figures.votes, "vote")} on ${figures.tallies.length} of ${many(figures.pairs, "pair")}`);
}

function estimateText(estimate: Estimate): string {
  if (estimate.value === null) return `– (n = ${estimate.n}: ${estimate.why.replaceAll("_", " ")})`;
  return `${figure(estimate.value, 2)} ${intervalText(estimate.interval)}, n = ${estimate.n}`;
}

function intervalText({ level, low, high }: Interval): string {
  const percent = Math.round(level * 100);
  return low === null
    ? `(no ${percent}% interval)`
    : `(${percent}%: ${figure(low, 2)} to ${figure(high, 2)})`;
}
