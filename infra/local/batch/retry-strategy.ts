import { z } from "zod";

const pattern = z.string().max(512);

/**
 * A condition on a failed attempt. The action's case does not matter, that of the patterns does.
 * @see https://docs.aws.amazon.com/batch/latest/APIReference/API_EvaluateOnExit.html
 */
const evaluateOnExitSchema = z.object({
  action: z
    .string()
    .transform((action) => action.toUpperCase())
    .pipe(z.enum(["RETRY", "EXIT"])),
  onExitCode: pattern.regex(/^\d*\*?$/, "may hold digits only, and an asterisk at its end").optional(),
  onReason: pattern.optional(),
  onStatusReason: pattern.optional(),
});

/** @see https://docs.aws.amazon.com/batch/latest/APIReference/API_RetryStrategy.html */
export const retryStrategySchema = z
  .object({
    attempts: z.number().int().min(1).max(10).optional(),
    evaluateOnExit: z.array(evaluateOnExitSchema).max(5).optional(),
  })
  .refine(({ attempts, evaluateOnExit = [] }) => evaluateOnExit.length === 0 || attempts !== undefined, {
    message: "evaluateOnExit needs attempts",
  });

export type RetryStrategy = z.output<typeof retryStrategySchema>;

/** How an attempt ended, as far as a strategy looks at it. */
export interface FailedAttempt {
  readonly exitCode?: number | undefined;
  readonly reason?: string | undefined;
  readonly statusReason?: string | undefined;
}

/**
 * Whether a job runs again after its `made`-th attempt failed. The first condition that matches decides; the parts
 * of one condition must all match; where no condition matches, the job runs again while it has attempts left.
 */
export function runsAgain(strategy: RetryStrategy, failed: FailedAttempt, made: number): boolean {
  if (made >= (strategy.attempts ?? 1)) return false;
  const first = strategy.evaluateOnExit?.find((condition) => matchesAll(condition, failed));
  return first?.action !== "EXIT";
}

type Condition = NonNullable<RetryStrategy["evaluateOnExit"]>[number];

function matchesAll(condition: Condition, { exitCode, reason, statusReason }: FailedAttempt): boolean {
  return (
    matchesGlob(condition.onExitCode, exitCode?.toString()) &&
    matchesGlob(condition.onReason, reason) &&
    matchesGlob(condition.onStatusReason, statusReason)
  );
}

/**
 * An asterisk counts at the end only. What is absent reads as empty, so that `*` matches it: the documented way to
 * retry on Spot interruptions alone ends in `{ action: EXIT, onReason: "*" }`, and most failures have no reason.
 */
function matchesGlob(glob: string | undefined, text = ""): boolean {
  if (glob === undefined) return true;
  return glob.endsWith("*") ? text.startsWith(glob.slice(0, -1)) : text === glob;
}
