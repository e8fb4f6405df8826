import { z } from "zod";

/** `manifest.json` of a training's output: what there is of a model. It is written last, so without it nothing counts. */
export const modelFilesSchema = z.object({
  schema: z.literal("gymline.model-files.v1"),
  /** Of the training plan. */
  run: z.string().optional(),
  algorithm: z.string().optional(),
  files: z.array(
    z.object({
      /** Below the manifest's own prefix. */
      path: z.string(),
      bytes: z.int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

export function modelFilesKey(prefix: string): string {
  return `${prefix.replace(/\/+$/, "")}/manifest.json`;
}
