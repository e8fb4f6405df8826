import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";

export const TINY_MODELS = ["tiny-qwen2", "tiny-llama"] as const;

/** Folder of a tiny model of test/fixtures. */
export function tinyModel(name: (typeof TINY_MODELS)[number]): string {
  return resolve(import.meta.dirname, "../fixtures", name);
}

const numbers = z.array(z.number());
const caseSchema = z.object({
  name: z.string(),
  messages: z.array(z.unknown()),
  // As they stand in the file: the order of their keys is part of the prompt.
  tools: z.array(z.unknown()),
  prompt: z.string(),
  prompt_ids: numbers,
  completion_ids: numbers,
  completion: z.string(),
  logprobs: numbers,
  first_logits: numbers,
});

/** What Transformers and PyTorch make of a tiny model. */
export function expectedOf(folder: string): readonly z.infer<typeof caseSchema>[] {
  const text = readFileSync(join(folder, "expected.json"), "utf8");
  return z.object({ cases: z.array(caseSchema) }).parse(JSON.parse(text)).cases;
}
