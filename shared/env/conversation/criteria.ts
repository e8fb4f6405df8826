import { z } from "zod";
import type { JsonObject, Verdict } from "../protocol.ts";
import {
  argumentsHold,
  argumentTestsSchema,
  pathKeys,
  pathSchema,
  valueAt,
  valueHolds,
  valueTestSchema,
} from "./value-test.ts";

const common = {
  /** Told where it does not hold. */
  name: z.string().min(1).optional(),
  /** Its part in the score; 1 where absent. */
  weight: z.number().positive().optional(),
};

/** What must be true at the end of a conversation. A task has succeeded when all its criteria hold. */
export const criterionSchema = z.discriminatedUnion("kind", [
  /** A call with these arguments was made and went well, at least `min` times (1) and at most `max`. */
  z.strictObject({
    kind: z.literal("called"),
    tool: z.string(),
    arguments: argumentTestsSchema.optional(),
    min: z.int().min(1).optional(),
    max: z.int().min(1).optional(),
    ...common,
  }),
  /** No such call was made, not even one that failed. */
  z.strictObject({
    kind: z.literal("not_called"),
    tool: z.string(),
    arguments: argumentTestsSchema.optional(),
    ...common,
  }),
  /** What the agent said to the user: last, ever, or every time. */
  z.strictObject({
    kind: z.literal("message"),
    which: z.enum(["last", "any", "every"]).default("last"),
    text: valueTestSchema,
    ...common,
  }),
  /** The state at the end. */
  z.strictObject({ kind: z.literal("state"), path: pathSchema, value: valueTestSchema, ...common }),
]);

export type Criterion = z.infer<typeof criterionSchema>;

/** One call of a conversation. */
export interface ConversationCall {
  readonly tool: string;
  readonly params: JsonObject;
  readonly output: string;
  readonly exitCode: number;
}

/** What criteria are checked against. */
export interface ConversationEnd {
  readonly calls: readonly ConversationCall[];
  /** What the agent said to the user, in order. */
  readonly said: readonly string[];
  readonly world: JsonObject;
}

/** Success: all hold. Score: the weight of those that hold, of the weight of all. Without criteria nothing is judged. */
export function judgeConversation(criteria: readonly Criterion[], end: ConversationEnd): Verdict {
  if (criteria.length === 0) return { success: null, score: null };
  const weight = (list: readonly Criterion[]): number =>
    list.reduce((sum, each) => sum + (each.weight ?? 1), 0);
  const unmet = criteria.filter((criterion) => !criterionHolds(criterion, end));
  const all = weight(criteria);
  return {
    success: unmet.length === 0,
    score: unmet.length === 0 ? 1 : (all - weight(unmet)) / all,
    unmet: unmet.map(criterionName),
  };
}

export function criterionHolds(criterion: Criterion, { calls, said, world }: ConversationEnd): boolean {
  switch (criterion.kind) {
    case "called": {
      const { min = 1, max = Number.POSITIVE_INFINITY } = criterion;
      const count = matching(criterion, calls).filter((call) => call.exitCode === 0).length;
      return count >= min && count <= max;
    }
    case "not_called":
      return matching(criterion, calls).length === 0;
    case "message": {
      const holds = (text: string | undefined): boolean => valueHolds(criterion.text, text);
      if (criterion.which === "last") return holds(said.at(-1));
      return criterion.which === "any" ? said.some(holds) : said.every(holds);
    }
    case "state":
      return valueHolds(criterion.value, valueAt(world, criterion.path));
  }
}

/** The name of the criterion that forbids a call; null where none does. */
export function forbidden(
  call: Pick<ConversationCall, "tool" | "params">,
  criteria: readonly Criterion[],
): string | null {
  const broken = criteria.find(
    (criterion) =>
      criterion.kind === "not_called" &&
      criterion.tool === call.tool &&
      argumentsHold(criterion.arguments, call.params),
  );
  return broken === undefined ? null : criterionName(broken);
}

function matching(
  criterion: Extract<Criterion, { readonly tool: string }>,
  calls: readonly ConversationCall[],
): readonly ConversationCall[] {
  return calls.filter(
    (call) => call.tool === criterion.tool && argumentsHold(criterion.arguments, call.params),
  );
}

function criterionName(criterion: Criterion): string {
  if (criterion.name !== undefined) return criterion.name;
  switch (criterion.kind) {
    case "called":
      return `${criterion.tool} called as required`;
    case "not_called":
      return `${criterion.tool} not called`;
    case "message":
      return `message (${criterion.which})`;
    case "state":
      return `state ${pathKeys(criterion.path).join(".")}`;
  }
}
