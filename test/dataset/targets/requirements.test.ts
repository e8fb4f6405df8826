import { describe, expect, it } from "vitest";
import { z } from "zod";
import { datasetRequestSchema } from "../../../shared/contracts/dataset-request.ts";
import type { TargetId } from "../../../shared/dataset/targets/targets.ts";
import { storePair, storeVote } from "../../../shared/stages/store-votes.ts";
import { pairRecord } from "../../../shared/votes/choose-pairs.ts";
import { attemptLines, attemptRow, TOOL_DEFINITIONS } from "../../factories/attempts.ts";
import { makeStation, type Station } from "../../factories/station.ts";
import { makeVote } from "../../votes/vote-factory.ts";

/** What the trainers' own readers ask of a row, written down apart from the table of targets. */

const jsonText = z.string().transform((text): unknown => JSON.parse(text));
const tools = jsonText.pipe(
  z.array(
    z.object({
      type: z.literal("function"),
      function: z.object({ name: z.string(), parameters: z.object() }),
    }),
  ),
);
const call = z.strictObject({
  id: z.string(),
  type: z.literal("function"),
  function: z.strictObject({ name: z.string(), arguments: jsonText.pipe(z.record(z.string(), z.unknown())) }),
});
const chatMessage = z.object({
  role: z.enum(["system", "user", "assistant", "tool"]),
  content: z.string(),
  tool_calls: z.array(call).optional(),
});
/** For chat templates: arguments are objects, and one system message at the most, the first. */
const templateCall = call.extend({
  function: z.strictObject({ name: z.string(), arguments: z.record(z.string(), z.unknown()) }),
});
const templateMessage = z.strictObject({
  role: z.enum(["system", "user", "assistant", "tool"]),
  content: z.string(),
  reasoning_content: z.string().optional(),
  tool_calls: z.array(templateCall).min(1).optional(),
  tool_call_id: z.string().optional(),
  name: z.string().optional(),
});
const oneSystem = <T extends { readonly role: string }>(list: readonly T[]): boolean =>
  list.every(({ role }, at) => role !== "system" || at === 0);
const template = z.array(templateMessage).min(1).refine(oneSystem, "a system message stands first");
const templateTools = tools.nullable();
const templateAgents = template.refine((list) => list[0]?.role === "assistant", "begins with the agent");

const turn = z.strictObject({
  from: z.enum(["human", "observation", "gpt", "function_call"]),
  value: z.string(),
});
const agentTurn = z.strictObject({ from: z.enum(["gpt", "function_call"]), value: z.string() });
const turns = z
  .array(turn)
  .refine(
    (list) => list.every(({ from }, at) => (at % 2 === 0) === (from === "human" || from === "observation")),
    "the environment stands in even places",
  );

const swift = z.array(
  z.strictObject({
    role: z.enum(["system", "user", "assistant", "tool_call", "tool_response"]),
    content: z.string(),
    loss: z.boolean().optional(),
  }),
);

const openaiMessage = z.strictObject({
  role: z.enum(["system", "user", "assistant", "tool", "developer"]),
  content: z.string(),
  tool_calls: z.array(call).optional(),
  tool_call_id: z.string().optional(),
});
const openaiTools = z.array(z.object({ type: z.literal("function") })).min(1);
const openaiSide = z.tuple([openaiMessage.extend({ role: z.literal("assistant") })]);

/** TRL stops at a prompt that does not end with the user. */
const plainPrompt = z
  .array(z.strictObject({ role: z.enum(["system", "user"]), content: z.string() }))
  .min(1)
  .refine(oneSystem)
  .refine((list) => list.at(-1)?.role === "user");
const groundTruth = jsonText.pipe(
  z.object({ task_id: z.string().nullable(), test_command: z.string().nullable() }),
);
const place = z.object({
  split: z.string(),
  index: z.int(),
  mean_reward: z.number(),
  tokens: z.enum(["token_exact", "text_only"]),
});

