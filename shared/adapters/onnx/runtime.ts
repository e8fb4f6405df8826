import { InferenceError } from "../../ports/causal-model.ts";

export type OnnxRuntime = typeof import("onnxruntime-node");

/** Loaded at the first call: whoever runs no model does not pay for it. @throws InferenceError */
export async function onnxRuntime(): Promise<OnnxRuntime> {
  try {
    return await import("onnxruntime-node");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new InferenceError(
      `the ONNX runtime does not load on this machine (${why}): install it with ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node`,
      { cause },
    );
  }
}
