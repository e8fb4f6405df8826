import { z } from "zod";
import type { Judgement } from "./judgement.ts";
import type { Label } from "./label.ts";

/**
 * Which judgements and labels there are of a trajectory: a ledger record (`evidenceRecord(id)`), so that scoring finds
 * them by one read and two writers do not lose each other's. The documents themselves are in the store.
 */
export const evidenceSchema = z.strictObject({
  schema: z.literal("gymline.evidence.v1"),
  /** Ids of judges, sorted. */
  judges: z.array(z.string()),
  /** Annotators, sorted. */
  annotators: z.array(z.string()),
});
export type Evidence = Readonly<z.infer<typeof evidenceSchema>>;

export function evidenceRecord(id: string): string {
  return `evidence/${id}`;
}

/** What is known of a trajectory beside its document: judgements of models and labels of people. */
export interface ScoreEvidence {
  readonly judgements: readonly Judgement[];
  readonly labels: readonly Label[];
}
