import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { onnxCausalModel } from "../../shared/adapters/onnx/onnx-causal-model.ts";
import { Decoder } from "../../shared/inference/decoder.ts";
import { createRandom } from "../../shared/statistics/random.ts";
import { trainerEnvironment } from "../trainer/venv.ts";
import type { Figure } from "./figure.ts";
import { median } from "./median.ts";

const CACHE = resolve(import.meta.dirname, "../../.cache");
const SCRIPT = join(import.meta.dirname, "generate_torch.py");
/** As in the script: tokens of a prompt, new tokens, rounds of which the first warms up. */
const [PROMPT, NEW, ROUNDS] = [128, 32, 3];
const COUNTS = [1, 8] as const;

type Seconds = Readonly<Record<(typeof COUNTS)[number], readonly number[]>>;

/** Greedy tokens a second of one model of 5 million random weights: ours, PyTorch's, and Transformers.js's. */
export async function benchInference(): Promise<readonly Figure[]> {
  const environment = await trainerEnvironment();
  if (environment.kind === "absent") throw new Error(environment.reason);
  return await inferenceFigures(environment.python);
}

/** `python`: one with PyTorch and Transformers. */
export async function inferenceFigures(python: string): Promise<readonly Figure[]> {
  const folder = join(CACHE, "bench-model");
  if (!existsSync(join(folder, "generation_config.json"))) execFileSync(python, [SCRIPT, "make", folder]);
  const own = await ourSeconds(folder);
  const torch = z
    .object({ seconds: z.record(z.string(), z.array(z.number())) })
    .parse(JSON.parse(execFileSync(python, [SCRIPT, "run", folder], { encoding: "utf8" })));
  const js = await transformersJsSeconds(folder);
  return COUNTS.flatMap((count) => {
    const of = (seconds: readonly number[] | undefined): number =>
      (count * NEW) / median((seconds ?? []).slice(1));
    const name = `${count} prompt${count === 1 ? "" : "s"} of ${PROMPT} tokens`;
    return [
      { name: `generate, ${name}`, value: of(own[count]), unit: "tokens/s" },
      { name: `torch generate, ${name}`, value: of(torch.seconds[count]), unit: "tokens/s" },
      { name: `transformers.js, ${name}`, value: of(js[count]), unit: "tokens/s" },
    ];
  });
}

function promptsOf(count: number): readonly (readonly number[])[] {
  return Array.from({ length: count }, (_, row) =>
    Array.from({ length: PROMPT }, (_, at) => 3 + ((row * 7 + at * 11) % 300)),
  );
}

async function timed(count: number, run: () => Promise<number>): Promise<readonly number[]> {
  const seconds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const from = performance.now();
    const tokens = await run();
    seconds.push((performance.now() - from) / 1000);
    if (tokens !== count * NEW)
      throw new Error(`${tokens} tokens were written where ${count * NEW} were due`);
  }
  return seconds;
}

async function ourSeconds(folder: string): Promise<Seconds> {
  const model = await onnxCausalModel({ path: join(folder, "onnx/model.onnx") });
  const result: Record<number, readonly number[]> = {};
  for (const count of COUNTS) {
    result[count] = await timed(count, async () => {
      // Anew each round, so that nothing was read before.
      const decoder = new Decoder(model, { contextTokens: 4096, batch: count });
      const made = await Promise.all(
        promptsOf(count).map((ids) =>
          decoder.generate({
            ids,
            maxTokens: NEW,
            stopIds: new Set(),
            sampling: { temperature: 0 },
            random: createRandom(0),
          }),
        ),
      );
      return made.reduce((sum, { ids }) => sum + ids.length, 0);
    });
  }
  await model.close();
  return result as Seconds;
}

const tensors = z.object({ dims: z.array(z.number()) });

/** In a folder of its own: it brings an image library and a runtime for browsers, which nothing else here needs. */
async function transformersJsSeconds(folder: string): Promise<Seconds> {
  const place = join(CACHE, "transformers-js");
  const entry = join(place, "node_modules/@huggingface/transformers/dist/transformers.node.mjs");
  if (!existsSync(entry)) {
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "package.json"), "{}");
    const args = [
      "install",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "@huggingface/transformers@4.3.2",
    ];
    execFileSync("npm", args, { cwd: place, env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" } });
  }
  const { AutoModelForCausalLM, Tensor, env } = await import(pathToFileURL(entry).href);
  env.allowRemoteModels = false;
  env.localModelPath = dirname(folder);
  const model = await AutoModelForCausalLM.from_pretrained(basename(folder), {
    dtype: "fp32",
    device: "cpu",
  });
  const result: Record<number, readonly number[]> = {};
  for (const count of COUNTS) {
    const shape = [count, PROMPT];
    const ids = BigInt64Array.from(promptsOf(count).flat(), BigInt);
    result[count] = await timed(count, async () => {
      const made = await model.generate({
        input_ids: new Tensor("int64", ids, shape),
        attention_mask: new Tensor("int64", new BigInt64Array(ids.length).fill(1n), shape),
        max_new_tokens: NEW,
        min_new_tokens: NEW,
        do_sample: false,
      });
      const [, length = 0] = tensors.parse(made).dims;
      return count * (length - PROMPT);
    });
  }
  await model.dispose();
  return result as Seconds;
}
