import { clockOfRun, type Dice, diceOf } from "../clock.ts";
import { type Manner, type Reply, supportAgents } from "./agents.ts";
import { type Case, cases } from "./cases.ts";
import { type Arguments, openShop, shopTools, type ToolAnswer } from "./shop.ts";

export type Utterance =
  | { readonly kind: "customer"; readonly text: string; readonly at: number }
  | { readonly kind: "agent"; readonly text: string; readonly at: number }
  | {
      readonly kind: "call";
      readonly id: string;
      readonly thought: string;
      readonly tool: string;
      readonly args: Arguments;
      readonly answer: ToolAnswer;
      readonly at: number;
      readonly answeredAt: number;
    };

export interface Conversation {
  readonly problem: Case;
  readonly model: string;
  readonly startedAt: number;
  readonly utterances: readonly Utterance[];
  /** The conditions on the shop's state, measured after the last word. */
  readonly checks: readonly { readonly name: string; readonly holds: boolean }[];
  readonly resolved: boolean;
  readonly dice: Dice;
}

export const INSTRUCTIONS =
  "You answer the customers of a small shop. Look things up with your tools before you promise anything, change only what the customer asks for, and tell the customer what you did.";

/** A run names a case that does not exist. */
export class UnknownCaseError extends Error {
  override readonly name = "UnknownCaseError";
  constructor(id: string) {
    super(`no support case is named "${id}"`);
  }
}

/** Lets one agent handle one case in a fresh shop. */
export function recordConversation(order: {
  readonly ordinal: number;
  readonly case: string;
  readonly manner: Manner;
}): Conversation {
  const problem = cases.find(({ id }) => id === order.case);
  if (problem === undefined) throw new UnknownCaseError(order.case);
  const dice = diceOf(`support:${order.ordinal}:${order.case}:${order.manner}`);
  const clock = clockOfRun(order.ordinal);
  const shop = openShop();
  const startedAt = clock.now();
  const utterances: Utterance[] = [{ kind: "customer", text: problem.opening, at: startedAt }];
  const agent = supportAgents[order.manner](problem, dice);
  let next = agent.next();
  while (next.done !== true) {
    const move = next.value;
    const at = clock.advance(dice.between(900, 5_000));
    let reply: Reply;
    if (move.kind === "call") {
      const answer = shopTools[move.tool]?.run(shop, move.args) ?? {
        ok: false,
        value: { error: "no such tool" },
      };
      utterances.push({
        ...move,
        id: `call_${dice.hex(24)}`,
        answer,
        at,
        answeredAt: clock.advance(dice.between(20, 300)),
      });
      reply = { kind: "tool", answer };
    } else {
      utterances.push({ kind: "agent", text: move.text, at });
      if (!move.asks) break;
      reply = { kind: "customer", text: problem.details };
      utterances.push({
        kind: "customer",
        text: problem.details,
        at: clock.advance(dice.between(8_000, 40_000)),
      });
    }
    next = agent.next(reply);
  }
  const checks = problem.wanted.map(([name, holds]) => ({ name, holds: holds(shop) }));
  return {
    problem,
    model: `scripted-${order.manner}-1`,
    startedAt,
    utterances,
    checks,
    resolved: checks.every(({ holds }) => holds),
    dice,
  };
}
