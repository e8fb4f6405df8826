import { projectOf } from "../../contracts/keys.ts";
import type { Compute } from "../../ports/compute.ts";
import type { Rejection } from "../../reading/rejection.ts";
import { type IngestPorts, type IngestReport, ingest } from "../../stages/ingest.ts";
import type { IngestSettings } from "../../stages/ingest-settings.ts";
import { writeRejections } from "../../stages/rejection-report.ts";
import { releaseBytes } from "../../stages/release-bytes.ts";
import { isPartOfOne } from "../../trajectory/registry.ts";
import { fileSource } from "./file-source.ts";
import type { LocalStore } from "./local-store.ts";
import { type DropItem, walkDrop } from "./walk.ts";

export interface EmbeddedRun {
  readonly drop: string;
  readonly local: LocalStore;
  readonly compute: Compute;
  readonly settings: IngestSettings;
  /** Reads every object again, whatever the catalog says of it. */
  readonly force?: boolean;
  /** Passes over files last changed before this moment, in milliseconds since the epoch. */
  readonly since?: number;
  /** Called in the order of the drop. */
  readonly onObject?: (report: IngestReport) => void;
  readonly onProgress?: (progress: RunProgress) => void;
}

export interface RunProgress {
  readonly objects: number;
  readonly done: number;
  readonly bytes: number;
}

export interface RunSummary {
  readonly objects: number;
  /** Objects that had not changed since they were read. */
  readonly unchanged: number;
  /** Of those, how many were read with other settings than today's. */
  readonly outdated: number;
  readonly bytes: number;
  readonly records: number;
  readonly counts: Record<keyof IngestReport["counts"], number>;
  readonly rejected: number;
  /** What unchanged objects hold that was rejected when they were read: their reports still stand. */
  readonly rejectedBefore: number;
}

/** Objects read side by side; their results are stored in the order of the drop all the same. */
const SIDE_BY_SIDE = 6;

type DropFile = Extract<DropItem, { kind: "file" }>;

/**
 * Takes in a drop folder in this process: each new or changed file through the ingest stage. Killed at any moment
 * and run again, it ends where an undisturbed run ends; run twice, the second changes nothing.
 */
export async function runDrop(run: EmbeddedRun): Promise<RunSummary> {
  const { local, settings } = run;
  const counts = { new: 0, duplicate: 0, revised: 0, superseded: 0, forgotten: 0 };
  const total = {
    objects: 0,
    unchanged: 0,
    outdated: 0,
    bytes: 0,
    records: 0,
    rejected: 0,
    rejectedBefore: 0,
  };
  let done = 0;
  let turn: Promise<void> = Promise.resolve();
  const active = new Set<Promise<void>>();
  const report = (result: IngestReport): void => {
    total.records += result.records;
    total.rejected += result.rejected;
    for (const kind of Object.keys(counts) as (keyof typeof counts)[]) counts[kind] += result.counts[kind];
    run.onObject?.(result);
  };
  const start = (file: DropFile): void => {
    const before = turn;
    const { promise: mine, resolve: passOn } = Promise.withResolvers<void>();
    turn = mine;
    const work = readOne(file, { run, turn: before })
      .then(async (result) => {
        await before;
        report(result);
      })
      .finally(() => {
        passOn();
        active.delete(work);
        done += 1;
        run.onProgress?.({ objects: total.objects, done, bytes: total.bytes });
      });
    // Rejections are met below, by the race or at the end.
    work.catch(() => undefined);
    active.add(work);
  };
  try {
    for await (const item of walkDrop(run.drop)) {
      total.objects += 1;
      if (item.kind === "rejected") {
        await turn;
        report(await rejectObject(item.rejection, local, settings.revision));
        done += 1;
        continue;
      }
      if (run.since !== undefined && Number(item.mtimeNs / 1_000_000n) < run.since) {
        total.unchanged += 1;
        done += 1;
        continue;
      }
      const known = run.force === true ? undefined : await local.catalog.object(item.key);
      if (known?.fingerprint === fingerprintOf(item)) {
        const current = known.revision === settings.revision;
        // A rejection may have been mended by a newer converter: those are tried again.
        if (current || known.rejected === 0) {
          total.unchanged += 1;
          total.rejectedBefore += known.rejected;
          if (!current) total.outdated += 1;
          done += 1;
          continue;
        }
      }
      total.bytes += item.size;
      start(item);
      while (active.size >= SIDE_BY_SIDE) await Promise.race(active);
    }
    while (active.size > 0) await Promise.all(active);
  } finally {
    await Promise.allSettled(active);
    await local.catalog.flush();
  }
  return { ...total, counts };
}

function fingerprintOf(file: DropFile): string {
  return `${file.size}-${file.mtimeNs}-${file.ctimeNs}`;
}

async function readOne(
  file: DropFile,
  context: { readonly run: EmbeddedRun; readonly turn: Promise<void> },
): Promise<IngestReport> {
  const { local, compute, settings } = context.run;
  const { formats, forced } = settings;
  const ports: IngestPorts = {
    store: local.store,
    catalog: local.catalog,
    ledger: local.ledger,
    compute,
    limits: settings.limits,
    framer: { isPart: (value) => isPartOfOne(value, forced === undefined ? formats : [forced]) },
    turn: context.turn,
    onStored: ({ document, score }) => {
      releaseBytes(document);
      if (score !== undefined) releaseBytes(score.bytes);
    },
  };
  const source = fileSource(file);
  return ingest({ source, fingerprint: fingerprintOf(file), revision: settings.revision }, ports);
}

/** An object that cannot even be opened has a report like any other. */
async function rejectObject(
  rejection: Rejection,
  local: LocalStore,
  revision: string,
): Promise<IngestReport> {
  const key = rejection.source;
  await writeRejections({ object: key, total: 1, rejections: [rejection] }, local.store);
  await local.catalog.finishObject({
    key,
    project: projectOf(key),
    fingerprint: "unreadable",
    revision,
    records: 0,
    trajectories: 0,
    rejected: 1,
  });
  return {
    key,
    records: 0,
    items: [],
    counts: { new: 0, duplicate: 0, revised: 0, superseded: 0, forgotten: 0 },
    rejected: 1,
    scored: 0,
    rejections: [rejection],
  };
}
