import { z } from "zod";
import { type PairingOptions, pairingOptionsSchema } from "../../shared/preferences/options.ts";
import { type VotedPair, votedPairSchema } from "../../shared/preferences/votes.ts";
import { type PairVerdictRow, pairVerdictSchema } from "../../shared/stages/judge/pairs.ts";
import { numeric } from "./dataset-options.ts";
import { linesOf } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

export interface PreferenceOptions {
  readonly store?: string;
  readonly strategy: string;
  readonly margin?: string;
  readonly ties?: string;
  readonly perTask?: string;
  readonly verified?: boolean;
  readonly maxLengthRatio?: string;
  readonly maxLongerShare?: string;
  readonly mixedLayers?: boolean;
  readonly minRuns?: string;
  /** A file; true: those of the store. */
  readonly votes?: string | true;
  readonly minVotes?: string;
  readonly project?: string;
  readonly onlyDomain?: string;
  readonly agent?: string;
  readonly model?: string;
  readonly sourceFormat?: string;
  readonly task?: string;
  readonly withMessages?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

export interface PreferencePlan {
  readonly pairing: PairingOptions;
  /** Pairs of steps instead of pairs of trajectories. */
  readonly branches: boolean;
  readonly minRuns: number;
  readonly maxLongerShare: number | undefined;
  readonly votes: readonly VotedPair[];
  /** Votes of the store count where a pair has so many. */
  readonly storedVotes: { readonly minVotes: number } | undefined;
}

const BRANCHES = "branches";
/** What says nothing about single steps. */
const TRAJECTORIES_ONLY = ["maxLengthRatio", "maxLongerShare", "votes", "ties"] as const;
/** What only a store can answer. */
const STORE_ONLY = [
  ...["store", "project", "onlyDomain", "agent", "model", "sourceFormat", "task"],
  ...["withMessages", "minRuns", "minVotes", "mixedLayers"],
] as const;

/** @throws UsageError naming the option and what it takes */
export function preferencePlan(options: PreferenceOptions, file: string | undefined): PreferencePlan {
  const branches = options.strategy === BRANCHES;
  if (!["outside-in", "all-pairs", BRANCHES].includes(options.strategy)) {
    throw new UsageError(`--strategy takes outside-in, all-pairs or ${BRANCHES}, not "${options.strategy}"`);
  }
  if (file !== undefined) {
    if (branches)
      throw new UsageError(`--strategy ${BRANCHES} reads trajectories: give --store instead of ${file}`);
    refuse(options, STORE_ONLY, "goes with a store, not with a file of rewards");
  }
  if (branches)
    refuse(options, TRAJECTORIES_ONLY, `goes with pairs of trajectories, not with --strategy ${BRANCHES}`);
  else refuse(options, ["minRuns"], `goes with --strategy ${BRANCHES}`);
  const { maxLongerShare } = checked(limitsSchema, {
    maxLongerShare: numeric("--max-longer-share", options.maxLongerShare),
  });
  const { minRuns } = checked(limitsSchema, { minRuns: numeric("--min-runs", options.minRuns) });
  const pairing = checked(pairingOptionsSchema, {
    ...(branches ? {} : { strategy: options.strategy }),
    margin: numeric("--margin", options.margin),
    ties: options.ties,
    perTask: numeric("--per-task", options.perTask),
    verified: options.verified,
    maxLengthRatio: numeric("--max-length-ratio", options.maxLengthRatio),
  });
  const votes = typeof options.votes === "string" ? readVotes(options.votes) : [];
  if (options.votes === true && file !== undefined) {
    throw new UsageError("--votes without a file takes the votes of a store, not of a file of rewards");
  }
  const { minVotes } = checked(limitsSchema, { minVotes: numeric("--min-votes", options.minVotes) });
  const storedVotes = options.votes === true ? { minVotes } : undefined;
  return { pairing, branches, minRuns, maxLongerShare, votes, storedVotes };
}

const limitsSchema = z.strictObject({
  maxLongerShare: z.number().min(0).max(1).optional(),
  minRuns: z.int().positive().default(1),
  minVotes: z.int().positive().default(1),
});

function checked<T>(schema: z.ZodType<T>, value: Readonly<Record<string, unknown>>): T {
  const given = Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const faults = result.error.issues.map(
    ({ path, message }) => `${optionOf(path.map(String).join("."))}: ${message}`,
  );
  throw new UsageError(`preferences cannot be made like this: ${faults.join("; ")}`);
}

function refuse(options: PreferenceOptions, names: readonly string[], why: string): void {
  const given = names.find((name) =>
    Object.entries(options).some(([key, value]) => key === name && value !== undefined),
  );
  if (given !== undefined) throw new UsageError(`${optionOf(given)} ${why}`);
}

/** `perTask` as it is written on the command line. */
function optionOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** What `gymline judge --pairs` found: one voice, where it chose the same attempt both ways round. */
function judgedPair({ task_id, chosen_id, rejected_id }: PairVerdictRow): readonly VotedPair[] {
  if (chosen_id === null || rejected_id === null) return [];
  const one = { votes: 1, share: 1, source: "judge" } as const;
  return [{ taskId: task_id, chosenId: chosen_id, rejectedId: rejected_id, ...one }];
}

/** One vote a line: `{"task_id", "chosen_id", "rejected_id", "votes", "share"}`, or a judge's verdict. */
function readVotes(path: string): readonly VotedPair[] {
  return linesOf(path).flatMap(({ text, line }) => {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new UsageError(`${path}:${line} is no valid JSON: give one vote a line`, { cause });
    }
    const verdict = pairVerdictSchema.safeParse(value);
    if (verdict.success) return judgedPair(verdict.data);
    const result = votedPairSchema.safeParse(value);
    if (result.success) return [result.data];
    const [issue] = result.error.issues;
    const place = issue?.path.map(String).join(".") ?? "";
    throw new UsageError(
      `${path}:${line} is no vote: ${place === "" ? "" : `${place}: `}${issue?.message ?? ""}; a line has task_id, chosen_id, rejected_id and may have votes, share and source`,
    );
  });
}
