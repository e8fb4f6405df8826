import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeepingCompute } from "../../shared/adapters/local/compute-keeping.ts";
import { runDrop } from "../../shared/adapters/local/embedded-run.ts";
import { openForWriting } from "../../shared/adapters/local/local-store.ts";
import { RowSpool } from "../../shared/adapters/local/row-spool.ts";
import { taskSettings } from "../../shared/adapters/local/task-settings.ts";
import type { RowInspection } from "../../shared/dataset/quality/inspect-row.ts";
import {
  type DatasetRequest,
  datasetRequestSchema,
  exportDataset,
  InlineCompute,
  pipelinePlan,
  runPipeline,
} from "../../shared/library.ts";
import type { RenderedRow } from "../../shared/ports/compute.ts";
import type { KeptRows } from "../../shared/ports/kept-rows.ts";
import { writeDrop } from "../factories/drop.ts";
import { inspectedLineOf } from "../factories/inspection.ts";
import { chatRow } from "../factories/logs.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { bareSecrets } from "../redaction/samples.ts";

const idOf = (index: number): string => String(index).repeat(64);
const source = { id: "a".repeat(64), revision: "r", scorer: "s" };

const content = { repo: null, steps: 1, calls: { bash: 2 }, redacted: {} };

const inspection: RowInspection = {
  ...{ origin: { id: "i", contentId: null, task: "t" }, missing: [], unknown: ["x"], isPromptEmpty: false },
  ...{ emptyTurns: 0, tokens: 9, secrets: { "messages EMAIL": 1 } },
  prompt: { hash: 2 ** 52 + 1, signature: Int32Array.of(-1, 7) },
};

function rowOf(text: string): RenderedRow {
  const origin = { contentId: "content", revision: "r", scorer: "s" };
  const facts = { ...origin, reward: 1, success: true, domain: "d", format: "f", agent: "a", model: null };
  const counts = { redactions: 0, messages: 2, trained: 1, tokens: 9 };
  return { line: Buffer.from(text), facts: { ...facts, ...counts, ...content }, inspection };
}

describe("a spool of rows", () => {
  it("gives each row back as it was, and only to the document and score it was rendered from", async () => {
    const path = join(temporaryFolder("spool"), ".tmp", "rows");
    const spool = new RowSpool(path);
    expect(await spool.take(source)).toBeUndefined();
    expect(existsSync(path)).toBe(false);
    const rows = ["one\n", "", "dr\u00ef\u2014\n"].map(rowOf);
    for (const [index, row] of rows.entries()) spool.keep({ ...source, id: idOf(index) }, row);
    for (const [index, row] of rows.entries()) {
      const taken = await spool.take({ ...source, id: idOf(index) });
      expect(taken?.facts).toEqual(row.facts);
      expect(taken?.inspection).toEqual(row.inspection);
      expect(Buffer.compare(taken?.line ?? Buffer.from("?"), row.line)).toBe(0);
    }
    expect(await spool.take(source)).toBeUndefined();
    for (const other of [{ revision: "q" }, { scorer: "other" }, { id: `${idOf(0).slice(0, -1)}1` }]) {
      expect(await spool.take({ ...source, id: idOf(0), ...other })).toBeUndefined();
    }
    spool.close();
    expect(existsSync(path)).toBe(false);
    expect(await spool.take({ ...source, id: idOf(0) })).toBeUndefined();
  });

  it("keeps nothing, and fails nothing, where its file cannot be written", async () => {
    const path = join(temporaryFolder("spool"), "taken");
    mkdirSync(join(path, "folder"), { recursive: true });
    const spool = new RowSpool(path);
    spool.keep(source, rowOf("one"));
    expect(await spool.take(source)).toBeUndefined();
    spool.close();
    expect(existsSync(dirname(path))).toBe(true);
  });
});

/** Every object below a prefix, as text. */
async function objectsOf(folder: string, prefix: string): Promise<ReadonlyMap<string, string>> {
  const local = openForWriting(folder);
  const objects = new Map<string, string>();
  for await (const { key } of local.store.list(prefix)) {
    objects.set(key, Buffer.from(await local.store.read(key)).toString("latin1"));
  }
  await local.close();
  return objects;
}

