import { z } from "zod";
import { usageSchema } from "../../contracts/judgement.ts";
import { judgeCacheKey } from "../../contracts/keys.ts";
import type { ChatAnswer } from "../../ports/chat-model.ts";
import { ObjectNotFoundError, type ObjectStore } from "../../ports/object-store.ts";

/** One try that was paid for, or that failed. `source` names it, so that noting it twice changes nothing. */
const trySchema = z.strictObject({
  source: z.string(),
  batch: z.boolean(),
  usage: usageSchema.nullable(),
});

/**
 * All that came of one question. The last answer counts. `failure`: the last try gave none; `permanent` failures are
 * not tried again by themselves.
 */
export const cachedAnswerSchema = z.strictObject({
  schema: z.literal("gymline.judge-answer.v1"),
  answer: z
    .strictObject({
      text: z.string(),
      stop: z.enum(["end", "length", "refusal", "other"]),
      usage: usageSchema,
      model: z.string(),
    })
    .nullable(),
  failure: z.strictObject({ reason: z.string(), permanent: z.boolean() }).nullable(),
  tries: z.array(trySchema),
  /** Whose judgement the answers were paid for; to others they come at no cost. */
  paidFor: z.strictObject({ trajectory: z.string(), judge: z.string() }),
});
export type CachedAnswer = Readonly<z.infer<typeof cachedAnswerSchema>>;

/** What came of one try. `reason` must not quote the trajectory. */
export type Outcome =
  | { readonly kind: "answer"; readonly answer: ChatAnswer }
  | { readonly kind: "failed"; readonly reason: string; readonly permanent: boolean };

export interface NewOutcome {
  readonly hash: string;
  /** Names the try among all others. */
  readonly source: string;
  readonly batch: boolean;
  readonly outcome: Outcome;
  readonly paidFor: CachedAnswer["paidFor"];
}

/** undefined: nobody asked yet, or the entry cannot be read, which comes to the same. */
export async function readAnswer(hash: string, store: ObjectStore): Promise<CachedAnswer | undefined> {
  try {
    const text = Buffer.from(await store.read(judgeCacheKey(hash))).toString("utf8");
    const parsed = cachedAnswerSchema.safeParse(parseOrNull(text));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Entries of many questions, by hash. */
export async function readAnswers(
  hashes: Iterable<string>,
  store: ObjectStore,
): Promise<Map<string, CachedAnswer>> {
  const found = new Map<string, CachedAnswer>();
  const read = async (hash: string): Promise<void> => {
    const entry = await readAnswer(hash, store);
    if (entry !== undefined) found.set(hash, entry);
  };
  await Promise.all([...new Set(hashes)].map(read));
  return found;
}

/** Adds what came of a try; one that is noted already changes nothing. A failure never takes the place of an answer. */
export async function noteOutcome(noted: NewOutcome, store: ObjectStore): Promise<CachedAnswer> {
  const { hash, source, batch, outcome, paidFor } = noted;
  const before = await readAnswer(hash, store);
  if (before?.tries.some((each) => each.source === source) === true) return before;
  const usage = outcome.kind === "answer" ? outcome.answer.usage : null;
  const entry: CachedAnswer = {
    schema: "gymline.judge-answer.v1",
    answer: outcome.kind === "answer" ? outcome.answer : (before?.answer ?? null),
    failure: outcome.kind === "answer" ? null : { reason: outcome.reason, permanent: outcome.permanent },
    tries: [...(before?.tries ?? []), { source, batch, usage }],
    // Who paid first stays the one who paid, unless nothing was paid for yet.
    paidFor: before?.tries.some((each) => each.usage !== null) === true ? before.paidFor : paidFor,
  };
  await store.put(judgeCacheKey(hash), Buffer.from(JSON.stringify(entry)));
  return entry;
}

export async function eraseAnswers(hashes: Iterable<string>, store: ObjectStore): Promise<void> {
  for (const hash of new Set(hashes)) await store.erase(judgeCacheKey(hash));
}
