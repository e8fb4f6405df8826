import { createHash } from "node:crypto";
import { z } from "zod";
import {
  type Evaluation,
  type EvaluationLine,
  evaluationLineSchema,
  evaluationSchema,
} from "../contracts/evaluation.ts";
import { EVALUATIONS, evaluationEpisodesKey, evaluationKey } from "../contracts/keys.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { EvaluationError } from "./evaluation-error.ts";
import { type EvaluationParts, linesText } from "./evaluation-of.ts";

/**
 * Stores an evaluation: first its episodes, then the document, each whole or not at all. The id follows from the content,
 * so storing it again changes nothing.
 */
export async function storeEvaluation(
  store: Pick<ObjectStore, "put" | "putIfAbsent">,
  { document, lines }: EvaluationParts,
): Promise<"created" | "exists"> {
  const encoder = new TextEncoder();
  await store.put(evaluationEpisodesKey(document.id), encoder.encode(linesText(lines)));
  return await store.putIfAbsent(
    evaluationKey(document.id),
    encoder.encode(`${JSON.stringify(document, null, 2)}\n`),
  );
}

/** A whole id from its first characters. @throws EvaluationError where there is none, or more than one */
export async function resolveEvaluation(store: Pick<ObjectStore, "list">, text: string): Promise<string> {
  const ids: string[] = [];
  if (/^[0-9a-f]{4,64}$/.test(text)) {
    for await (const { key } of store.list(`${EVALUATIONS}${text}`)) {
      const id = /^([0-9a-f]{64})\.json$/.exec(key.slice(EVALUATIONS.length))?.[1];
      if (id !== undefined) ids.push(id);
    }
  }
  const [only] = ids;
  if (only === undefined) {
    throw new EvaluationError(
      `There is no evaluation ${text}; give a file, or an id (its first 4 characters are enough) and the --store it is in`,
    );
  }
  if (ids.length > 1)
    throw new EvaluationError(`${ids.length} evaluations begin with ${text}; give more of the id`);
  return only;
}

/** @throws ObjectNotFoundError, EvaluationError where it is damaged */
export async function readEvaluation(store: Pick<ObjectStore, "read">, id: string): Promise<EvaluationParts> {
  const [document, lines] = await Promise.all(
    [evaluationKey(id), evaluationEpisodesKey(id)].map(async (key) => decoded(await store.read(key))),
  );
  return parseEvaluation({ document: document ?? "", lines: lines ?? "" }, evaluationKey(id));
}

/** `place` is named in errors. @throws EvaluationError */
export function parseEvaluation(
  texts: { readonly document: string; readonly lines: string },
  place: string,
): EvaluationParts {
  const document = checked(evaluationSchema, json(texts.document, place), place);
  const sum = createHash("sha256").update(texts.lines).digest("hex");
  if (sum !== document.episodes.sha256) {
    throw new EvaluationError(
      `${place}: its episodes are not those that it was made of; bring back the ${document.id}.episodes.jsonl that was written with it`,
    );
  }
  const lines = texts.lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line, index) => checked(evaluationLineSchema, json(line, place), `${place}, episode ${index + 1}`));
  return { document, lines };
}

function checked<T extends Evaluation | EvaluationLine>(
  schema: z.ZodType<T>,
  value: unknown,
  place: string,
): T {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  throw new EvaluationError(`${place} is no evaluation of gymline: ${z.prettifyError(read.error)}`, {
    cause: read.error,
  });
}

function json(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EvaluationError(`${place} is no JSON; give the file of an evaluation`, { cause });
  }
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
