import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { filledStation, realSet, whyFixtures } from "../dataset/trainers/real-sets.ts";
import { trainerEnvironment } from "./venv.ts";

const TARGETS = {
  trl: "sft",
  "trl-prompt-completion": "sft",
  "trl-dpo": "dpo",
  "grpo-offline": "grpo",
  "trl-prm": "prm",
} as const;
/** In tokens of a tiny tokenizer: longer than any of the logs, and a length at which many of them come in parts. */
const LENGTHS = { whole: 10_000_000, parts: 65_536 } as const;

const figuresSchema = z.record(
  z.string(),
  z.object({
    rows: z.int(),
    sequences: z.int(),
    trained_tokens: z.int(),
    chunked: z.int(),
    skipped: z.int(),
    cut: z.int(),
    /** Messages to be learnt whose text is not in what is learnt. */
    missing: z.int(),
  }),
);

describe("the trainer", () => {
  it(`reads every set that is exported for it, and learns all that is to be learnt, whole or in parts${whyFixtures}`, async (context) => {
    const environment = await trainerEnvironment();
    if (environment.kind === "absent") return context.skip(environment.reason);
    const station = await filledStation();
    const sets: Record<string, readonly [string, string, number]> = {};
    const rows: Record<string, number> = {};
    for (const [target, algorithm] of Object.entries(TARGETS)) {
      const set = await realSet(station, target as keyof typeof TARGETS);
      for (const [name, length] of Object.entries(LENGTHS)) {
        if (name === "whole" && target !== "trl") continue;
        sets[`${target} ${name}`] = [algorithm, set.folder, length];
        rows[`${target} ${name}`] = set.rows;
      }
    }
    const script = join(import.meta.dirname, "read_sets.py");
    const env = { ...process.env, HF_HUB_OFFLINE: "1", PYTHONDONTWRITEBYTECODE: "1" };
    const args = [script, JSON.stringify(sets)];
    const { stdout } = await promisify(execFile)(environment.python, args, { env, maxBuffer: 1 << 26 });
    const read = figuresSchema.parse(JSON.parse(stdout));
    for (const [name, figures] of Object.entries(read)) {
      const { missing, skipped, sequences, trained_tokens: trained } = figures;
      expect({ name, rows: figures.rows, missing, skipped }).toEqual({
        name,
        rows: rows[name],
        missing: 0,
        skipped: 0,
      });
      expect([name, sequences >= figures.rows, trained > 0]).toEqual([name, true, true]);
      if (name === "trl parts") expect(trained).toBe(read["trl whole"]?.trained_tokens);
      if (name.endsWith(" whole")) expect([name, figures.cut, figures.chunked]).toEqual([name, 0, 0]);
    }
  });
});
