import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Decoder, type DecoderOptions } from "../../shared/inference/decoder.ts";
import { sampleToken } from "../../shared/inference/sampling.ts";
import { InferenceError } from "../../shared/ports/causal-model.ts";
import { createRandom } from "../../shared/statistics/random.ts";
import { HashingModel, logitsAfter, VOCABULARY } from "./hashing-model.ts";

interface Asked {
  readonly ids: readonly number[];
  readonly maxTokens: number;
  readonly temperature: number;
  readonly seed: number;
}

const STOP = 0;
const CONTEXT = 40;

/** What the model says, written out: no cache, no batch. */
function written({ ids, maxTokens, temperature, seed }: Asked) {
  const all = [...ids];
  const random = createRandom(seed);
  const logprobs: number[] = [];
  for (;;) {
    const { token, logprob } = sampleToken(logitsAfter(all), { temperature }, random);
    all.push(token);
    logprobs.push(logprob);
    const stop =
      token === STOP
        ? "stop"
        : logprobs.length >= maxTokens
          ? "length"
          : all.length >= CONTEXT
            ? "context"
            : "";
    if (stop !== "") return { ids: all.slice(ids.length), logprobs, stop };
  }
}

function generate(decoder: Decoder, asked: Asked, signal?: AbortSignal) {
  const { ids, maxTokens, temperature, seed } = asked;
  return decoder.generate({
    ids,
    maxTokens,
    stopIds: new Set([STOP]),
    sampling: { temperature },
    random: createRandom(seed),
    ...(signal === undefined ? {} : { signal }),
  });
}

function decoderOf(model: HashingModel, options: Partial<DecoderOptions> = {}): Decoder {
  return new Decoder(model, { contextTokens: CONTEXT, ...options });
}

const asked = fc.record({
  ids: fc.array(fc.integer({ min: 0, max: VOCABULARY - 1 }), { minLength: 1, maxLength: 25 }),
  maxTokens: fc.integer({ min: 1, max: 20 }),
  temperature: fc.constantFrom(0, 1),
  seed: fc.integer({ min: 0, max: 1000 }),
});

describe("a decoder", () => {
  it("gives every request what it would get alone, whoever comes and goes, and whatever was read before", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(asked, fc.integer({ min: 0, max: 12 })), { minLength: 1, maxLength: 10 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(0, 100, 400, 2 ** 20),
        async (requests, batch, cacheBytes) => {
          const decoder = decoderOf(new HashingModel(), { batch, cacheBytes });
          const made = await Promise.all(
            requests.map(async ([each, later]) => {
              for (let moment = 0; moment < later; moment += 1) await Promise.resolve();
              return await generate(decoder, each);
            }),
          );
          for (const [index, [each]] of requests.entries()) expect(made[index]).toMatchObject(written(each));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("does not read again what a longer prompt begins with", async () => {
    const model = new HashingModel();
    const decoder = decoderOf(model);
    const first: Asked = { ids: [1, 2, 3, 4], maxTokens: 5, temperature: 0, seed: 0 };
    const { ids } = await generate(decoder, first);
    const longer = { ...first, ids: [...first.ids, ...ids, 7, 8, 9] };
    model.passes.length = 0;
    const next = await generate(decoder, longer);
    expect(next).toMatchObject({ ...written(longer), reused: first.ids.length + ids.length - 1 });
    // The last token of the answer and three new ones.
    expect(model.passes[0]).toEqual({ rows: 1, length: 4 });
    expect((await generate(decoder, { ...first, ids: [1, 2, 9] })).reused).toBe(2);
  });

  it("takes steps together", async () => {
    const model = new HashingModel();
    const decoder = decoderOf(model, { batch: 3, cacheBytes: 0 });
    const alike = (start: number): Asked => ({ ids: [start, 2, 3], maxTokens: 6, temperature: 0, seed: 0 });
    const made = await Promise.all([1, 2, 3, 4].map((start) => generate(decoder, alike(start))));
    expect(made.map(({ ids }) => ids)).toEqual([1, 2, 3, 4].map((start) => written(alike(start)).ids));
    expect(model.passes[0]).toEqual({ rows: 3, length: 3 });
    expect(Math.max(...model.passes.map(({ rows }) => rows))).toBe(3);
  });

  it("fails by name where logits are no numbers, and serves who comes after", async () => {
    const decoder = decoderOf(new HashingModel(8));
    const long: Asked = { ids: [1, 2, 3, 4, 5, 6], maxTokens: 9, temperature: 0, seed: 0 };
    const short: Asked = { ids: [3, 2], maxTokens: 2, temperature: 0, seed: 0 };
    const [failed, other] = await Promise.allSettled([generate(decoder, long), generate(decoder, short)]);
    expect(failed).toMatchObject({ status: "rejected", reason: expect.any(InferenceError) });
    expect(failed.status === "rejected" && failed.reason.message).toMatch(
      /a hashing model gives no token after the first \d+.*export the model again/,
    );
    expect(other).toMatchObject({ status: "fulfilled", value: { ids: written(short).ids } });
    expect(await generate(decoder, short)).toMatchObject({ ids: written(short).ids });
  });

  it("gives up who no longer waits, before it begins and in the middle", async () => {
    const decoder = decoderOf(new HashingModel());
    const stop = new AbortController();
    const long: Asked = { ids: [5], maxTokens: 30, temperature: 0, seed: 0 };
    const given = generate(decoder, long, stop.signal);
    const other = generate(decoder, { ...long, ids: [6] });
    stop.abort(new Error("enough"));
    await expect(given).rejects.toThrow("enough");
    expect(await other).toMatchObject(written({ ...long, ids: [6] }));
  });
});
