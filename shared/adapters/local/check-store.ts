import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { CatalogEntry } from "../../contracts/catalog-row.ts";
import { blobKey, scoreKey, trajectoryKey } from "../../contracts/keys.ts";
import { documentFault } from "../../stages/check-document.ts";
import { storedScoreSchema } from "../../stages/score-trajectory.ts";
import { ManifestError, manifestKey, readManifest } from "../../stages/stored-manifest.ts";
import { forgottenRemedy } from "../../versions/verify-version.ts";
import { checkEvidence } from "./check-evidence.ts";
import { inspectCatalog } from "./inspect-catalog.ts";
import type { LocalStore } from "./local-store.ts";
import { lockStore, StoreBusyError } from "./run-lock.ts";

/** Something that is not as it should be, and what to do about it. */
export interface StoreProblem {
  readonly code: string;
  /** Key of the object, or name of the file. */
  readonly place: string;
  readonly reason: string;
  readonly remedy: string;
}

/** Whether a process is writing to the store at this moment. */
export function isBeingWritten(folder: string): boolean {
  const path = join(folder, ".lock.sqlite");
  if (!existsSync(path)) return false;
  try {
    lockStore(folder, path).release();
    return false;
  } catch (error) {
    if (error instanceof StoreBusyError) return true;
    throw error;
  }
}

/**
 * Looks for what is wrong with a store: yields problems as it finds them. `deep` reads every document, score, attachment,
 * judgement, label, pair, vote and dataset file too. While a process is `busy` writing, what is half done is no problem.
 */
export async function* checkStore(options: {
  readonly local: LocalStore;
  readonly deep: boolean;
  readonly busy: boolean;
}): AsyncGenerator<StoreProblem> {
  const { local, busy } = options;
  const { faults, attachments } = inspectCatalog(join(local.folder, "catalog.sqlite"));
  for (const line of faults) {
    yield {
      code: "catalog-damaged",
      place: "catalog.sqlite",
      reason: line,
      remedy: `bring back a copy of it; without one, move it away and read the logs again: gymline run <drop> --out ${local.folder} (what was forgotten is then taken in again)`,
    };
  }
  yield* checkRows(options);
  yield* checkAttachments(options, attachments);
  yield* checkDatasets(options);
  yield* checkEvidence(options);
  if (busy) return;
  yield* checkStrays(local);
  const folder = join(local.folder, ".tmp");
  const left = existsSync(folder) ? readdirSync(folder).length : 0;
  if (left > 0) {
    yield {
      code: "leftovers",
      place: ".tmp/",
      reason: `${left} unfinished files of a process that was stopped`,
      remedy: `the next gymline run --out ${local.folder} removes them`,
    };
  }
}

interface Check {
  readonly local: LocalStore;
  readonly deep: boolean;
  readonly busy: boolean;
}

async function* checkRows({ local, deep }: Check): AsyncGenerator<StoreProblem> {
  const { store, catalog, folder } = local;
  for await (const entry of catalog.select({ includeSuperseded: true })) {
    const key = trajectoryKey(entry.id);
    const again = `gymline run <drop> --out ${folder} --force`;
    if (!(await store.exists(key))) {
      yield {
        code: "missing-document",
        place: key,
        reason: "the catalog lists it, but it is not there",
        remedy: `read the logs again: ${again}`,
      };
    } else if (deep) {
      const reason = documentFault(await store.read(key), entry);
      const remedy = `remove the file, then read the logs again: ${again}`;
      if (reason !== undefined) yield { code: "bad-document", place: key, reason, remedy };
    }
    yield* checkScore(entry, { local, deep });
  }
}

async function* checkScore(
  entry: CatalogEntry,
  { local, deep }: Omit<Check, "busy">,
): AsyncGenerator<StoreProblem> {
  const { store, folder } = local;
  const again = `gymline reprocess --stage score --store ${folder}`;
  if (entry.scorer === null) {
    const reason = "the trajectory has no score";
    yield { code: "missing-score", place: trajectoryKey(entry.id), reason, remedy: `score it: ${again}` };
    return;
  }
  const key = scoreKey(entry.id, entry.scorer);
  if (!(await store.exists(key))) {
    const reason = "the catalog names this score, but it is not there";
    yield { code: "missing-score", place: key, reason, remedy: `score it again: ${again}` };
  } else if (deep) {
    const score = storedScoreSchema.safeParse(jsonOf(await store.read(key))).data;
    if (score?.trajectory_id === entry.id && score.scorer === entry.scorer) return;
    const reason = "it is no score document of this trajectory and scorer";
    yield { code: "bad-score", place: key, reason, remedy: `remove the file, then score again: ${again}` };
  }
}

