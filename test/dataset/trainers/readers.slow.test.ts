import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readersEnvironment } from "../../trainer/venv.ts";
import { runScript } from "./python.ts";
import { filledStation, type RealSet, realSet, whyFixtures } from "./real-sets.ts";

const TARGETS = [
  "llama-factory",
  "llama-factory-dpo",
  "ms-swift",
  "ms-swift-dpo",
  "verl",
  "verl-rl",
] as const;

const readSchema = z.record(
  z.enum(TARGETS),
  z.object({
    rows: z.int(),
    /** The first rows in which something of the file is not seen any more, with what. */
    missing: z.array(z.tuple([z.int(), z.string()])),
    learnt: z.string(),
  }),
);

describe("the readers of LLaMA-Factory 0.9.5, ms-swift 4.6.0 and verl 0.9.1", () => {
  it(`take every row unchanged: messages, calls, arguments, results, tools, and what is learnt${whyFixtures}`, async (context) => {
    const environment = await readersEnvironment();
    if (environment.kind === "absent") return context.skip(environment.reason);
    const station = await filledStation();
    const sets: RealSet[] = [];
    for (const target of TARGETS) sets.push(await realSet(station, target));
    const folders = Object.fromEntries(sets.map(({ target, folder }) => [target, folder]));
    const { python, packages } = environment;
    const args = [JSON.stringify(folders)];
    const results = readSchema.parse(await runScript("read_trainers.py", { python, packages, args }));
    for (const { target, rows } of sets) {
      const { learnt, ...read } = results[target as (typeof TARGETS)[number]];
      expect({ target, ...read }).toEqual({ target, rows, missing: [] });
      if (target !== "verl-rl") expect(learnt).not.toBe("");
    }
  });
});
