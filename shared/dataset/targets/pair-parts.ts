import type { SftMessage } from "../sft-messages.ts";
import { isAllTrainable, MASKED, NO_PROMPT } from "./prompt-completion.ts";

/** Two conversations taken apart where they part. */
export type PairParts =
  | {
      readonly kind: "parts";
      readonly prompt: readonly SftMessage[];
      readonly chosen: readonly SftMessage[];
      readonly rejected: readonly SftMessage[];
    }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * `step`: each side is the one message at which the two part. `trajectory`: each side is everything from there on; where
 * they part at a result, the action before it belongs to both sides, since a side begins with the agent.
 */
export type PairUnit = "trajectory" | "step";

/** Linear in the messages of the shorter conversation. */
export function pairParts(
  of: { readonly chosen: readonly SftMessage[]; readonly rejected: readonly SftMessage[] },
  unit: PairUnit,
): PairParts {
  const common = commonLength(of.chosen, of.rejected);
  const at = lastAction(of, common);
  if (at === undefined) return refuse(common === 0 ? "their conversations start differently" : NO_SHARED);
  if (at === 0) return refuse(NO_PROMPT);
  if (unit === "step" && at < common) return refuse("they part at a result, not at an action");
  const end = unit === "step" ? at + 1 : undefined;
  const [chosen, rejected] = [of.chosen.slice(at, end), of.rejected.slice(at, end)];
  if (!isAllTrainable(chosen) || !isAllTrainable(rejected)) return refuse(MASKED);
  return { kind: "parts", prompt: of.chosen.slice(0, at), chosen, rejected };
}

const NO_SHARED = "their conversations part before the agent's first message";

function refuse(reason: string): PairParts {
  return { kind: "refused", reason };
}

/** How many messages both begin with; ids of calls, which are made up anew in each run, do not count. */
function commonLength(a: readonly SftMessage[], b: readonly SftMessage[]): number {
  let length = 0;
  while (length < a.length && length < b.length && keyOf(a[length]) === keyOf(b[length])) length += 1;
  return length;
}

/** The last place up to `common` at which both go on with a message of the agent. */
function lastAction(
  { chosen, rejected }: { readonly chosen: readonly SftMessage[]; readonly rejected: readonly SftMessage[] },
  common: number,
): number | undefined {
  for (let at = common; at >= 0; at -= 1) {
    if (isAgents(chosen[at]) && isAgents(rejected[at])) return at;
  }
  return undefined;
}

function isAgents(message: SftMessage | undefined): boolean {
  return message?.message.role === "assistant";
}

function keyOf(of: SftMessage | undefined): string {
  if (of === undefined) return "";
  const { role, content, reasoning_content, tool_calls } = of.message;
  const calls = (tool_calls ?? []).map((call) => call.function);
  return JSON.stringify([role, content, reasoning_content ?? "", calls]);
}
