import { z } from "zod";

/** What `training.json` of a training says of the model that came of it; other trainers may say less. */
export const trainingRecordSchema = z.object({
  algorithm: z.string().nullish(),
  base_model: z.string().nullish(),
  commit: z.string().nullish(),
  metrics: z.record(z.string(), z.unknown()).nullish(),
});
export type TrainingRecord = Readonly<z.infer<typeof trainingRecordSchema>>;

/** Those of its metrics that are numbers. */
export function numbersOf({ metrics }: TrainingRecord): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(metrics ?? {}).flatMap(([key, value]) =>
      typeof value === "number" && Number.isFinite(value) ? [[key, value] as const] : [],
    ),
  );
}
