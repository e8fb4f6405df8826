import type { Attempt } from "./attempt.ts";
import { Counts } from "./counts.ts";
import type { DecisionPath } from "./decision-path.ts";

/** What a step led to: all attempts that took it after the same history. */
export interface BranchSide {
  /** The best of them on the chosen side, the worst on the rejected one. */
  readonly attempt: Attempt;
  /** Mean reward of the attempts that went this way. */
  readonly value: number;
  /** How many attempts that are. */
  readonly runs: number;
}

/** Two ways to go on after the same history: `prefix` agent steps with the same actions and observations. */
export interface BranchPair {
  readonly prefix: number;
  readonly chosen: BranchSide;
  readonly rejected: BranchSide;
}

export interface BranchOptions {
  /** Least difference of the mean rewards. */
  readonly margin: number;
  /** Least number of attempts through each of the two steps. */
  readonly minRuns: number;
  /** At most so many pairs of a task, the widest margins first. */
  readonly perTask?: number | undefined;
  /** Some attempt through the chosen step succeeded; of those through the rejected one, all failed. */
  readonly verified: boolean;
}

interface State {
  readonly prefix: number;
  readonly branches: Map<string, Branch>;
}

interface Branch {
  readonly attempts: Attempt[];
  readonly after: Map<string, State>;
}

/**
 * Attempts at one task as a tree: from a state (what was done and seen so far) a branch for each action, from there a
 * state for each observation. Two attempts whose environment answered the same action differently are in two states
 * from there on, which says nothing of the action.
 *
 * Adding an attempt is linear in its steps. Attempts whose rewards are not comparable are kept apart.
 */
export class BranchTree {
  readonly #roots = new Map<string, State>();

  add(attempt: Attempt, { prompt, decisions }: DecisionPath): void {
    let state = stateOf(this.#roots, `${attempt.scale ?? ""}\u0000${prompt}`, 0);
    for (const { action, observation } of decisions) {
      const branch = state.branches.get(action) ?? { attempts: [], after: new Map<string, State>() };
      state.branches.set(action, branch);
      branch.attempts.push(attempt);
      state = stateOf(branch.after, observation, state.prefix + 1);
    }
  }

  /** Pairs at every state where attempts part: its branches by mean reward, the best with the worst and so on. */
  pairs(options: BranchOptions): {
    readonly pairs: readonly BranchPair[];
    readonly leftOut: Readonly<Record<string, number>>;
  } {
    const leftOut = new Counts();
    const pairs: BranchPair[] = [];
    for (const state of this.#states()) {
      if (state.branches.size < 2) continue;
      const sides = [...state.branches.values()].map(({ attempts }) => new Side(attempts));
      const enough = sides.filter(({ runs }) => runs >= options.minRuns).sort((a, b) => b.value - a.value);
      leftOut.add("too few attempts through a step", sides.length - enough.length);
      for (let rank = 0; rank < Math.floor(enough.length / 2); rank += 1) {
        const [chosen, rejected] = [enough[rank], enough[enough.length - 1 - rank]];
        if (chosen === undefined || rejected === undefined) continue;
        const reason = reasonAgainst({ chosen, rejected }, options);
        if (reason !== undefined) leftOut.add(reason);
        else
          pairs.push({
            prefix: state.prefix,
            chosen: chosen.shown("best"),
            rejected: rejected.shown("worst"),
          });
      }
    }
    pairs.sort((a, b) => branchMargin(b) - branchMargin(a) || a.prefix - b.prefix);
    const kept = pairs.slice(0, options.perTask);
    leftOut.add("enough pairs of its task", pairs.length - kept.length);
    return { pairs: kept, leftOut: leftOut.record() };
  }

  /** Without recursion: a log may have more steps than the call stack has room for. */
  *#states(): Generator<State> {
    const open = [...this.#roots.values()];
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      yield state;
      for (const { after } of state.branches.values()) open.push(...after.values());
    }
  }
}

export function branchMargin({ chosen, rejected }: BranchPair): number {
  return chosen.value - rejected.value;
}

class Side {
  readonly value: number;
  readonly runs: number;
  readonly attempts: readonly Attempt[];

  constructor(attempts: readonly Attempt[]) {
    this.attempts = attempts;
    this.runs = attempts.length;
    this.value = attempts.reduce((sum, { reward }) => sum + reward, 0) / attempts.length;
  }

  shown(which: "best" | "worst"): BranchSide {
    const sign = which === "best" ? 1 : -1;
    const attempt = this.attempts.reduce((found, each) =>
      sign * each.reward > sign * found.reward ? each : found,
    );
    return { attempt, value: this.value, runs: this.runs };
  }
}

function reasonAgainst(
  { chosen, rejected }: { readonly chosen: Side; readonly rejected: Side },
  { margin, verified }: BranchOptions,
): string | undefined {
  const difference = chosen.value - rejected.value;
  if (difference === 0) return "equal rewards";
  if (difference < margin) return "margin below the minimum";
  const isVerified =
    chosen.attempts.some(({ success }) => success === true) &&
    rejected.attempts.every(({ success }) => success === false);
  return verified && !isVerified ? "outcomes not success and failure" : undefined;
}

function stateOf(states: Map<string, State>, key: string, prefix: number): State {
  const state = states.get(key) ?? { prefix, branches: new Map<string, Branch>() };
  states.set(key, state);
  return state;
}
