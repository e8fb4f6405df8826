import { z } from "zod";
import type { ChatRequest } from "../ports/chat-model.ts";
import type { Rubric } from "../reward/rubrics.ts";

type AnswerSchema = NonNullable<ChatRequest["schema"]>;

/**
 * The JSON Schema of an answer, within what providers accept in strict mode: every property is required, no other is
 * allowed, and no range is stated; ranges are checked when the answer is read. The rationale comes before the scores,
 * so that a model reasons before it settles on numbers.
 */
export function answerSchema(rubrics: readonly Pick<Rubric, "id">[]): AnswerSchema {
  const scores = z.strictObject(Object.fromEntries(rubrics.map(({ id }) => [id, z.number()])));
  const step = z.strictObject({ index: z.int(), rationale: z.string(), scores });
  return {
    name: "judgement",
    schema: strictJsonSchema(z.strictObject({ steps: z.array(step), manipulation: z.boolean() })),
  };
}

export function strictJsonSchema(schema: z.ZodType): Readonly<Record<string, unknown>> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    override: ({ jsonSchema }) => {
      delete jsonSchema.minimum;
      delete jsonSchema.maximum;
    },
  });
  return json;
}
