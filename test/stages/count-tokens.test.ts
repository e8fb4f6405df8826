import { describe, expect, it, onTestFinished } from "vitest";
import { ComputePool } from "../../shared/adapters/local/compute-pool.ts";
import type { DatasetRequest } from "../../shared/contracts/dataset-request.ts";
import type { ExportResult } from "../../shared/stages/export.ts";
import { TokenizerError, type TokenizerFiles } from "../../shared/tokenizer/tokenizer-files.ts";
import { chatMessages, chatRow } from "../factories/logs.ts";
import { makePlan } from "../factories/plan.ts";
import { makeStation, type Station } from "../factories/station.ts";
import { makeTokenizer, PLAIN_TEMPLATE } from "../factories/tokenizer.ts";

const SIZES = [10, 200, 3000];

/** Three trajectories without calls, whose answers have so many letters. */
async function stored(): Promise<Station> {
  const station = makeStation();
  for (const size of SIZES) {
    const row = chatRow({ task: `t${size}`, calls: [], answer: "a".repeat(size) });
    station.write(`team/${size}.json`, row);
  }
  await station.run();
  return station;
}

/** Bytes of all texts of the trajectory with an answer of this size. */
function bytesOf(size: number, extra: (role: string) => number = () => 0): number {
  const messages = chatMessages({ calls: [], answer: "a".repeat(size) }) as {
    role: string;
    content: string;
  }[];
  return messages.reduce((sum, { role, content }) => sum + content.length + extra(role), 0);
}

/** What the plain template adds to a message: its role, a line break and two special tokens. */
const framed = (role: string): number => role.length + 3;

const tokenizer = "folder/bytes";
const reading = (files: TokenizerFiles) => ({ tokenizers: async () => files });

function manifestOf(result: ExportResult) {
  if (result.kind === "empty") throw new Error("the dataset is empty");
  return result.manifest;
}

