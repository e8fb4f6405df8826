import { z } from "zod";
import { judgeStateKey } from "../../contracts/keys.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import { readStored } from "../stored-json.ts";

/**
 * What is between a judge and a trajectory. It lies beside the judgement and is written before the first answer, so
 * that forgetting finds answers in the cache whether a judgement came of them or not.
 */
export const judgeStateSchema = z.object({
  schema: z.literal("gymline.judge-state.v1"),
  /** Hashes of all questions that may have an answer in the cache, those about older revisions among them. */
  cache_keys: z.array(z.string()),
  /** The judgement stands, and whoever scores was told. */
  done: z.strictObject({ revision: z.string(), failures: z.int().nonnegative() }).nullable(),
});
export type JudgeState = Readonly<z.infer<typeof judgeStateSchema>>;

export interface StateOf {
  readonly id: string;
  readonly judge: string;
}

/** @throws DamagedObjectError */
export function readJudgeState({ id, judge }: StateOf, store: ObjectStore): Promise<JudgeState | undefined> {
  return readStored(judgeStateKey(id, judge), judgeStateSchema, store);
}

/** Notes that these questions are about to be asked; to be called before the first of them is. */
export async function noteAsked(
  of: StateOf & { readonly hashes: readonly string[] },
  store: ObjectStore,
): Promise<void> {
  const before = await readJudgeState(of, store);
  const known = new Set(before?.cache_keys ?? []);
  if (before !== undefined && before.done === null && of.hashes.every((hash) => known.has(hash))) return;
  const cache_keys = [...new Set([...known, ...of.hashes])].sort();
  await put(of, { schema: "gymline.judge-state.v1", cache_keys, done: null }, store);
}

export async function noteDone(
  of: StateOf & { readonly revision: string; readonly failures: number },
  store: ObjectStore,
): Promise<void> {
  const before = await readJudgeState(of, store);
  const { revision, failures } = of;
  const cache_keys = before?.cache_keys ?? [];
  await put(of, { schema: "gymline.judge-state.v1", cache_keys, done: { revision, failures } }, store);
}

async function put(of: StateOf, state: JudgeState, store: ObjectStore): Promise<void> {
  await store.put(judgeStateKey(of.id, of.judge), Buffer.from(JSON.stringify(state)));
}
