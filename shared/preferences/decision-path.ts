import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { type ContentItem, contentItems } from "../trajectory/identity.ts";
import type { Step, Trajectory } from "../trajectory/schema.ts";

/** One agent step: what it did, and everything it then saw up to its next one. */
interface Decision {
  /** Hash of its calls, or of its message where it has none. */
  readonly action: string;
  readonly observation: string;
}

/** What an attempt did and saw, as hashes. `decisions[k]` is the k-th agent step. */
export interface DecisionPath {
  /** Hash of what the agent saw before its first step. */
  readonly prompt: string;
  readonly decisions: readonly Decision[];
}

/**
 * Hashes of a trajectory's actions and observations. They are equal where the trajectory's content identity sees the
 * same: thoughts, system prompts, call ids, times and copied context do not count.
 */
export function decisionPath(trajectory: Pick<Trajectory, "steps">): DecisionPath {
  const actions: string[] = [];
  const seen: ContentItem[][] = [[]];
  for (const step of trajectory.steps) {
    if (step.is_copied_context === true) continue;
    const items = [...contentItems(step)];
    if (isAgents(step)) {
      actions.push(hashOf(items.filter(([kind]) => kind !== "result")));
      seen.push(items.filter(([kind]) => kind === "result"));
    } else seen.at(-1)?.push(...items);
  }
  const [prompt = hashOf([]), ...observations] = seen.map(hashOf);
  const decisions = actions.map((action, index) => ({ action, observation: observations[index] ?? "" }));
  return { prompt, decisions };
}

function isAgents(step: Step): boolean {
  return step.source === "agent";
}

/** 128 bits of the SHA-256 over RFC 8785 canonical JSON. */
function hashOf(items: readonly ContentItem[]): string {
  const text = canonicalize(items);
  if (text === undefined) throw new TypeError("no canonical JSON for a list");
  return createHash("sha256").update(text).digest().subarray(0, 16).toString("base64");
}
