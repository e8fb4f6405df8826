import type { z } from "zod";
import { evidenceRecord, evidenceSchema } from "../../contracts/evidence.ts";
import { judgementSchema } from "../../contracts/judgement.ts";
import { judgementKey, labelKey, pairKey, pairOfKey, voteKey } from "../../contracts/keys.ts";
import { labelSchema } from "../../contracts/label.ts";
import { cachedAnswerSchema } from "../../stages/judge/answer-cache.ts";
import { batchManifestSchema, readBatchRecord } from "../../stages/judge/batch-records.ts";
import { judgeStateSchema } from "../../stages/judge/judge-state.ts";
import { parseStored } from "../../stages/stored-json.ts";
import { pairRecordSchema, voteSchema } from "../../votes/vote.ts";
import type { StoreProblem } from "./check-store.ts";
import type { LocalStore } from "./local-store.ts";

interface Check {
  readonly local: LocalStore;
  readonly deep: boolean;
  readonly busy: boolean;
}

/** One kind of object: how its key reads, what it must hold, and what to do where it does not. */
interface Kind {
  readonly prefix: string;
  readonly code: string;
  readonly key: RegExp;
  readonly schema: z.ZodType;
  /** The key that an object with this content has. */
  readonly keyOf: ((value: never) => string) | null;
  /** Trajectories that the key or the content names. */
  readonly ids: (parts: readonly string[]) => readonly string[];
  readonly remedy: (parts: readonly string[], folder: string) => string;
}

const ID = "([0-9a-f]{64})";

function kind<T>(
  of: Omit<Kind, "schema" | "keyOf"> & {
    readonly schema: z.ZodType<T>;
    readonly keyOf: ((value: T) => string) | null;
  },
): Kind {
  return of;
}

const judgeAgain = ([id = ""]: readonly string[], folder: string): string =>
  `remove the file, then judge again: gymline judge ${id.slice(0, 10)} --again --store ${folder} (answers in the cache cost nothing)`;

const first = (parts: readonly string[]): readonly string[] => parts.slice(0, 1);
const none = (): readonly string[] => [];

const KINDS: readonly Kind[] = [
  kind({
    prefix: "judgements/",
    code: "judgement",
    key: new RegExp(`^judgements/[0-9a-f]{2}/${ID}\\.([0-9a-z]+)\\.json$`),
    schema: judgementSchema,
    keyOf: ({ trajectory_id, judge }) => judgementKey(trajectory_id, judge),
    ids: first,
    remedy: judgeAgain,
  }),
  kind({
    prefix: "judgements/",
    code: "judge-state",
    key: new RegExp(`^judgements/[0-9a-f]{2}/${ID}\\.([0-9a-z]+)\\.state\\.json$`),
    schema: judgeStateSchema,
    keyOf: null,
    ids: first,
    remedy: judgeAgain,
  }),
  kind({
    prefix: "judge-cache/",
    code: "judge-answer",
    key: new RegExp(`^judge-cache/[0-9a-f]{2}/${ID}\\.json$`),
    schema: cachedAnswerSchema,
    keyOf: null,
    ids: none,
    remedy: () => "remove the file: the question is asked again when its answer is needed",
  }),
  kind({
    prefix: "judge-batches/",
    code: "judge-batch",
    key: /^judge-batches\/([a-z0-9]{8,32})\.json$/,
    schema: batchManifestSchema,
    keyOf: null,
    ids: none,
    remedy: ([submission = ""], folder) =>
      `remove the file, then give the batch up: gymline judge --abandon ${submission} --store ${folder}`,
  }),
  kind({
    prefix: "labels/",
    code: "label",
    key: new RegExp(`^labels/[0-9a-f]{2}/${ID}\\.([a-z0-9._-]+)\\.json$`),
    schema: labelSchema,
    keyOf: ({ trajectory_id, annotator }) => labelKey(trajectory_id, annotator),
    ids: first,
    remedy: (_, folder) =>
      `remove the file, then take in what the page saved: gymline annotate --import <files> --store ${folder}`,
  }),
  kind({
    prefix: "pairs/",
    code: "pair",
    key: new RegExp(`^pairs/[0-9a-f]{2}/${ID}\\.json$`),
    schema: pairRecordSchema,
    keyOf: ({ pair_id }) => pairKey(pair_id),
    ids: none,
    remedy: ([pair = ""], folder) =>
      `put a copy of ${folder}/pairs-of/*/*.${pair}.json in its place: it holds the same`,
  }),
  kind({
    prefix: "pairs-of/",
    code: "pair",
    key: new RegExp(`^pairs-of/[0-9a-f]{2}/${ID}\\.${ID}\\.json$`),
    schema: pairRecordSchema,
    keyOf: null,
    ids: first,
    remedy: ([, pair = ""], folder) =>
      `put a copy of ${folder}/${pairKey(pair)} in its place: it holds the same`,
  }),
  kind({
    prefix: "votes/",
    code: "vote",
    key: new RegExp(`^votes/[0-9a-f]{2}/${ID}\\.([a-z0-9._-]+)\\.json$`),
    schema: voteSchema,
    keyOf: ({ pair_id, voter }) => voteKey(pair_id, voter),
    ids: none,
    remedy: (_, folder) =>
      `remove the file, then take the votes in again: gymline votes pull --from <url> --from-start --store ${folder}, or gymline votes import`,
  }),
];

