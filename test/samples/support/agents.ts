import type { Dice } from "../clock.ts";
import type { Case } from "./cases.ts";
import type { Arguments, ToolAnswer } from "./shop.ts";

export type Move =
  | { readonly kind: "call"; readonly thought: string; readonly tool: string; readonly args: Arguments }
  /** Says something; a question is answered by the customer, anything else ends the conversation. */
  | { readonly kind: "say"; readonly text: string; readonly asks: boolean };

/** What the agent is given after a move: the tool's answer or the customer's words. */
export type Reply =
  | { readonly kind: "tool"; readonly answer: ToolAnswer }
  | { readonly kind: "customer"; readonly text: string };

export type SupportAgent = (problem: Case, dice: Dice) => Generator<Move, void, Reply>;
export type Manner = "attentive" | "brusque" | "confused" | "cautious";

const call = (thought: string, tool: string, args: Arguments): Move => ({
  kind: "call",
  thought,
  tool,
  args,
});

function* attentive(problem: Case, dice: Dice): ReturnType<SupportAgent> {
  const reply = yield {
    kind: "say",
    asks: true,
    text: dice.pick([
      "I am sorry about that, I will see to it now. Which e-mail address did you order with?",
      "Thank you for writing. May I have your e-mail address, so that I find the order?",
    ]),
  };
  const email = addressIn(reply) ?? problem.email;
  const found = yield call("I look the customer up by the address.", "find_customer", { email });
  const customer = idIn(found);
  yield call("Now the orders of this customer.", "list_orders", { customer_id: customer ?? "" });
  yield call("I check the order before I change anything.", "get_order", { order_id: problem.order });
  const outcome = yield call("It is as the customer says.", problem.remedy.tool, problem.remedy.args);
  yield {
    kind: "say",
    asks: false,
    text: succeeded(outcome)
      ? `${problem.closing} Is there anything else?`
      : "I could not do that; a colleague will write to you.",
  };
}

/** Hands every case over to a person instead of solving it. */
function* cautious(problem: Case, _dice: Dice): ReturnType<SupportAgent> {
  yield call("I look at the order.", "get_order", { order_id: problem.order });
  yield call("This is for a person to decide.", "open_ticket", {
    note: `${problem.order}: ${problem.opening}`,
  });
  yield {
    kind: "say",
    asks: false,
    text: "I have passed your message on; a colleague will answer within two days.",
  };
}

/** Promises without looking anything up. */
function* brusque(_problem: Case, dice: Dice): ReturnType<SupportAgent> {
  yield {
    kind: "say",
    asks: false,
    text: dice.pick([
      "That will sort itself out within a few days.",
      "Please read our terms; such cases take up to 30 days.",
    ]),
  };
}

/** Asks what it was told, looks the same thing up again and again, and acts on the wrong order or amount. */
function* confused(problem: Case, _dice: Dice): ReturnType<SupportAgent> {
  const reply = yield {
    kind: "say",
    asks: true,
    text: "What is your full name, e-mail, phone and card number?",
  };
  const email = addressIn(reply) ?? problem.email;
  yield call("I look them up.", "find_customer", { email: `${email}.` });
  yield call("Perhaps it was slow. Again.", "find_customer", { email: `${email}.` });
  yield call("Without the full stop, then.", "find_customer", { email });
  yield call("And once more to be sure.", "find_customer", { email });
  const outcome = yield call("I do what was asked for.", problem.mistake.tool, problem.mistake.args);
  if (!succeeded(outcome)) yield call("It must work this time.", problem.mistake.tool, problem.mistake.args);
  yield { kind: "say", asks: false, text: "All done, have a nice day!" };
}

function addressIn(reply: Reply): string | undefined {
  if (reply.kind !== "customer") return undefined;
  return /[\w.]+@[\w.]+\w/.exec(reply.text)?.[0];
}

function idIn(reply: Reply): string | undefined {
  if (reply.kind !== "tool" || typeof reply.answer.value !== "object" || reply.answer.value === null)
    return undefined;
  return "id" in reply.answer.value ? String(reply.answer.value.id) : undefined;
}

function succeeded(reply: Reply): boolean {
  return reply.kind === "tool" && reply.answer.ok;
}

export const supportAgents: Readonly<Record<Manner, SupportAgent>> = {
  attentive,
  brusque,
  confused,
  cautious,
};