/** How many rows an export took from the spool of a run that has just ended, and how many it wrote. */
async function countTaken(drop: string, request: DatasetRequest): Promise<readonly [number, number]> {
  const settings = await taskSettings(pipelinePlan());
  const local = openForWriting(join(temporaryFolder("spool"), "store"));
  const spool = new RowSpool(local.store.temporary());
  const compute = new KeepingCompute(new InlineCompute({ ...settings, dataset: request }), spool);
  await runDrop({ drop, local, compute, settings: settings.ingest });
  let taken = 0;
  const rows: KeptRows = {
    take: async (of) => {
      const row = await spool.take(of);
      if (row !== undefined) taken += 1;
      return row;
    },
  };
  const { store, catalog } = local;
  const result = await exportDataset(request, { store, catalog, compute, clock: { now: () => 0 }, rows });
  spool.close();
  await local.close();
  return [taken, result.kind === "empty" ? 0 : result.manifest.rows];
}

function dropOf(seed: number): string {
  const drop = temporaryFolder("drop");
  writeDrop(drop, { seed, rows: 6 });
  return drop;
}

describe("an export at the end of a run", () => {
  const requests: readonly (readonly [string, Parameters<typeof datasetRequestSchema.parse>[0]])[] = [
    ["of what succeeded", {}],
    ["of everything", { success: ["true", "false", "unknown"] }],
    ["of the better ones", { success: ["true", "false", "unknown"], minReward: 0.5 }],
    ["of the best of each task", { success: ["true", "unknown"], perTask: 1 }],
  ];
  it.each(requests)("%s is, byte for byte, that of a later one", async (_, input) => {
    const drop = dropOf(7);
    const dataset = datasetRequestSchema.parse(input);
    const written: ReadonlyMap<string, string>[] = [];
    for (const threads of [0, 2]) {
      const out = join(temporaryFolder("spool"), "store");
      await runPipeline({ drop, out, threads, dataset });
      expect(readdirSync(join(out, ".tmp"))).toEqual([]);
      written.push(await objectsOf(out, "datasets/"));
    }
    const out = join(temporaryFolder("spool"), "store");
    await runPipeline({ drop, out, threads: 0, dataset: null });
    await runPipeline({ drop, out, threads: 0, dataset });
    written.push(await objectsOf(out, "datasets/"));
    expect(written[0]?.size).toBeGreaterThan(2);
    expect(written[1]).toEqual(written[0]);
    expect(written[2]).toEqual(written[0]);
  });

  it("has what a look at the line would find of each row, whatever had to be redacted", async () => {
    const dataset = datasetRequestSchema.parse({ success: ["true", "false", "unknown"] });
    const settings = await taskSettings(pipelinePlan());
    const compute = new InlineCompute({ ...settings, dataset });
    const said = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.constantFrom(...bareSecrets.map(([, , secret]) => secret)),
    );
    const calls = fc.array(fc.tuple(said, said), { maxLength: 3 });
    let redactions = 0;
    await fc.assert(
      fc.asyncProperty(fc.record({ prompt: said, answer: said, calls }), async (facts) => {
        const bytes = Buffer.from(chatRow(facts));
        const { trajectories } = await compute.ingest({
          ...{ source: "team/log.json", index: 0, line: 1, bytes, framing: "document" },
        });
        for (const { row, rendered } of trajectories) {
          redactions += row.redactions;
          if (rendered === undefined) continue;
          const { line, inspection } = rendered;
          expect(inspection).toEqual(inspectedLineOf(line, dataset.target, settings));
        }
      }),
      { numRuns: 60 },
    );
    expect(redactions).toBeGreaterThan(10);
  });

  it("takes all its rows from the run, and reads no document again", async () => {
    const request = datasetRequestSchema.parse({ success: ["true", "false", "unknown"] });
    const [taken, rows] = await countTaken(dropOf(8), request);
    expect(rows).toBeGreaterThan(10);
    expect(taken).toBe(rows);
  });
});
