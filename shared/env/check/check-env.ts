import type { AgentEnv } from "../protocol.ts";
import { behaviourChecks } from "./behaviour-checks.ts";
import { type Check, CheckBench, type CheckOptions } from "./check-bench.ts";
import { orderChecks } from "./order-checks.ts";

export interface Finding {
  /** Name of the check. */
  readonly check: string;
  readonly verdict: "passed" | "failed" | "skipped";
  /** What is wrong, or why it was skipped; empty where it passed. */
  readonly detail: string;
}

export interface CheckReport {
  /** Nothing failed. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

const CHECKS: readonly Check[] = [...behaviourChecks, ...orderChecks];

/**
 * Checks that an environment keeps the protocol, as Gymnasium's `check_env` does. Each check makes environments of its
 * own and closes them. An environment that does not answer at all keeps it waiting: run it under a time limit.
 */
export async function checkEnv(
  make: () => AgentEnv | Promise<AgentEnv>,
  options: CheckOptions = {},
): Promise<CheckReport> {
  const bench = new CheckBench(make, options);
  const findings: Finding[] = [];
  for (const check of CHECKS) findings.push(await findingOf(check, bench));
  return { ok: findings.every(({ verdict }) => verdict !== "failed"), findings };
}

async function findingOf(check: Check, bench: CheckBench): Promise<Finding> {
  const why = check.skip?.(bench);
  if (why !== undefined) return { check: check.name, verdict: "skipped", detail: why };
  try {
    const problems = await check.run(bench);
    if ("skipped" in problems) return { check: check.name, verdict: "skipped", detail: problems.skipped };
    return {
      check: check.name,
      verdict: problems.length === 0 ? "passed" : "failed",
      detail: [...new Set(problems)].join("; "),
    };
  } catch (error) {
    const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { check: check.name, verdict: "failed", detail: `it threw ${detail}` };
  }
}
