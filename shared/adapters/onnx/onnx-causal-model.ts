import type { InferenceSession, Tensor } from "onnxruntime-node";
import { ModelFolderError } from "../../inference/model-config.ts";
import {
  type CausalModel,
  type ForwardInput,
  type ForwardOutput,
  InferenceError,
  type KeyValueShape,
} from "../../ports/causal-model.ts";
import { type OnnxRuntime, onnxRuntime } from "./runtime.ts";

export interface OnnxCausalModelOptions {
  /** Path of the model; its external data lies beside it. Named in errors. */
  readonly path: string;
  /** Of the cache, for models whose inputs leave them open. */
  readonly heads?: number | undefined;
  readonly width?: number | undefined;
  /** Threads of one pass; by default as the runtime finds fit. */
  readonly threads?: number | undefined;
}

const INPUTS = ["input_ids", "attention_mask", "position_ids"] as const;
const PAST = /^past_key_values\.(\d+)\.(key|value)$/;
const REMEDY = "export the model again with gymline's trainer";

/**
 * A decoder as ONNX: inputs `input_ids`, `attention_mask`, `position_ids` (int64) and `past_key_values.N.key|value`
 * (float32), outputs `logits` and `present.N.key|value` (float32).
 * @throws ModelFolderError where the file is no such model, InferenceError where there is no runtime
 */
export async function onnxCausalModel(options: OnnxCausalModelOptions): Promise<CausalModel> {
  const runtime = await onnxRuntime();
  const { path, threads } = options;
  let session: InferenceSession;
  try {
    session = await runtime.InferenceSession.create(path, {
      executionProviders: ["cpu"],
      executionMode: "sequential",
      interOpNumThreads: 1,
      logSeverityLevel: 4,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    });
  } catch (cause) {
    throw new ModelFolderError(
      `${path} is no ONNX model that can be run (${reasonOf(cause)}): ${REMEDY}, and copy its *.onnx_data files with it`,
      { cause },
    );
  }
  try {
    return new OnnxCausalModel(runtime, { session, options });
  } catch (error) {
    await session.release();
    throw error;
  }
}

class OnnxCausalModel implements CausalModel {
  readonly source: string;
  readonly vocabulary: number;
  readonly shape: KeyValueShape;
  readonly #runtime: OnnxRuntime;
  readonly #session: InferenceSession;
  /** Names of inputs and outputs of the cache, in the same order. */
  readonly #past: readonly string[];
  readonly #present: readonly string[];

  constructor(
    runtime: OnnxRuntime,
    { session, options }: { readonly session: InferenceSession; readonly options: OnnxCausalModelOptions },
  ) {
    const { path } = options;
    this.#runtime = runtime;
    this.#session = session;
    this.source = path;
    this.#past = pastNames(session, path);
    this.#present = this.#past.map((name) => name.replace("past_key_values", "present"));
    const missing = ["logits", ...this.#present].filter((name) => !session.outputNames.includes(name));
    if (missing.length > 0) throw misfit(path, `it has no output ${missing.join(", ")}`);
    this.shape = shapeOf(session, { names: this.#past, options });
    this.vocabulary = vocabularyOf(session, path);
  }

  async forward(input: ForwardInput): Promise<ForwardOutput> {
    const { rows, length, past } = input;
    const { Tensor } = this.#runtime;
    const { heads, width, parts } = this.shape;
    const integers = (of: Int32Array | Uint8Array, columns: number): Tensor =>
      new Tensor("int64", asInt64(of), [rows, columns]);
    const feeds: Record<string, Tensor> = {
      input_ids: integers(input.ids, length),
      attention_mask: integers(input.mask, past.columns + length),
      position_ids: integers(input.positions, length),
    };
    for (const [index, name] of this.#past.entries()) {
      const part = past.parts[index] ?? new Float32Array(0);
      feeds[name] = new Tensor("float32", part, [rows, heads, past.columns, width]);
    }
    let outputs: Readonly<Record<string, Tensor>>;
    try {
      outputs = (await this.#session.run(feeds)) as Readonly<Record<string, Tensor>>;
    } catch (cause) {
      const what = `${rows} × ${length} tokens after ${past.columns}`;
      throw new InferenceError(
        `${this.source} cannot be run on ${what} (${reasonOf(cause)}): ${REMEDY}, or let fewer episodes run in parallel where memory is short`,
        { cause },
      );
    }
    const columns = past.columns + length;
    const logits = this.#numbers(outputs["logits"], {
      name: "logits",
      count: rows * length * this.vocabulary,
    });
    const kept = this.#present.map((name) =>
      this.#numbers(outputs[name], { name, count: rows * heads * columns * width }),
    );
    if (kept.length !== parts)
      throw new InferenceError(`${this.source} gave ${kept.length} of ${parts} caches: ${REMEDY}`);
    return { logits, present: { rows, columns, parts: kept } };
  }

  close(): Promise<void> {
    return this.#session.release();
  }

  #numbers(
    tensor: Tensor | undefined,
    { name, count }: { readonly name: string; readonly count: number },
  ): Float32Array {
    const data = tensor?.data;
    if (data instanceof Float32Array && data.length === count) return data;
    throw new InferenceError(
      `${this.source} gave ${name} of the shape [${tensor?.dims.join(", ") ?? ""}] where ${count} numbers were due: ${REMEDY}`,
    );
  }
}

