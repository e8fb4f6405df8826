import type { InferenceSession } from "onnxruntime-node";
import { type ValueModel, ValueModelError } from "../../ports/value-model.ts";

const INPUT = "features";
const SET_INPUT = "set";
const OUTPUT = "probability";
/** Rows that go into one call, so that memory stays bounded. */
const BATCH = 4096;

/**
 * Loads a model with the inputs `features` [n, width] float32 and `set` [n] int64, and the output `probability` [n, 1]
 * float32.
 *
 * The runtime is loaded at the first call of this function: whoever has no model does not pay for it. One thread,
 * since the callers are threads already, and since its sums then do not depend on timing.
 * @param source named in errors
 * @throws ValueModelError naming the source and what to do
 */
export async function onnxValueModel(bytes: Uint8Array, source: string): Promise<ValueModel> {
  const runtime = await runtimeOf();
  let session: InferenceSession;
  try {
    session = await runtime.InferenceSession.create(bytes, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: "sequential",
      executionProviders: ["cpu"],
      logSeverityLevel: 4,
    });
  } catch (cause) {
    throw new ValueModelError(
      `${source} is no ONNX model that can be run (${reasonOf(cause)}): train it again`,
      {
        cause,
      },
    );
  }
  try {
    return modelOf({ session, width: widthOf(session, source), source, Tensor: runtime.Tensor });
  } catch (error) {
    await session.release();
    throw error;
  }
}

type Runtime = typeof import("onnxruntime-node");

async function runtimeOf(): Promise<Runtime> {
  try {
    return await import("onnxruntime-node");
  } catch (cause) {
    throw new ValueModelError(
      `the ONNX runtime does not load on this machine (${reasonOf(cause)}): install it with ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node, or score without a critic`,
      { cause },
    );
  }
}

/** The number of features the model takes. */
function widthOf(session: InferenceSession, source: string): number {
  const [input, set, ...more] = session.inputMetadata;
  const wrong = (what: string): ValueModelError =>
    new ValueModelError(
      `${source} is an ONNX model, but no critic: ${what}; train it with gymline critic train`,
    );
  if (input?.name !== INPUT || set?.name !== SET_INPUT || more.length > 0)
    throw wrong(`it must have two inputs, named ${INPUT} and ${SET_INPUT}`);
  if (!session.outputNames.includes(OUTPUT)) throw wrong(`it must have an output named ${OUTPUT}`);
  const width = input.isTensor ? input.shape[1] : undefined;
  if (!input.isTensor || input.type !== "float32" || input.shape.length !== 2 || typeof width !== "number")
    throw wrong(`${INPUT} must be float32 of the shape [n, width]`);
  if (!set.isTensor || set.type !== "int64" || set.shape.length !== 1)
    throw wrong(`${SET_INPUT} must be int64 of the shape [n]`);
  return width;
}

function modelOf({
  session,
  width,
  source,
  Tensor,
}: {
  readonly session: InferenceSession;
  readonly width: number;
  readonly source: string;
  readonly Tensor: Runtime["Tensor"];
}): ValueModel {
  const predictBatch = async (rows: Float32Array, count: number, set: number): Promise<Float32Array> => {
    const sets = new BigInt64Array(count).fill(BigInt(set));
    const results = await session.run({
      [INPUT]: new Tensor("float32", rows, [count, width]),
      [SET_INPUT]: new Tensor("int64", sets, [count]),
    });
    const output = results[OUTPUT];
    const values = output?.data;
    if (!(values instanceof Float32Array) || values.length !== count || !values.every(isProbability)) {
      throw new ValueModelError(`${source} gave no probability for each of ${count} rows: train it again`);
    }
    return values;
  };
  return {
    width,
    async predict(rows, count, set = 0) {
      if (rows.length !== count * width) {
        throw new ValueModelError(
          `${source} takes rows of ${width} features; ${rows.length} numbers are not ${count} such rows`,
        );
      }
      const all = new Float32Array(count);
      for (let from = 0; from < count; from += BATCH) {
        const to = Math.min(count, from + BATCH);
        all.set(await predictBatch(rows.slice(from * width, to * width), to - from, set), from);
      }
      return all;
    },
    close: () => session.release(),
  };
}

function isProbability(value: number): boolean {
  return value >= 0 && value <= 1;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
