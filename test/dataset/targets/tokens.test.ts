import { describe, expect, it } from "vitest";
import { TARGET_IDS, targetOf } from "../../../shared/dataset/targets/targets.ts";
import { attemptLines } from "../../factories/attempts.ts";
import { makeStation, type Station } from "../../factories/station.ts";

interface Turn {
  readonly prompt: readonly number[];
  readonly completion: readonly number[];
  readonly logprobs: readonly number[];
}

const TURNS: readonly Turn[] = [
  { prompt: [1, 2, 3], completion: [4, 5], logprobs: [-0.25, -1.5] },
  { prompt: [1, 2, 3, 4, 5, 6], completion: [7], logprobs: [-2] },
];

/** An ATIF document of which the tokens are known. */
function exactDocument(
  task: string,
  { success, turns }: { success: boolean; turns: readonly Turn[] },
): string {
  const steps = turns.map(({ prompt, completion, logprobs }, turn) => ({
    step_id: turn + 3,
    source: "agent",
    message: `turn ${turn}`,
    tool_calls: [
      {
        tool_call_id: `c${turn}`,
        function_name: "bash",
        arguments: { command: success ? `run ${turn}` : "x" },
      },
    ],
    observation: { results: [{ source_call_id: `c${turn}`, content: success ? "ok" : "error: denied" }] },
    metrics: { prompt_token_ids: prompt, completion_token_ids: completion, logprobs },
  }));
  return JSON.stringify({
    schema_version: "ATIF-v1.8",
    agent: { name: "house-agent", version: "1.0", model_name: "house-model" },
    steps: [
      { step_id: 1, source: "system", message: "Be brief." },
      { step_id: 2, source: "user", message: `Do ${task}.` },
      ...steps,
    ],
    extra: { task_id: task, resolved: success },
  });
}

async function rowsOf(
  station: Station,
  target: (typeof TARGET_IDS)[number],
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const split = { train: 1, validation: 0, test: 0, seed: 1 };
  const result = await station.export({ target, name: target, split, files: "jsonl" });
  if (result.kind === "empty") throw new Error(`${target}: ${JSON.stringify(result.excluded)}`);
  const text = await station.text(`${result.prefix}train.jsonl`);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

async function filled(): Promise<Station> {
  const station = makeStation();
  station.write("a/good.json", exactDocument("exact", { success: true, turns: TURNS }));
  station.write("a/bad.json", exactDocument("exact", { success: false, turns: TURNS }));
  station.write("a/text.jsonl", `${attemptLines(2).join("\n")}\n`);
  await station.run();
  return station;
}

/** Where a row says it: in a column, in what goes with the prompt, or in the document itself. */
function tokensOf(row: Readonly<Record<string, unknown>>): unknown {
  const { tokens, extra_info, info, extra } = row as {
    tokens?: string;
    extra_info?: { tokens?: string };
    info?: string;
    extra?: { gymline: { fidelity: { tokens: string } } };
  };
  return tokens ?? extra_info?.tokens ?? extra?.gymline.fidelity.tokens ?? JSON.parse(info ?? "{}").tokens;
}

describe("token ids and log-probs", () => {
  it("travel to ATIF and to offline GRPO, in the place of their message", async () => {
    const station = await filled();
    const documents = (await rowsOf(station, "atif")) as readonly { readonly steps: readonly object[] }[];
    const exact = documents.filter((row) => tokensOf(row as never) === "token_exact");
    expect(exact).toHaveLength(1);
    const metrics = TURNS.map(({ prompt, completion, logprobs }) => ({
      metrics: { prompt_token_ids: prompt, completion_token_ids: completion, logprobs },
    }));
    expect(exact[0]?.steps.slice(2)).toMatchObject(metrics);

    const attempts = (await rowsOf(station, "grpo-offline")).filter(({ task_id: task }) => task === "exact");
    expect(attempts).toHaveLength(2);
    const at = (pick: (turn: Turn) => readonly number[]): readonly unknown[] => {
      const [first, second] = TURNS.map(pick);
      return [null, null, first, null, second, null];
    };
    for (const attempt of attempts) {
      expect(attempt).toMatchObject({
        tokens: "token_exact",
        prompt_token_ids: at(({ prompt }) => prompt),
        completion_token_ids: at(({ completion }) => completion),
        logprobs: at(({ logprobs }) => logprobs),
      });
    }
  });

  it("are said to be known or not in every row of every target that takes further columns", async () => {
    const station = await filled();
    const silent = TARGET_IDS.filter((id) => id.startsWith("openai") || id.startsWith("knowlyr"));
    for (const target of TARGET_IDS) {
      const seen = new Set((await rowsOf(station, target)).map(tokensOf));
      if (silent.includes(target)) {
        expect([target, ...seen]).toEqual([target, undefined]);
        continue;
      }
      for (const value of seen) expect(["token_exact", "text_only"]).toContain(value);
      expect([target, [...seen].sort()]).toEqual([target, ["text_only", "token_exact"]]);
    }
    for (const id of silent.filter((name) => name.startsWith("openai")))
      expect(targetOf(id).notes.join()).toContain("no `tokens`");
  });
});
