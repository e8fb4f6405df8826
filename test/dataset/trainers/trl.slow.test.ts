import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { TargetId } from "../../../shared/dataset/targets/targets.ts";
import { prmEnvironment, trainerEnvironment } from "../../trainer/venv.ts";
import { runScript } from "./python.ts";
import { filledStation, type RealSet, realSet, whyFixtures } from "./real-sets.ts";

const TARGETS = ["trl", "trl-prompt-completion", "trl-dpo", "trl-kto", "trl-grpo"] as const;

const trainedSchema = z.object({
  rows: z.int(),
  steps: z.int(),
  /** Those that are numbers. */
  losses: z.array(z.number()),
  /** Parameters that the two steps changed. */
  changed: z.int(),
});
const setsSchema = z.record(
  z.enum(TARGETS),
  trainedSchema.extend({
    /** Rows that the trainer did not leave out for their length. */
    kept: z.int(),
    /** Per row, the stretches of text that count in the loss. */
    learnt: z.array(z.array(z.string())).optional(),
  }),
);
const renderedSchema = z.record(
  z.string(),
  z.object({
    rows: z.int(),
    /** Rows that the template stopped at, by its own words. */
    refused: z.record(z.string(), z.int()),
    /** The first rows without something that their messages hold. */
    missing: z.array(z.tuple([z.int(), z.string()])),
    missed: z.int(),
  }),
);

interface Row {
  readonly messages?: readonly Message[];
  readonly prompt?: readonly Message[];
  readonly completion?: readonly Message[];
}

interface Message {
  readonly role: string;
  readonly content: string;
  readonly tool_calls?: readonly { readonly function: { readonly name: string } }[];
}

function rowsOf({ folder }: RealSet): readonly Row[] {
  const text = readFileSync(join(folder, "train.jsonl"), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}

/** What the agent wrote: one stretch for each of its messages. */
function ofAgent({ messages = [], prompt = [], completion = [] }: Row, target: TargetId): readonly Message[] {
  const learnt = target === "trl" ? messages : completion;
  expect([...messages, ...prompt, ...completion].length).toBeGreaterThan(1);
  return learnt.filter(({ role }) => role === "assistant");
}

/** White space apart, which the template trims. */
const squeezed = (text: string): string => text.replace(/\s/g, "");

describe("TRL 1.16.0", () => {
  it(`takes every set unchanged for two steps, and learns what the agent wrote and nothing else${whyFixtures}`, async (context) => {
    const environment = await trainerEnvironment();
    if (environment.kind === "absent") return context.skip(environment.reason);
    const station = await filledStation();
    const sets: RealSet[] = [];
    for (const target of TARGETS) sets.push(await realSet(station, target));
    const folders = Object.fromEntries(sets.map(({ target, folder }) => [target, folder]));
    const args = [JSON.stringify(folders)];
    const results = setsSchema.parse(await runScript("train_trl.py", { python: environment.python, args }));
    for (const set of sets) {
      const result = results[set.target as (typeof TARGETS)[number]];
      const { rows, steps, losses, changed, kept, learnt } = result;
      expect({ target: set.target, rows, steps, losses: losses.length }).toEqual({
        target: set.target,
        rows: set.rows,
        steps: 2,
        losses: 2,
      });
      expect([set.target, changed > 0, kept > set.rows / 2]).toEqual([set.target, true, true]);
      if (learnt === undefined) continue;
      for (const [index, row] of rowsOf(set).entries()) {
        const stretches = learnt[index] ?? [];
        const messages = ofAgent(row, set.target);
        expect([set.target, index, stretches.length]).toEqual([set.target, index, messages.length]);
        for (const [at, { content, tool_calls = [] }] of messages.entries()) {
          const text = squeezed(stretches[at] ?? "");
          expect(text).toContain(squeezed(content));
          for (const call of tool_calls) expect(text).toContain(squeezed(`{"name":"${call.function.name}"`));
        }
      }
    }
  });

  it(`has chat templates of models show every message, call, argument, result and tool${whyFixtures}`, async (context) => {
    const environment = await trainerEnvironment();
    if (environment.kind === "absent") return context.skip(environment.reason);
    const { folder, rows } = await realSet(await filledStation(), "trl");
    const { python } = environment;
    const all = renderedSchema.parse(await runScript("render_templates.py", { python, args: [folder] }));
    const { "text: quoted": quoted, "text: refused": stopped, ...templates } = all;
    expect(Object.keys(templates).length).toBeGreaterThan(8);
    for (const [name, { refused, ...shown }] of Object.entries(templates)) {
      expect({ name, ...shown }).toEqual({ name, rows, missing: [], missed: 0 });
      const known = name === "llama3_1" ? ["This model only supports single tool-calls at once!"] : [];
      expect([name, Object.keys(refused).filter((words) => !known.includes(words))]).toEqual([name, []]);
    }
    // With arguments as JSON text, the same check sees what goes wrong.
    expect(quoted?.missed).toBeGreaterThan(10);
    expect(Object.keys(stopped?.refused ?? {})).toEqual(["Can only get item pairs from a mapping."]);
  });
});

describe("TRL 1.13.0", () => {
  it("takes a set for its process reward trainer, with the labels of the rows", async (context) => {
    const environment = await prmEnvironment();
    if (environment.kind === "absent") return context.skip(environment.reason);
    const { folder, rows } = await realSet(await filledStation(), "trl-prm");
    const { python, packages } = environment;
    const result = await runScript("train_prm.py", { python, packages, args: [folder] });
    const schema = trainedSchema.extend({ as_labelled: z.literal(true) });
    const { changed, losses, ...rest } = schema.parse(result);
    expect(rest).toEqual({ rows, steps: 2, as_labelled: true });
    expect([changed > 0, losses.length]).toEqual([true, 2]);
  });
});
