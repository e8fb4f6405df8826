import type { Rows } from "../columns/compact-rows.ts";
import type { TaskAttempts } from "./attempt.ts";
import { type BranchOptions, BranchTree } from "./branch-tree.ts";
import { Counts } from "./counts.ts";
import type { DecisionPath } from "./decision-path.ts";
import { LengthTally, LongerShareLimit } from "./length.ts";
import type { PairingOptions } from "./options.ts";
import { pairTask } from "./pair-task.ts";
import { type StepRow, stepRow, type TrajectoryRow, trajectoryRow } from "./preference-row.ts";
import { lengthFacts, PairTotals, type PreferenceSummaryDocument } from "./summary.ts";
import type { VotedPair } from "./votes.ts";

/** What the pairs are made from. */
export interface PreferenceInput {
  /** Walked over more than once; a list is one. */
  readonly tasks: Rows<TaskAttempts>;
  /** Attempts that did not get this far, by reason. */
  readonly leftOut: Readonly<Record<string, number>>;
}

export interface TrajectoryRequest extends PairingOptions {
  /** Greatest share of pairs whose chosen attempt is the longer one; see `LongerShareLimit`. Not given: no bound. */
  readonly maxLongerShare?: number | undefined;
  readonly votes?: readonly VotedPair[] | undefined;
}

/** Rows one by one; the summary counts what was made so far. */
export interface Preferences<Rows> {
  readonly rows: Rows;
  summary(): PreferenceSummaryDocument;
}

/** Pairs of whole trajectories, task by task. Pairing costs so little that a bound on lengths does it twice. */
export function trajectoryPreferences(
  input: PreferenceInput,
  request: TrajectoryRequest,
): Preferences<Iterable<TrajectoryRow>> {
  const report = new Report(input, request.strategy);
  const before = new LengthTally();
  const votes = Map.groupBy(request.votes ?? [], ({ taskId }) => taskId);
  const pair = (of: TaskAttempts): ReturnType<typeof pairTask> => pairTask(of, request, votes.get(of.task));
  const limit = longerShareLimit(input.tasks, { share: request.maxLongerShare, pair });
  report.noteVotes(votes);
  function* rows(): Generator<TrajectoryRow> {
    for (const of of input.tasks) {
      if (!report.hasTwo(of)) continue;
      const made = pair(of);
      report.pairsLeftOut.merge(made.leftOut);
      report.votes.merge(made.votes);
      before.merge(made.unboundedLengths);
      for (const each of made.pairs) {
        if (limit?.admits(each) === false) {
          report.pairsLeftOut.add("too many whose chosen attempt is longer");
          continue;
        }
        report.totals.add(of.task, each);
        yield trajectoryRow(each, { task: of.task, strategy: request.strategy });
      }
    }
  }
  return {
    rows: rows(),
    summary: () =>
      report.document({ before: lengthFacts(before), after: lengthFacts(report.totals.lengths) }),
  };
}

/**
 * Pairs of steps at which attempts part, task by task. `pathOf` reads one attempt's path; one task's paths are held at
 * a time, as hashes.
 */
export function stepPreferences(
  input: PreferenceInput,
  options: BranchOptions,
  pathOf: (id: string) => Promise<DecisionPath>,
): Preferences<AsyncIterable<StepRow>> {
  const report = new Report(input, "branches");
  async function* rows(): AsyncGenerator<StepRow> {
    for (const of of input.tasks) {
      if (!report.hasTwo(of)) continue;
      const tree = new BranchTree();
      for (const attempt of of.attempts) tree.add(attempt, await pathOf(attempt.id));
      const made = tree.pairs(options);
      report.pairsLeftOut.merge(made.leftOut);
      for (const pair of made.pairs) {
        report.totals.addBranch(of.task, pair);
        yield stepRow(pair, of.task);
      }
    }
  }
  return { rows: rows(), summary: () => report.document(null) };
}

function longerShareLimit(
  tasks: Rows<TaskAttempts>,
  by: {
    readonly share: number | undefined;
    readonly pair: (of: TaskAttempts) => ReturnType<typeof pairTask>;
  },
): LongerShareLimit | undefined {
  if (by.share === undefined) return undefined;
  const limit = new LongerShareLimit(by.share);
  for (const of of tasks) for (const pair of by.pair(of).pairs) limit.note(pair);
  return limit;
}

class Report {
  readonly totals = new PairTotals();
  readonly pairsLeftOut = new Counts();
  readonly votes = new Counts();
  readonly #tasksLeftOut = new Counts();
  readonly #input: PreferenceInput;
  readonly #strategy: PreferenceSummaryDocument["strategy"];

  constructor(input: PreferenceInput, strategy: PreferenceSummaryDocument["strategy"]) {
    this.#input = input;
    this.#strategy = strategy;
  }

  hasTwo({ attempts }: TaskAttempts): boolean {
    if (attempts.length < 2) this.#tasksLeftOut.add("one scored attempt only");
    return attempts.length >= 2;
  }

  noteVotes(votes: ReadonlyMap<string, readonly VotedPair[]>): void {
    if (votes.size === 0) return;
    const unknown = new Map(votes);
    for (const { task } of this.#input.tasks) unknown.delete(task);
    for (const all of unknown.values()) this.votes.add("names no task that was selected", all.length);
  }

  document(lengths: PreferenceSummaryDocument["lengths"]): PreferenceSummaryDocument {
    const { tasks, leftOut } = this.#input;
    let attempts = 0;
    for (const task of tasks) attempts += task.attempts.length;
    return {
      schema: "gymline.preferences-summary.v1",
      strategy: this.#strategy,
      ...this.totals.facts(),
      tasks_seen: tasks.length,
      attempts_seen: attempts,
      lengths,
      left_out: { attempts: leftOut, tasks: this.#tasksLeftOut.record(), pairs: this.pairsLeftOut.record() },
      votes: this.votes.record(),
    };
  }
}
