import { readFile } from "node:fs/promises";
import { EvaluationSetError } from "../../shared/curation/evaluation-set.ts";

/** The bytes of an evaluation set. @throws EvaluationSetError */
export async function readEvaluationFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "unknown fault";
    throw new EvaluationSetError(
      `the evaluation set ${path} cannot be read: ${why}; correct --against or dataset.against`,
      { cause },
    );
  }
}
