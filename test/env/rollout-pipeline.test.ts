import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scriptedAgent } from "../../shared/agents/scripted.ts";
import { makeEnv } from "../../shared/env/envs.ts";
import { runEpisode } from "../../shared/env/rollout/run-episode.ts";
import {
  datasetRequestSchema,
  openForReading,
  pipelinePlan,
  runPipeline,
  systemClock,
  type Trajectory,
} from "../../shared/library.ts";
import { documentsIn } from "../acceptance/stored.ts";
import { temporaryFolder } from "../factories/temporary.ts";

const task = {
  id: "refund-17",
  description: "I want my money back for order 17.",
  conversation: {
    state: { orders: { "17": "paid" } },
    answers: [
      {
        tool: "send_message",
        arguments: { target: { equals: "billing" } },
        output: "Refunded.",
        set: [{ path: "orders.17", value: "refunded" }],
      },
    ],
    criteria: [{ kind: "state", path: "orders.17", value: { equals: "refunded" } }],
  },
};

const good = scriptedAgent([
  {
    message: "I look it up and tell billing.",
    calls: [
      { tool: "query_stats", params: { query: "order 17" } },
      { tool: "send_message", params: { target: "billing" } },
    ],
  },
  { message: "Your money is on its way." },
]);
const bad = scriptedAgent([{ calls: [{ tool: "respond", params: { message: "No." } }] }]);
const lost = scriptedAgent([{ calls: [{ tool: "query_stats", params: { query: "order 17" } }] }]);

describe("recorded episodes", () => {
  it("go through the pipeline: taken in, scored, exported, with equal attempts apart", async () => {
    const drop = join(temporaryFolder("rollout"), "drop");
    const folder = join(drop, "rollouts");
    mkdirSync(folder, { recursive: true });
    const env = makeEnv("gymline/conversation");
    const recorded: Trajectory[] = [];
    for (const [index, agent] of [good, good, bad, lost].entries()) {
      const { trajectory } = await runEpisode({
        env,
        agent,
        task,
        clock: systemClock,
        run: "night",
        attempt: index,
        seed: index,
      });
      if (trajectory === null) throw new Error("nothing was recorded");
      recorded.push(trajectory);
      writeFileSync(join(folder, `${index}.json`), JSON.stringify(trajectory));
    }
    // One file of lines holds the same attempts of another run.
    const lines = recorded.map((each) => {
      const { metadata, session, ...facts } = each.extra.gymline;
      const again = { ...facts, session: `other/${session}`, metadata: { ...metadata, run: "other" } };
      return JSON.stringify({ ...each, extra: { gymline: again } });
    });
    writeFileSync(join(folder, "other.jsonl"), lines.join("\n"));

    const out = join(temporaryFolder("rollout"), "store");
    const dataset = datasetRequestSchema.parse({ name: "sft", success: ["true"] });
    const plan = pipelinePlan({ format: "atif" });
    const result = await runPipeline({ drop, out, dataset, plan, threads: 0 });
    expect([result.summary.counts.new, result.summary.rejected]).toEqual([8, 0]);

    const documents = [...documentsIn(out).values()];
    expect(documents).toHaveLength(8);
    const contents = documents.map(({ extra }) => extra.gymline.content_id);
    expect(new Set(contents).size).toBe(3);
    const taken = documents.find(({ extra }) => extra.gymline.metadata?.["attempt"] === 0);
    expect(taken?.extra.gymline).toMatchObject({
      domain: "conversation",
      task: { id: "refund-17" },
      outcome: { success: true, score: 1, exit_status: "terminated" },
      provenance: { format: "atif", variant: "gymline" },
      fidelity: { dropped: [], notes: [] },
      lint: [],
      metadata: { run: expect.any(String), attempt: 0, seed: 0, env: "gymline/conversation-v1" },
    });
    expect(taken?.steps).toEqual(recorded[0]?.steps);
    expect(taken?.extra.gymline.content_id).toBe(recorded[0]?.extra.gymline.content_id);

    const local = openForReading(out);
    try {
      const rewards = new Map<boolean | null, number>();
      for await (const { success, reward } of local.catalog.select({})) {
        expect(reward).toBeTypeOf("number");
        rewards.set(success, reward ?? 0);
      }
      expect([...rewards.keys()].sort()).toEqual([false, true]);
      expect(rewards.get(true)).toBeGreaterThan(rewards.get(false) ?? 1);
    } finally {
      await local.close();
    }

    const prefix = result.dataset?.kind === "written" ? result.dataset.prefix : "";
    const rows = readFileSync(join(out, prefix, "train.jsonl"), "utf8")
      .trim()
      .split("\n");
    // One for each content: the two equal attempts of two runs are one example.
    expect(rows).toHaveLength(1);
    const [row] = rows.map((line) => JSON.parse(line) as { messages: { role: string }[]; tools: unknown });
    expect(row?.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "tool", "assistant"]);
    expect(JSON.stringify(row?.tools)).toContain("send_message");
  });
});
