import { z } from "zod";
import { trajectorySchema } from "./schema.ts";

/**
 * The stored trajectory as JSON Schema (draft 2020-12), for readers in other languages. It states the shape;
 * what JSON Schema cannot say (step ids without gaps, results that name a call of their step, unique ids of
 * embedded trajectories) is checked by `trajectorySchema` alone.
 */
export function trajectoryJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...shape } = z.toJSONSchema(trajectorySchema, { io: "input", target: "draft-2020-12" });
  return {
    $schema,
    $id: "urn:gymline:trajectory:v1",
    title: "Gymline trajectory",
    description: "ATIF v1.8 with Gymline's own facts under extra.gymline.",
    ...shape,
  };
}
