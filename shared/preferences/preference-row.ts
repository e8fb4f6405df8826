import { z } from "zod";
import { round4 } from "../reward/rounding.ts";
import { type Attempt, type AttemptPair, marginOf } from "./attempt.ts";
import { type BranchPair, type BranchSide, branchMargin } from "./branch-tree.ts";
import { type PairFact, pairFacts } from "./rationale.ts";

const message = z.record(z.string(), z.unknown());

/** One attempt of a pair. Rewards and scores have four decimal places. */
const sideSchema = z.strictObject({
  id: z.string(),
  reward: z.number(),
  /** Agent steps; null: not known. */
  steps: z.int().nonnegative().nullable(),
  outcome: z.strictObject({ success: z.boolean().nullable(), score: z.number().nullable() }),
  scorer: z.string().nullable(),
  /** The whole conversation, or the agent's message of the step; only where messages were asked for. */
  messages: z.array(message).optional(),
});

const stepSideSchema = sideSchema.extend({
  /** Which agent step of the trajectory, from 0. */
  step: z.int().nonnegative(),
  /** All attempts that took this step after the same history: how many, and their mean reward. */
  branch: z.strictObject({ runs: z.int().positive(), reward: z.number() }),
});

const factSchema = z.discriminatedUnion("fact", [
  z.strictObject({ fact: z.literal("reward"), difference: z.number() }),
  z.strictObject({ fact: z.literal("outcome"), chosen: z.boolean(), rejected: z.boolean() }),
  z.strictObject({ fact: z.literal("outcome_score"), difference: z.number() }),
  z.strictObject({ fact: z.literal("steps"), difference: z.int() }),
  z.strictObject({ fact: z.enum(["votes", "judge"]), votes: z.int(), share: z.number() }),
]);

const common = {
  schema: z.literal("gymline.preferences.v1"),
  /** The task id; `first-message:<hash>` where the log has none. */
  task: z.string(),
  /** Chosen minus rejected; negative where votes went against the rewards. */
  margin: z.number(),
  /** Why the one is preferred, as data. */
  facts: z.array(factSchema),
};

/** One line of a file of preferences. */
export const preferenceRowSchema = z.discriminatedUnion("level", [
  z.strictObject({
    ...common,
    level: z.literal("trajectory"),
    strategy: z.enum(["outside-in", "all-pairs"]),
    source: z.enum(["reward", "votes", "judge"]),
    chosen: sideSchema,
    rejected: sideSchema,
  }),
  z.strictObject({
    ...common,
    level: z.literal("step"),
    strategy: z.literal("branches"),
    source: z.literal("reward"),
    /** Agent steps before, with the same actions and observations in both. */
    prefix: z.strictObject({ steps: z.int().nonnegative(), messages: z.array(message).optional() }),
    chosen: stepSideSchema,
    rejected: stepSideSchema,
  }),
]);

export type PreferenceRow = Readonly<z.infer<typeof preferenceRowSchema>>;
export type TrajectoryRow = Extract<PreferenceRow, { level: "trajectory" }>;
export type StepRow = Extract<PreferenceRow, { level: "step" }>;

const schema = "gymline.preferences.v1";

export function trajectoryRow(
  pair: AttemptPair,
  { task, strategy }: { readonly task: string; readonly strategy: TrajectoryRow["strategy"] },
): TrajectoryRow {
  return {
    schema,
    level: "trajectory",
    task,
    strategy,
    source: pair.source,
    margin: round4(marginOf(pair)),
    chosen: sideOf(pair.chosen),
    rejected: sideOf(pair.rejected),
    facts: [...pairFacts(pair)],
  };
}

export function stepRow(pair: BranchPair, task: string): StepRow {
  const difference = round4(branchMargin(pair));
  const fact: PairFact = { fact: "reward", difference };
  return {
    schema,
    level: "step",
    task,
    strategy: "branches",
    source: "reward",
    margin: difference,
    prefix: { steps: pair.prefix },
    chosen: stepSideOf(pair.chosen, pair.prefix),
    rejected: stepSideOf(pair.rejected, pair.prefix),
    facts: [fact],
  };
}

function sideOf({ id, reward, steps, success, outcomeScore, scorer }: Attempt): z.infer<typeof sideSchema> {
  return { id, reward: round4(reward), steps, outcome: { success, score: outcomeScore }, scorer };
}

function stepSideOf({ attempt, value, runs }: BranchSide, step: number): z.infer<typeof stepSideSchema> {
  return { ...sideOf(attempt), step, branch: { runs, reward: round4(value) } };
}
