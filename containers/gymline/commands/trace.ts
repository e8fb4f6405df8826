import type { Command } from "commander";
import { openForReading } from "../../../shared/adapters/local/local-store.ts";
import {
  datasetPrefix,
  scoreKey,
  scorePrefix,
  trajectoryKey,
  trajectoryPrefix,
} from "../../../shared/contracts/keys.ts";
import type { Catalog } from "../../../shared/ports/catalog.ts";
import type { ObjectStore } from "../../../shared/ports/object-store.ts";
import { examples, storeOption } from "../options.ts";
import { resolveId } from "../store-access.ts";
import { figure, out, printable, verdict } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface TraceOptions {
  readonly store: string;
  readonly json?: boolean;
}

export function addTrace(program: Command): void {
  const command = program
    .command("trace")
    .description("follow a row or trajectory back to its log, or a log forward to its rows")
    .argument("<id|key>", "id of a trajectory (or of a dataset row), or the key of a dropped file")
    .option("--json", "print JSON");
  storeOption(command);
  examples(command, ["gymline trace 3f2a91", "gymline trace coding-team/runs/output.jsonl --json"]).action(
    trace,
  );
}

async function trace(subject: string, options: TraceOptions): Promise<void> {
  const local = openForReading(options.store);
  try {
    const { store, catalog } = local;
    const fromKey = await catalog.idsFrom(subject);
    const object = await catalog.object(subject);
    if (fromKey.length === 0 && object === undefined && !/^[0-9a-f]{4,64}$/i.test(subject)) {
      throw new UsageError(`"${subject}" is neither the key of a dropped file nor a trajectory id`);
    }
    const ids =
      object === undefined && fromKey.length === 0
        ? [await resolveId(catalog, subject)]
        : [...new Set(fromKey)];
    const lineages: Lineage[] = [];
    for (const id of ids) lineages.push(await lineageOf(id, { store, catalog }));
    if (options.json === true) {
      out(
        JSON.stringify({
          schema: "gymline.trace.v1",
          subject,
          object: object ?? null,
          trajectories: lineages,
        }),
      );
      return;
    }
    if (object !== undefined) {
      out(
        `${printable(subject)}  ${object.records} records, ${object.trajectories} trajectories, ${object.rejected} rejected`,
      );
      if (object.rejected > 0) out(`  report  rejected/${printable(subject)}.report.json`);
    }
    for (const lineage of lineages) print(lineage);
  } finally {
    await local.close();
  }
}

interface Lineage {
  readonly id: string;
  readonly places: Awaited<ReturnType<Catalog["places"]>>;
  readonly documents: readonly string[];
  readonly scores: readonly string[];
  readonly success: boolean | null;
  readonly reward: number | null;
  readonly scorer: string | null;
  readonly supersededBy: string | null;
  readonly datasets: Awaited<ReturnType<Catalog["datasetsOf"]>>;
}

async function lineageOf(
  id: string,
  ports: { readonly store: ObjectStore; readonly catalog: Catalog },
): Promise<Lineage> {
  const { store, catalog } = ports;
  const entry = await catalog.entry(id);
  return {
    id,
    places: await catalog.places(id),
    documents: await keys(store, trajectoryPrefix(id)),
    scores: await keys(store, scorePrefix(id)),
    success: entry?.success ?? null,
    reward: entry?.reward ?? null,
    scorer: entry?.scorer ?? null,
    supersededBy: entry?.supersededBy ?? null,
    datasets: await catalog.datasetsOf(id),
  };
}

async function keys(store: ObjectStore, prefix: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}

function print(lineage: Lineage): void {
  const current = trajectoryKey(lineage.id);
  out(`\n${lineage.id}`);
  for (const place of lineage.places) {
    const entry = place.entry === null ? "" : `!${place.entry}`;
    const line = place.line === null ? "" : `:${place.line}`;
    const path = place.jsonPath === null ? "" : ` ${place.jsonPath}`;
    out(
      printable(
        `  from     ${place.key}${entry}${line}${path}  (project ${place.project}, record ${place.index})`,
      ),
    );
  }
  if (lineage.places.length === 0) out("  from     no file that is still as it was read");
  for (const key of lineage.documents) out(`  stored   ${key}${key === current ? "" : "  (older revision)"}`);
  const now = lineage.scorer === null ? "" : scoreKey(lineage.id, lineage.scorer);
  for (const key of lineage.scores) {
    const facts =
      key === now
        ? `  reward ${figure(lineage.reward)}, solved ${verdict(lineage.success)}`
        : "  (other scorer)";
    out(`  scored   ${key}${facts}`);
  }
  if (lineage.supersededBy !== null) out(`  longer   superseded by ${lineage.supersededBy}`);
  for (const use of lineage.datasets)
    out(`  used in  ${datasetPrefix(use.name, use.version)}${use.split}.jsonl`);
  if (lineage.datasets.length === 0) out("  used in  no dataset");
}
