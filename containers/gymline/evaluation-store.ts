import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DirectoryStore } from "../../shared/adapters/local/directory-store.ts";
import { lockStore } from "../../shared/adapters/local/run-lock.ts";
import type { EvaluationParts } from "../../shared/evaluation/evaluation-of.ts";
import {
  parseEvaluation,
  readEvaluation,
  resolveEvaluation,
  storeEvaluation,
} from "../../shared/evaluation/stored-evaluation.ts";
import { textOfFile } from "./text-lines.ts";

/** Writes an evaluation into the store of a folder, which need not be there yet. @throws StoreBusyError */
export async function storeInFolder(folder: string, parts: EvaluationParts): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const lock = lockStore(folder, join(folder, ".lock.sqlite"));
  try {
    await storeEvaluation(new DirectoryStore(folder), parts);
  } finally {
    lock.release();
  }
}

/**
 * Evaluations by the paths of their documents, with the episodes beside them, or by ids in the store of a folder.
 * @throws UsageError, EvaluationError, ObjectNotFoundError
 */
export async function evaluationsOf(
  given: readonly string[],
  folder: string,
): Promise<readonly EvaluationParts[]> {
  const store = new DirectoryStore(folder);
  const found: EvaluationParts[] = [];
  for (const text of given) {
    if (existsSync(text)) found.push(ofFile(text));
    else found.push(await readEvaluation(store, await resolveEvaluation(store, text)));
  }
  return found;
}

function ofFile(path: string): EvaluationParts {
  const beside = path.replace(/\.json$/, ".episodes.jsonl");
  return parseEvaluation({ document: textOfFile(path), lines: textOfFile(beside) }, path);
}