const ROWS: Readonly<Partial<Record<TargetId, z.ZodType>>> = {
  trl: z.object({ messages: template, tools: templateTools }),
  "trl-prompt-completion": z.object({ prompt: template, completion: templateAgents, tools: templateTools }),
  // prime-rl: src/prime_rl/trainer/sft/data.py. It knows these four roles and parses arguments and tools.
  "prime-rl": z.object({ messages: z.array(chatMessage).min(1).refine(oneSystem), tools }),
  verl: z.object({
    messages: z
      .array(chatMessage.extend({ trainable: z.boolean().optional() }))
      .min(1)
      .refine(oneSystem),
    tools,
  }),
  "llama-factory": z.object({
    conversations: turns.refine((list) => list.length % 2 === 0, "turns come in pairs"),
    system: z.string(),
    tools,
  }),
  "llama-factory-dpo": z.object({
    conversations: turns.refine((list) => list.length % 2 === 1, "the environment has the last turn"),
    chosen: agentTurn,
    rejected: agentTurn,
    system: z.string(),
    tools,
  }),
  "ms-swift": z.object({ messages: swift, tools }),
  "ms-swift-dpo": z.object({ messages: swift, rejected_messages: swift, tools, rejected_tools: tools }),
  openai: z.strictObject({
    messages: z.array(openaiMessage.extend({ weight: z.union([z.literal(0), z.literal(1)]).optional() })),
    tools: openaiTools.optional(),
    parallel_tool_calls: z.boolean().optional(),
  }),
  "openai-dpo": z.strictObject({
    input: z.strictObject({
      messages: z.array(openaiMessage).min(1),
      tools: openaiTools.optional(),
      parallel_tool_calls: z.boolean().optional(),
    }),
    preferred_output: openaiSide,
    non_preferred_output: openaiSide,
  }),
  "trl-dpo": z.object({
    prompt: template,
    chosen: templateAgents,
    rejected: templateAgents,
    tools: templateTools,
  }),
  "trl-kto": z.object({
    prompt: template,
    completion: templateAgents,
    label: z.boolean(),
    tools: templateTools,
  }),
  "trl-prm": z
    .object({
      prompt: z.string().min(1),
      completions: z.array(z.string()).min(1),
      labels: z.array(z.boolean()),
    })
    .refine(({ completions, labels }) => completions.length === labels.length),
  "verl-rl": z.object({
    data_source: z.string(),
    prompt: plainPrompt,
    ability: z.string(),
    reward_model: z.strictObject({ style: z.literal("rule"), ground_truth: groundTruth }),
    extra_info: place,
  }),
  skyrl: z.object({
    data_source: z.string(),
    prompt: plainPrompt,
    env_class: z.string(),
    reward_spec: z.strictObject({ method: z.literal("rule"), ground_truth: groundTruth }),
    extra_info: place,
  }),
  "trl-grpo": z.object({ prompt: plainPrompt, ground_truth: groundTruth, tools: templateTools }),
  // verifiers: a string to compare with, and `info` as JSON text of an object.
  verifiers: z.strictObject({
    prompt: plainPrompt,
    answer: groundTruth,
    info: jsonText.pipe(
      z.object({ domain: z.string(), split: z.string(), tokens: z.enum(["token_exact", "text_only"]) }),
    ),
    task: z.string(),
  }),
};