describe("tokens of a dataset", () => {
  it("are estimated in its manifest where no tokenizer is given", async () => {
    const station = await stored();
    const { tokens } = manifestOf(await station.export()).statistics;
    const estimates = SIZES.map((size) => bytesOf(size) / 2.7);
    const total = estimates.reduce((sum, each) => sum + each, 0);
    expect(tokens).toMatchObject({ by: "estimate", of: "texts" });
    expect(tokens?.tokenizer).toBeUndefined();
    // Rounded up text by text.
    expect(tokens?.total).toBeGreaterThanOrEqual(total);
    expect(tokens?.total).toBeLessThan(total + 3 * SIZES.length);
    expect(tokens?.max).toBeGreaterThanOrEqual(estimates.at(-1) ?? 0);
  });

  it("are counted by the tokenizer of the request, with its chat template", async () => {
    const station = await stored();
    const files = makeTokenizer({ template: PLAIN_TEMPLATE });
    const { statistics, settings } = manifestOf(await station.export({ tokenizer }, reading(files)));
    const counts = SIZES.map((size) => bytesOf(size, framed));
    const total = counts.reduce((sum, each) => sum + each, 0);
    expect(statistics.tokens).toEqual({
      total,
      min: counts[0],
      max: counts[2],
      mean: Math.round((total / 3) * 10) / 10,
      by: "tokenizer",
      of: "chat-template",
      tokenizer: { name: "bytes", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(settings["tokenizer"]).toEqual({ sha256: statistics.tokens?.tokenizer?.sha256 });
    // The checks of rows count like the manifest.
    const checked = { checks: { maxTokens: (counts[2] ?? 0) - 1 } } as Partial<DatasetRequest>;
    await expect(station.export({ tokenizer, ...checked }, reading(files))).rejects.toThrow(
      /over-length|tokens/,
    );
    const fitting = { checks: { maxTokens: counts[2] } } as Partial<DatasetRequest>;
    expect((await station.export({ tokenizer, ...fitting }, reading(files))).kind).toBe("written");
  });

  it("limit which trajectories come in, and how many", async () => {
    const station = await stored();
    const files = makeTokenizer();
    const rows = async (request: Partial<DatasetRequest>) => {
      const { selection } = manifestOf(await station.export({ tokenizer, ...request }, reading(files)));
      return [selection.selected, selection.excluded];
    };
    const [small = 0, middle = 0, large = 0] = SIZES.map((size) => bytesOf(size));
    expect(await rows({ maxTokens: middle })).toEqual([2, { "too many tokens": 1 }]);
    expect(await rows({ maxTokens: middle - 1 })).toEqual([1, { "too many tokens": 2 }]);
    expect(await rows({ minTokens: middle })).toEqual([2, { "too few tokens": 1 }]);
    expect(await rows({ minTokens: middle + 1, maxTokens: large })).toEqual([1, { "too few tokens": 2 }]);
    expect(await rows({ mix: { tokenBudget: small + middle } })).toEqual([2, { "over the token budget": 1 }]);
    const byEstimate = await station.export({ maxTokens: Math.ceil(large / 2.7) - 1 });
    expect(manifestOf(byEstimate).selection.excluded).toEqual({ "too many tokens": 1 });
  });

  it("make the version depend on what the tokenizer holds, not on where it lies", async () => {
    const station = await stored();
    const version = async (path: string, files: TokenizerFiles) =>
      manifestOf(await station.export({ tokenizer: path }, reading(files))).version;
    const plain = await version("a/one", makeTokenizer({ name: "one" }));
    expect(await version("b/two", makeTokenizer({ name: "two" }))).toBe(plain);
    expect(await version("a/one", makeTokenizer({ template: PLAIN_TEMPLATE }))).not.toBe(plain);
    expect(manifestOf(await station.export()).version).not.toBe(plain);
  });

  it("count for groups of attempts too", async () => {
    const station = makeStation();
    for (const [index, size] of SIZES.entries()) {
      const facts = { task: "t", calls: [], answer: "a".repeat(size), success: index > 0 };
      station.write(`team/${size}.json`, chatRow(facts));
    }
    await station.run();
    const request = { target: "grpo-offline", tokenizer, maxTokens: bytesOf(SIZES[1] ?? 0) } as const;
    const { statistics, selection } = manifestOf(await station.export(request, reading(makeTokenizer())));
    expect(selection).toMatchObject({ selected: 2, excluded: { "too many tokens": 1 } });
    expect(statistics.tokens).toMatchObject({ by: "tokenizer", total: bytesOf(10) + bytesOf(200) });
  });

  it("of conversations that the chat template refuses are none: they stay out and are counted", async () => {
    const station = await stored();
    const template = "{% if messages[-1].content | length > 1000 %}{{ raise_exception('long') }}{% endif %}x";
    const result = await station.export({ tokenizer }, reading(makeTokenizer({ template })));
    expect(manifestOf(result).selection).toMatchObject({
      selected: 2,
      excluded: { "the chat template does not take its conversation": 1 },
    });
  });

  it("cannot be counted where no tokenizer can be read, and nothing is written", async () => {
    const station = await stored();
    await expect(station.export({ tokenizer })).rejects.toThrow(
      /folder\/bytes cannot be read where .*--tokenizer/,
    );
    expect(await station.keys("datasets/")).toEqual([]);
  });

  it("are counted by several threads as by one, to the byte of the dataset", async () => {
    const files = makeTokenizer({ template: PLAIN_TEMPLATE });
    const made: unknown[] = [];
    for (const threads of [0, 2]) {
      const station = makeStation();
      const sizes = Array.from({ length: 40 }, (_, index) => 10 + 97 * index);
      const row = (size: number) => chatRow({ task: `t${size}`, calls: [], answer: "a".repeat(size) });
      station.write("team/a.jsonl", `${sizes.map(row).join("\n")}\n`);
      await station.run();
      const compute = threads === 0 ? {} : { compute: new ComputePool({ plan: makePlan(), threads }) };
      if (compute.compute !== undefined) onTestFinished(() => compute.compute.close());
      const request = { tokenizer, minTokens: bytesOf(60, framed), maxTokens: bytesOf(3000, framed) };
      const dedup = { near: 0.9 };
      const manifest = manifestOf(
        await station.export({ ...request, dedup }, { ...reading(files), ...compute }),
      );
      expect(Object.keys(manifest.selection.excluded).sort()).toEqual(["too few tokens", "too many tokens"]);
      made.push(manifest);
    }
    expect(made[1]).toEqual(made[0]);
  });

  it("say in another thread as in this one what is wrong with a tokenizer", async () => {
    const station = await stored();
    const compute = new ComputePool({ plan: makePlan(), threads: 1 });
    onTestFinished(() => compute.close());
    const files = makeTokenizer({ template: "{{ messages | no_such_filter }}" });
    const faults = [];
    for (const ports of [{}, { compute }]) {
      const fault = station.export({ tokenizer }, { ...reading(files), ...ports });
      faults.push(await fault.catch((error: unknown) => error));
    }
    expect(faults[0]).toBeInstanceOf(TokenizerError);
    expect(faults[1]).toEqual(faults[0]);
  });
});
