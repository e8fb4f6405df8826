import { z } from "zod";
import type { SandboxSpec } from "../ports/sandbox.ts";

const allowListSchema = z.strictObject({
  allow: z.array(z.string()),
  privateRanges: z.array(z.string()).exactOptional(),
});

const texts = z.record(z.string(), z.string());

/** A spec as an engine keeps it beside a sandbox, so that another program can open it. */
export const sandboxSpecSchema: z.ZodType<SandboxSpec> = z.strictObject({
  image: z.string(),
  workspace: z.string(),
  env: texts,
  network: z.union([z.literal("none"), allowListSchema]),
  limits: z.strictObject({
    memoryBytes: z.number(),
    cpus: z.number(),
    pids: z.number(),
    diskBytes: z.number(),
    lifetimeMs: z.number(),
  }),
  labels: texts,
  runtime: z.string().exactOptional(),
});
