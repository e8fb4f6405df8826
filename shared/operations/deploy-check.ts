import type { Fact } from "./account-facts.ts";

/** `fail`: the deployment cannot work. `warn`: it can, but not as one might expect, or that could not be looked up. */
export type Verdict = "ok" | "warn" | "fail";

export interface DeployCheck {
  readonly name: string;
  readonly verdict: Verdict;
  readonly says: string;
  /** What to do; absent where nothing is to be done. */
  readonly remedy?: string;
}

export function ok(name: string, says: string): DeployCheck {
  return { name, verdict: "ok", says };
}

export function warn(name: string, says: string, remedy: string): DeployCheck {
  return { name, verdict: "warn", says, remedy };
}

export function fail(name: string, says: string, remedy: string): DeployCheck {
  return { name, verdict: "fail", says, remedy };
}

/** Judges a fact; one that could not be looked up is a warning, since the deployment may well work. */
export function judged<T>(name: string, fact: Fact<T>, judge: (value: T) => DeployCheck): DeployCheck {
  if (fact.kind === "known") return judge(fact.value);
  return warn(name, `could not check: ${fact.reason}`, fact.remedy);
}