async function* checkAttachments(
  { local, deep }: Check,
  attachments: ReadonlyMap<string, string>,
): AsyncGenerator<StoreProblem> {
  const { store, folder } = local;
  const again = `gymline run <drop> --out ${folder} --force`;
  for (const [sha256, id] of attachments) {
    const place = blobKey(sha256);
    if (!(await store.exists(place))) {
      const reason = `trajectory ${id.slice(0, 10)} refers to it, but it is not there`;
      yield { code: "missing-attachment", place, reason, remedy: `read the logs again: ${again}` };
    } else if (deep && sha256Of(await store.read(place)) !== sha256) {
      const reason = "its bytes are not those that its name promises";
      const remedy = `remove the file, then read the logs again: ${again}`;
      yield { code: "bad-attachment", place, reason, remedy };
    }
  }
}

async function* checkDatasets({ local, deep, busy }: Check): AsyncGenerator<StoreProblem> {
  const { store, folder } = local;
  const versions = new Set<string>();
  for await (const { key } of store.list("datasets/")) {
    const prefix = /^datasets\/[^/]+\/[^/]+\//.exec(key)?.[0];
    if (prefix !== undefined) versions.add(prefix);
  }
  for (const prefix of versions) {
    const remedy = `remove ${folder}/${prefix} and export anew: gymline export --store ${folder}`;
    const [, name = "", version = ""] = prefix.split("/");
    const manifest = await readManifest({ name, version }, store).catch((error: unknown) => {
      if (error instanceof ManifestError) return error;
      throw error;
    });
    if (manifest === undefined) {
      if (busy) continue;
      const reason = "it has no manifest.json: its export was stopped before it was done";
      yield { code: "unfinished-dataset", place: prefix, reason, remedy };
      continue;
    }
    if (manifest instanceof ManifestError) {
      const { fault: reason, remedy: mend } = manifest;
      yield { code: "bad-manifest", place: manifestKey({ name, version }), reason, remedy: mend };
      continue;
    }
    for (const id of await local.catalog.forgottenIn(name, version)) {
      const reason = `${prefix} holds a row of it, though it was forgotten`;
      yield { code: "forgotten-in-dataset", place: id, reason, remedy: forgottenRemedy({ name, version }) };
    }
    for (const file of [...manifest.files, manifest.inputs, ...manifest.beside]) {
      const place = `${prefix}${file.path}`;
      const reason = await fileFault(local, { place, ...file, deep });
      if (reason !== undefined) yield { code: "bad-dataset-file", place, reason, remedy };
    }
  }
}

/** Undefined where it is no JSON at all. */
function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}

async function fileFault(
  local: LocalStore,
  file: { readonly place: string; readonly bytes: number; readonly sha256: string; readonly deep: boolean },
): Promise<string | undefined> {
  if (!(await local.store.exists(file.place))) return "the manifest lists it, but it is not there";
  const hash = createHash("sha256");
  let bytes = 0;
  if (!file.deep) {
    for await (const { key, size } of local.store.list(file.place)) if (key === file.place) bytes = size;
  } else {
    for await (const chunk of local.store.stream(file.place)) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  }
  if (bytes !== file.bytes) return `it has ${bytes} bytes, its manifest says ${file.bytes}`;
  if (file.deep && hash.digest("hex") !== file.sha256) return "its SHA-256 is not that of its manifest";
  return undefined;
}

const DOCUMENT = /^trajectories\/[0-9a-f]{2}\/([0-9a-f]{64})(?:\.[0-9a-f]+)?\.json\.zst$/;

/** Documents that the catalog knows nothing of. */
async function* checkStrays(local: LocalStore): AsyncGenerator<StoreProblem> {
  const { store, catalog, folder } = local;
  for await (const { key } of store.list("trajectories/")) {
    const id = DOCUMENT.exec(key)?.[1];
    if (id === undefined) {
      const reason = "it is none of the store's files";
      yield { code: "foreign-file", place: key, reason, remedy: "move it elsewhere" };
    } else if (await catalog.forgotten(id)) {
      const reason = "the trajectory was forgotten, but its document is still there";
      yield {
        code: "forgotten-document",
        place: key,
        reason,
        remedy: `gymline forget ${id} --store ${folder}`,
      };
    } else if ((await catalog.entry(id)) === undefined) {
      const reason = "the catalog does not list it: a run was stopped after writing it";
      const remedy = `gymline run <drop> --out ${folder} takes it in; where its log is gone, remove the file`;
      yield { code: "unknown-document", place: key, reason, remedy };
    }
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