async function rowsFor(
  station: Station,
  request: Parameters<Station["export"]>[0],
): Promise<readonly unknown[]> {
  const result = await station.export({
    split: { train: 1, validation: 0, test: 0, seed: 1 },
    files: "jsonl",
    ...request,
  });
  if (result.kind === "empty") throw new Error(`no rows: ${JSON.stringify(result.excluded)}`);
  const text = await station.text(`${result.prefix}train.jsonl`);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

describe("rows", () => {
  it.each(Object.entries(ROWS))("of %s are what the trainer's reader asks for", async (target, schema) => {
    const station = makeStation();
    station.write("team/a.jsonl", `${attemptLines(4).join("\n")}\n`);
    await station.run();
    const rows = await rowsFor(station, { target: target as TargetId });
    expect(rows.length).toBeGreaterThan(2);
    for (const row of rows) expect(schema.safeParse(row).error).toBeUndefined();
  });

  it("of pairs are one message on each side where the settings say so", async () => {
    const station = makeStation();
    station.write("team/a.jsonl", `${attemptLines(2).join("\n")}\n`);
    await station.run();
    const pairs = {
      strategy: "all-pairs",
      margin: 0.01,
      ties: "never",
      verified: false,
      layers: "same",
    } as const;
    const whole = await rowsFor(station, { target: "trl-dpo", pairs: { ...pairs, unit: "trajectory" } });
    const steps = await rowsFor(station, { target: "trl-dpo", pairs: { ...pairs, unit: "step" } });
    const sides = (rows: readonly unknown[]): readonly number[] =>
      rows.flatMap((row) => {
        const { chosen, rejected } = z
          .object({ chosen: z.array(z.unknown()), rejected: z.array(z.unknown()) })
          .parse(row);
        return [chosen.length, rejected.length];
      });
    expect(Math.max(...sides(whole))).toBeGreaterThan(1);
    expect(new Set(sides(steps))).toEqual(new Set([1]));
    expect(steps.length).toBeGreaterThan(2);
  });

  it("leave out attempts whose tools differ, with their count", async () => {
    const station = makeStation();
    const [first] = TOOL_DEFINITIONS;
    const common = { task: "t", prompt: "Mend it." } as const;
    station.write(
      "team/a.jsonl",
      [
        attemptRow({ ...common, calls: [["ls", "a"]] }),
        attemptRow({ ...common, calls: [["rm a", "error"]], success: false, more: { tools: [first] } }),
      ].join("\n"),
    );
    await station.run();
    expect(await station.export({ target: "trl-dpo" })).toEqual({
      kind: "empty",
      considered: 2,
      excluded: { "in no pair": 2 },
      pairsLeftOut: { "their tools differ": 1 },
    });
  });

  it("of pairs follow votes before rewards where enough were cast, which makes another version", async () => {
    const station = makeStation();
    station.write("team/a.jsonl", attemptLines(1).slice(0, 2).join("\n"));
    await station.run();
    const [better = "", worse = ""] = (await station.select()).map(({ id }) => id);
    const pair = pairRecord({ taskKey: "task-0", ids: [better, worse] }, 1);
    await storePair(pair, station.local);
    await storeVote(makeVote(pair, "ann", pair.left_id === worse ? "left" : "right"), station.local.store);
    const pairs = {
      strategy: "outside-in",
      margin: 0,
      ties: "never",
      verified: false,
      layers: "same",
      unit: "step",
    } as const;
    const request = { target: "trl-dpo", pairs } as const;
    const voted = { ...request, pairs: { ...pairs, minVotes: 1 } };
    expect(await rowsFor(station, request)).toMatchObject([{ chosen_id: better, preferred_by: "reward" }]);
    expect(await rowsFor(station, voted)).toMatchObject([{ chosen_id: worse, preferred_by: "votes" }]);
    await storeVote(makeVote(pair, "bob", "tie"), station.local.store);
    await storeVote(makeVote(pair, "cid", pair.left_id === better ? "left" : "right"), station.local.store);
    expect(await rowsFor(station, voted)).toMatchObject([{ chosen_id: better, preferred_by: "reward" }]);
  });

  it("of groups leave out what is about a task of an evaluation set, and refuse what would tear groups", async () => {
    const station = makeStation();
    station.write("team/a.jsonl", attemptLines(3).join("\n"));
    await station.run();
    const request = { target: "trl-dpo", against: ["held-out.jsonl"] } satisfies Parameters<
      Station["export"]
    >[0];
    const result = await station.export(request, {
      evaluations: async () => Buffer.from('{"task_id":"task-1"}\n'),
    });
    if (result.kind === "empty") throw new Error("no pairs are left");
    const { manifest } = result;
    expect(manifest.rows).toBe(2);
    expect(manifest.selection.excluded).toMatchObject({ "task of an evaluation set, by its id": 3 });
    expect(manifest.curation?.decontamination?.removed).toBe(3);
    const torn = datasetRequestSchema.safeParse({ target: "grpo-offline", dedup: { near: 0.9 } });
    expect(torn.error?.issues[0]?.message).toContain("groups of attempts stay whole");
  });

  it("carry the token ids and log-probs that a log has", async () => {
    const station = makeStation();
    const logged = (id: string, more: object, success: boolean): string =>
      JSON.stringify({
        schema_version: "ATIF-v1.8",
        session_id: id,
        agent: { name: "a", version: "1" },
        steps: [
          { step_id: 1, source: "user", message: "do" },
          {
            step_id: 2,
            source: "agent",
            message: `yes ${id}`,
            metrics: { prompt_token_ids: [1, 2], completion_token_ids: [3, 4], logprobs: [-0.5, -1] },
            ...more,
          },
        ],
        extra: { task_id: "t", success },
      });
    station.write("team/one.json", logged("one", {}, true));
    station.write("team/two.json", logged("two", {}, false));
    await station.run();
    const entries = await station.select();
    expect(entries.map(({ tokens }) => tokens)).toEqual(["token_exact", "token_exact"]);
    const rows = await rowsFor(station, { target: "grpo-offline" });
    expect(rows).toHaveLength(2);
    for (const row of rows) {
      expect(row).toMatchObject({
        tokens: "token_exact",
        prompt_token_ids: [null, [1, 2]],
        completion_token_ids: [null, [3, 4]],
        logprobs: [null, [-0.5, -1]],
      });
    }
    const [document] = await rowsFor(station, { target: "atif" });
    expect(document).toMatchObject({ steps: [{}, { metrics: { completion_token_ids: [3, 4] } }] });
  });
});
