import { z } from "zod";

/** What a check finds stops the version from being registered, or is only told. */
export type Severity = "fail" | "warn";

interface CheckFacts {
  readonly severity: Severity;
  /** What is found, as a noun phrase. */
  readonly finds: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** Every check, in the order in which reports list them. */
export const CHECKS = {
  "missing-values": {
    severity: "fail",
    finds: "rows that lack a column its trainer reads",
    remedy: "gymline show <id> shows the log; leave it out with a filter, or gymline forget <id>",
  },
  "unknown-columns": {
    severity: "fail",
    finds: "rows with a column that the target does not have",
    remedy: "the files were changed after they were written: export the version anew",
  },
  "empty-prompt": {
    severity: "fail",
    finds: "rows in which nothing is said before the agent's first message",
    remedy: "gymline show <id> shows the log; its converter or mapping may lose the first messages",
  },
  "empty-assistant": {
    severity: "fail",
    finds: "rows that would teach an empty message",
    remedy: "gymline show <id> shows the log; leave it out with a filter, or gymline forget <id>",
  },
  "over-length": {
    severity: "fail",
    finds: "rows of more tokens than dataset.checks.maxTokens",
    remedy:
      "leave long runs out with --max-steps, or raise dataset.checks.maxTokens to what the trainer takes",
  },
  "leak-task": {
    severity: "fail",
    finds: "tasks with rows in two splits",
    remedy: "export the version anew; gymline puts a task into one split",
  },
  "leak-repository": {
    severity: "fail",
    finds: "repositories with rows in two splits, in a set that is split by repository",
    remedy: "export the version anew; check that the logs name their repositories alike",
  },
  "leak-content": {
    severity: "fail",
    finds: "trajectories of equal actions and observations in two splits",
    remedy: 'set dataset.dedup to "exact"',
  },
  "leak-text": {
    severity: "warn",
    finds: "prompts in two splits that are equal or nearly so (dataset.checks.nearText)",
    remedy: "give the tasks one id where they are one, or split by repository",
  },
  "one-sided-labels": {
    severity: "fail",
    finds: "labels of one kind only, in all rows together",
    remedy: "take attempts of both kinds: --success any, or more logs",
  },
  "label-imbalance": {
    severity: "warn",
    finds: "labels of the rarer kind below the share dataset.checks.minLabelShare",
    remedy: "take more attempts of the rarer kind, or weight them in the trainer",
  },
  "one-sided-pairs": {
    severity: "fail",
    finds: "pairs whose sides are equal, or of which the chosen one has not the better reward",
    remedy: "raise dataset.pairs.margin, and look at the rewards of both with gymline show <id>",
  },
  "longer-chosen": {
    severity: "warn",
    finds: "pairs whose chosen side is the longer one, above the share dataset.checks.maxLongerShare",
    remedy: "set dataset.pairs.maxLongerShare, or the trainer learns length",
  },
  "equal-rewards": {
    severity: "fail",
    finds: "groups whose rewards are all equal, which have no advantage to learn from",
    remedy: "leave such tasks out, or take more attempts at them",
  },
  "incomplete-groups": {
    severity: "warn",
    finds: "groups with fewer rows than their group_size says",
    remedy:
      "some attempts make no row, see selection.excluded in the manifest; mean and deviation count them",
  },
  "empty-split": {
    severity: "warn",
    finds: "splits with a share in dataset.split and no row",
    remedy: "give them a greater share, or take more tasks",
  },
  secrets: {
    severity: "fail",
    finds: "secrets or personal data that a second pass of the detectors finds in the rows",
    remedy:
      "gymline reprocess --stage ingest redacts anew by the current rules; what is none goes into redaction.allow",
  },
} as const satisfies Readonly<Record<string, CheckFacts>>;

export type CheckId = keyof typeof CHECKS;

export const CHECK_IDS = Object.keys(CHECKS) as readonly CheckId[];

const idSchema = z.enum(CHECK_IDS, {
  error: ({ input }) =>
    `there is no check ${JSON.stringify(input)}; the known ones are ${CHECK_IDS.join(", ")}`,
});

/** `dataset.checks`: thresholds, and which checks may find something. */
export const checksSchema = z.strictObject({
  /** Most tokens of a row. Not given: any number. */
  maxTokens: z.int().positive().optional(),
  /** Least similarity at which prompts of two splits count as nearly equal. */
  nearText: z.number().gt(0).max(1).default(0.9),
  /** Least share of the rarer label. */
  minLabelShare: z.number().min(0).max(0.5).default(0.05),
  /** Greatest share of pairs whose chosen side is the longer one. */
  maxLongerShare: z.number().gt(0).max(1).default(0.8),
  /** Of each check, so many places are named. */
  places: z.int().min(0).max(1000).default(5),
  /** Failing checks that let the version pass; the manifest says so. */
  allow: z.array(idSchema).default([]),
  /** Checks that fail where they would only warn. */
  fail: z.array(idSchema).default([]),
});

export type CheckSettings = z.infer<typeof checksSchema>;

/** Where something was found: a row of a split, from 1, and what it is about. Never what it says. */
const placeSchema = z.strictObject({
  split: z.string(),
  row: z.int(),
  /** Trajectory or task; absent where the rows name none. */
  id: z.string().optional(),
  /** Column, group, or type of what was found. */
  what: z.string().optional(),
});

export type CheckPlace = z.infer<typeof placeSchema>;

/**
 * `passed`: nothing was found. `warned`: something was, which does not matter enough. `allowed`: it would have failed.
 * `skipped`: the check does not apply, or the rows do not say enough; `note` tells.
 */
export const checkResultSchema = z.strictObject({
  id: idSchema,
  severity: z.enum(["fail", "warn"]),
  outcome: z.enum(["passed", "warned", "failed", "allowed", "skipped"]),
  threshold: z.number().optional(),
  count: z.int(),
  places: z.array(placeSchema),
  note: z.string().optional(),
});

export type CheckResult = z.infer<typeof checkResultSchema>;
