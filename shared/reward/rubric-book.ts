import { z } from "zod";
import { builtinRubrics, type Rubric, type RubricBook } from "./rubrics.ts";

const idSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,63}$/, "lower-case letters, digits and `_`, a letter first");

/** What the rules can score; a rubric of the rules must be one of these. */
const RULE_RUBRICS: ReadonlySet<string> = new Set(["non_redundancy", "info_utilization"]);

/** A file of rubrics and sets. It adds to what is built in; what has the same id or domain replaces it. */
export const rubricFileSchema = z.strictObject({
  $schema: z.string().optional(),
  rubrics: z
    .array(
      z.strictObject({
        id: idSchema,
        name: z.string().min(1).optional(),
        /** What the evaluator is told to look for; for a model, the text it is given. */
        description: z.string().min(1).max(2000),
        evaluator: z.enum(["rule", "model", "human", "critic"]).default("model"),
      }),
    )
    .default([]),
  /** By domain, `default` for all others: weights by rubric id. */
  sets: z.record(z.string().min(1), z.record(idSchema, z.number().min(0).max(1))).default({}),
});
export type RubricFile = z.infer<typeof rubricFileSchema>;

/** A file of rubrics is wrong. `source` names the file or place it came from. */
export class RubricError extends Error {
  override readonly name = "RubricError";
  readonly source: string;
  constructor(source: string, reason: string, options?: ErrorOptions) {
    super(`Rubrics ${source}: ${reason}. Correct these fields.`, options);
    this.source = source;
  }
}

/**
 * Checks a file of rubrics and lays it over what is built in.
 * @throws RubricError naming the source, the field and what is expected there
 */
export function parseRubrics(value: unknown, sourceName: string): RubricBook {
  const result = rubricFileSchema.safeParse(value);
  if (!result.success) {
    const reasons = result.error.issues.slice(0, 5).map((issue) => {
      const place = issue.path.length === 0 ? "top level" : issue.path.map(String).join(".");
      return `${place}: ${issue.message}`;
    });
    throw new RubricError(sourceName, reasons.join("; "), { cause: result.error });
  }
  return bookOf(result.data, sourceName);
}

function bookOf(file: RubricFile, sourceName: string): RubricBook {
  const rubrics = new Map(builtinRubrics.rubrics);
  const own = new Set<string>();
  for (const [index, { id, name = id, description, evaluator }] of file.rubrics.entries()) {
    if (own.has(id)) throw new RubricError(sourceName, `rubrics.${index}.id: "${id}" stands there twice`);
    own.add(id);
    if (evaluator === "rule" && !RULE_RUBRICS.has(id)) {
      const known = [...RULE_RUBRICS].join(", ");
      throw new RubricError(sourceName, `rubrics.${index}.evaluator: the rules score ${known} and no other`);
    }
    rubrics.set(id, { id, name, description, evaluator } satisfies Omit<Rubric, "weight">);
  }
  const sets = new Map(builtinRubrics.sets);
  for (const [domain, weights] of Object.entries(file.sets)) {
    const set = new Map(Object.entries(weights));
    const unknown = [...set.keys()].find((id) => !rubrics.has(id));
    if (unknown !== undefined) {
      const known = [...rubrics.keys()].join(", ");
      throw new RubricError(
        sourceName,
        `sets.${domain}.${unknown}: no such rubric; known rubrics are ${known}`,
      );
    }
    if (![...set.values()].some((weight) => weight > 0)) {
      throw new RubricError(sourceName, `sets.${domain}: at least one rubric must weigh more than 0`);
    }
    sets.set(domain, set);
  }
  return { rubrics, sets };
}