function pastNames(session: InferenceSession, path: string): readonly string[] {
  const missing = INPUTS.filter((name) => !session.inputNames.includes(name));
  if (missing.length > 0) throw misfit(path, `it has no input ${missing.join(", ")}`);
  const past = session.inputNames.filter((name) => PAST.test(name));
  const other = session.inputNames.filter((name) => !PAST.test(name) && !INPUTS.some((own) => own === name));
  if (other.length > 0) throw misfit(path, `it takes ${other.join(", ")}, which nobody gives it`);
  if (past.length === 0)
    throw misfit(path, "it has no inputs past_key_values.N.key and past_key_values.N.value");
  return past;
}

function shapeOf(
  session: InferenceSession,
  { names, options }: { readonly names: readonly string[]; readonly options: OnnxCausalModelOptions },
): KeyValueShape {
  const { path } = options;
  const shapes = names.map((name) => {
    const found = session.inputMetadata.find((each) => each.name === name);
    if (found?.isTensor !== true || found.type !== "float32" || found.shape.length !== 4) {
      throw misfit(path, `${name} must be float32 of the shape [batch, heads, past, width]`);
    }
    const [, heads, , width] = found.shape;
    return {
      heads: typeof heads === "number" ? heads : options.heads,
      width: typeof width === "number" ? width : options.width,
    };
  });
  const [first] = shapes;
  if (first?.heads === undefined || first.width === undefined) {
    throw misfit(
      path,
      "neither its inputs nor its config.json say how many heads the cache has, and how wide they are",
    );
  }
  const { heads, width } = first;
  if (shapes.some((each) => each.heads !== heads || each.width !== width)) {
    throw misfit(path, "its layers have caches of different shapes");
  }
  return { parts: names.length, heads, width };
}

function vocabularyOf(session: InferenceSession, path: string): number {
  const found = session.outputMetadata.find(({ name }) => name === "logits");
  const width = found?.isTensor === true ? found.shape[2] : undefined;
  if (found?.isTensor === true && found.type === "float32" && typeof width === "number") return width;
  throw misfit(
    path,
    "its logits must be float32 of the shape [batch, tokens, vocabulary], the last one a number",
  );
}

function misfit(path: string, what: string): ModelFolderError {
  return new ModelFolderError(`${path} is an ONNX model, but none that generates here: ${what}; ${REMEDY}`);
}

/** Through the low halves, since numbers one by one would become big integers first; these are never negative. */
function asInt64(of: Int32Array | Uint8Array): BigInt64Array {
  const wide = new BigInt64Array(of.length);
  const halves = new Int32Array(wide.buffer);
  for (let index = 0; index < of.length; index += 1) halves[2 * index] = of[index] ?? 0;
  return wide;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