/**
 * What is wrong with what models and people said of trajectories: judgements, labels, pairs, votes, answers of judges
 * and lists of their batches. `deep` reads each of them.
 */
export async function* checkEvidence(check: Check): AsyncGenerator<StoreProblem> {
  for (const prefix of new Set(KINDS.map((each) => each.prefix))) {
    for await (const { key } of check.local.store.list(prefix)) yield* checkObject(key, prefix, check);
  }
  yield* checkNotes(check);
}

async function* checkObject(key: string, prefix: string, check: Check): AsyncGenerator<StoreProblem> {
  const { local, deep, busy } = check;
  const { store, catalog, folder } = local;
  const found = KINDS.filter((each) => each.prefix === prefix).flatMap((each) => {
    const parts = each.key.exec(key)?.slice(1);
    return parts === undefined ? [] : [{ of: each, parts }];
  })[0];
  if (found === undefined) {
    const reason = "it is none of the store's files";
    yield { code: "foreign-file", place: key, reason, remedy: "move it elsewhere" };
    return;
  }
  const { of, parts } = found;
  if (!busy) {
    for (const id of of.ids(parts)) {
      if (!(await catalog.forgotten(id))) continue;
      const reason = "the trajectory was forgotten, but this is still there";
      const remedy = `gymline forget ${id} --store ${folder}`;
      yield { code: `forgotten-${of.code}`, place: key, reason, remedy };
      return;
    }
    yield* checkCompany(key, { of, parts }, local);
  }
  if (!deep || !(await store.exists(key))) return;
  const parsed = parseStored(await store.read(key), of.schema);
  const reason =
    parsed.kind === "fault"
      ? parsed.fault
      : of.keyOf !== null && of.keyOf(parsed.value as never) !== key
        ? "it is about something else than its name says"
        : null;
  if (reason !== null) yield { code: `bad-${of.code}`, place: key, reason, remedy: of.remedy(parts, folder) };
}

/** What must lie beside an object for it to count, or to be found when its trajectory is forgotten. */
async function* checkCompany(
  key: string,
  { of, parts }: { readonly of: Kind; readonly parts: readonly string[] },
  local: LocalStore,
): AsyncGenerator<StoreProblem> {
  const { store, ledger } = local;
  const [name = ""] = parts;
  if (of.prefix === "votes/" && !(await store.exists(pairKey(name)))) {
    const reason = "the store does not hold the pair that it is about, so it does not count";
    yield { code: "stray-vote", place: key, reason, remedy: "remove the file" };
  }
  if (of.prefix === "judge-batches/" && (await readBatchRecord(name, ledger)) === undefined) {
    const reason = "it is the list of a batch that is closed";
    yield { code: "stray-judge-batch", place: key, reason, remedy: "remove the file" };
  }
  if (of.prefix !== "pairs/") return;
  const parsed = parseStored(await store.read(key), pairRecordSchema);
  if (parsed.kind === "fault") return;
  for (const id of [parsed.value.left_id, parsed.value.right_id]) {
    const place = pairOfKey(id, name);
    if (await store.exists(place)) continue;
    const reason = `it is not there, so forgetting ${id.slice(0, 10)} would leave its votes`;
    yield { code: "missing-pair", place, reason, remedy: `put a copy of ${key} there` };
  }
}

const NOTES = evidenceRecord("");

/** Scoring finds judgements and labels by the notes of the ledger: both must know of each other. */
async function* checkNotes({ local, busy }: Check): AsyncGenerator<StoreProblem> {
  const { store, ledger, folder } = local;
  const noted = new Set<string>();
  for await (const { key, value } of ledger.list(NOTES)) {
    const id = key.slice(NOTES.length);
    const note = parseStored(Buffer.from(value), evidenceSchema);
    if (note.kind === "fault") {
      const remedy = "bring back a copy of catalog.sqlite";
      yield {
        code: "bad-evidence-note",
        place: `ledger of catalog.sqlite, ${key}`,
        reason: note.fault,
        remedy,
      };
      continue;
    }
    const { judges, annotators } = note.value;
    for (const judge of judges) noted.add(judgementKey(id, judge));
    for (const annotator of annotators) noted.add(labelKey(id, annotator));
  }
  const remedyOf = (key: string): string =>
    key.startsWith("labels/")
      ? `take in what the page saved: gymline annotate --import <files> --store ${folder}`
      : `judge again: gymline judge ${key.slice(14, 24)} --again --store ${folder} (answers in the cache cost nothing)`;
  const codeOf = (key: string): string => (key.startsWith("labels/") ? "label" : "judgement");
  for (const key of noted) {
    if (await store.exists(key)) continue;
    const reason = "scores are to rest on it, but it is not there";
    yield { code: `missing-${codeOf(key)}`, place: key, reason, remedy: remedyOf(key) };
  }
  if (busy) return;
  for (const prefix of ["judgements/", "labels/"]) {
    for await (const { key } of store.list(prefix)) {
      if (noted.has(key) || key.endsWith(".state.json")) continue;
      if (!KINDS.some((each) => each.key.test(key))) continue;
      const reason = "scoring does not know of it: a process was stopped after writing it";
      yield { code: `unnoted-${codeOf(key)}`, place: key, reason, remedy: remedyOf(key) };
    }
  }
}
