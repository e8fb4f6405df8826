import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openModelFolder } from "../../shared/adapters/onnx/model-folder.ts";
import { onnxCausalModel } from "../../shared/adapters/onnx/onnx-causal-model.ts";
import { Decoder } from "../../shared/inference/decoder.ts";
import { noKeyValues } from "../../shared/inference/key-values.ts";
import { readModelConfig } from "../../shared/inference/model-config.ts";
import { prefill } from "../../shared/inference/prefill.ts";
import { type TextModel, textModel } from "../../shared/inference/text-model.ts";
import type { CausalModel } from "../../shared/ports/causal-model.ts";
import { createRandom } from "../../shared/statistics/random.ts";
import { expectedOf, TINY_MODELS, tinyModel } from "./expected.ts";

describe.each(TINY_MODELS)("%s", (name) => {
  const folder = tinyModel(name);
  const cases = expectedOf(folder);
  let model: CausalModel;
  let text: TextModel;
  let stopIds: ReadonlySet<number>;

  beforeAll(async () => {
    const found = await openModelFolder(folder, undefined);
    text = await textModel(found.tokenizer, folder);
    model = await onnxCausalModel({ path: join(folder, "onnx/model.onnx") });
    stopIds = new Set(readModelConfig(found.config, found.generation).stopIds);
  });

  afterAll(() => model.close());

  const greedy = (decoder: Decoder, ids: readonly number[], maxTokens: number) =>
    decoder.generate({ ids, maxTokens, stopIds, sampling: { temperature: 0 }, random: createRandom(0) });

  it.each(cases)("renders and tokenises $name as Transformers does", (each) => {
    const { messages, tools } = each;
    expect(text.render({ messages, tools, addGenerationPrompt: true })).toBe(each.prompt);
    expect(text.encode(each.prompt)).toEqual(each.prompt_ids);
    expect(text.decode(each.completion_ids)).toBe(each.completion);
  });

  it.each(cases)("gives PyTorch's logits after $name", async (each) => {
    const past = noKeyValues(model.shape, 1);
    const [read] = await prefill(model, [{ ids: each.prompt_ids, past }]);
    const off = each.first_logits.map((logit, token) =>
      Math.abs(logit - (read?.logits[token] ?? Number.NaN)),
    );
    expect(Math.max(...off)).toBeLessThan(1e-4);
  });

  it.each(cases)("takes PyTorch's greedy tokens after $name, with their log-probs", async (each) => {
    const decoder = new Decoder(model, { contextTokens: 4096 });
    const { ids, logprobs } = await greedy(decoder, each.prompt_ids, each.completion_ids.length);
    expect(ids).toEqual(each.completion_ids);
    const off = logprobs.map((logprob, at) => Math.abs(logprob - (each.logprobs[at] ?? Number.NaN)));
    expect(Math.max(...off)).toBeLessThan(1e-4);
  });

  it("gives each of several prompts at once what it gives it alone", async () => {
    const decoder = new Decoder(model, { contextTokens: 4096, batch: 3 });
    const made = await Promise.all(
      cases.map((each) => greedy(decoder, each.prompt_ids, each.completion_ids.length)),
    );
    expect(made.map(({ ids }) => ids)).toEqual(cases.map((each) => each.completion_ids));
  });

  it("writes the same whether or not it has read the beginning before", async () => {
    const decoder = new Decoder(model, { contextTokens: 4096 });
    const [first, second] = cases;
    if (first === undefined || second === undefined) throw new Error("two cases are needed");
    const alone = await greedy(decoder, first.prompt_ids, first.completion_ids.length);
    const longer = await greedy(decoder, second.prompt_ids, second.completion_ids.length);
    expect(alone.reused).toBe(0);
    expect(longer.reused).toBeGreaterThan(first.prompt_ids.length / 2);
    expect(longer.ids).toEqual(second.completion_ids);
    const again = await greedy(decoder, first.prompt_ids, first.completion_ids.length);
    expect(again).toMatchObject({ ids: first.completion_ids, reused: first.prompt_ids.length - 1 });
  });
});
