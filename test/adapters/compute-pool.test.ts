import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { InlineCompute } from "../../shared/adapters/local/compute-inline.ts";
import { ComputePool } from "../../shared/adapters/local/compute-pool.ts";
import { PluginError, taskSettings } from "../../shared/adapters/local/task-settings.ts";
import { TARGET_IDS, targetOf } from "../../shared/dataset/targets/targets.ts";
import {
  type ComputedRecord,
  ComputeLostError,
  ComputeStoppedError,
  type GroupRows,
  type GroupTask,
} from "../../shared/ports/compute.ts";
import type { SourceRecord } from "../../shared/reading/source.ts";
import { inspectedLineOf } from "../factories/inspection.ts";
import { atifDocument, chatLines, chatRow, crewSession } from "../factories/logs.ts";
import { makePlan } from "../factories/plan.ts";
import { temporaryFolder } from "../factories/temporary.ts";

const DEADLY = join(import.meta.dirname, "deadly-format.ts");

function recordOf(text: string, more: Partial<SourceRecord> = {}): SourceRecord {
  const bytes = Buffer.from(text);
  return { source: "team/log.json", index: 0, line: 1, bytes, framing: "document", ...more };
}

function poolOf(threads: number, plugins: readonly string[] = []): ComputePool {
  const pool = new ComputePool({ plan: makePlan({ plugins }), threads });
  onTestFinished(() => pool.close());
  return pool;
}

function deadlyRow(how: string, more: Readonly<Record<string, unknown>> = {}): SourceRecord {
  return recordOf(chatRow({ task: how, more: { deadly: how, ...more } }));
}

/** The same as plain data: buffers that came from a thread and those made here are equal by their bytes. */
function plain(computed: unknown): unknown {
  // The raw value, since a Buffer has its own idea of JSON.
  const replace = function (this: Readonly<Record<string, unknown>>, key: string): unknown {
    const raw = this[key];
    return raw instanceof Uint8Array ? Buffer.from(raw).toString("base64") : raw;
  };
  return JSON.parse(JSON.stringify({ computed }, replace));
}

const text = fc.string({ maxLength: 40 });
const record = fc.oneof(
  fc
    .record({ task: text, prompt: text, answer: text, success: fc.boolean(), image: fc.uint8Array() })
    .map((facts) => recordOf(chatRow(facts))),
  fc.record({ task: text, session: text, turns: fc.nat(3) }).map((facts) => recordOf(atifDocument(facts))),
  text.map((prompt) => recordOf(chatLines({ prompt }), { framing: "lines" })),
  text.map((goal) => recordOf(crewSession({ goal }), { framing: "lines" })),
  fc.json().map((json) => recordOf(json)),
  fc.string().map((broken) => recordOf(`{${broken}`)),
);

function onlyRow(made: GroupRows) {
  const [row] = made.kind === "rows" ? made.rows : [];
  if (row === undefined) throw new Error("there is no row");
  return row;
}

describe("ComputePool", () => {
  it("computes what this thread would compute: documents, scores, attachments, rejections and rows", async () => {
    const pool = poolOf(2);
    const settings = await taskSettings(makePlan());
    const inline = new InlineCompute(settings);
    let trajectories = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 40 }), async (drawn) => {
        const records = [recordOf(chatRow()), ...drawn];
        const there = await Promise.all(records.map((item) => pool.ingest(item)));
        const here = await Promise.all(records.map((item) => inline.ingest(item)));
        expect(plain(there)).toEqual(plain(here));
        for (const { document, score } of here.flatMap((computed) => computed.trajectories)) {
          trajectories += 1;
          const scored = await pool.score(document);
          expect(plain(scored)).toEqual(plain(await inline.score(document)));
          expect(plain(scored)).toEqual(plain(score));
          const task = { document, score: scored.bytes, target: "trl" } as const;
          const row = await pool.row(task);
          expect(plain(row)).toEqual(plain(await inline.row(task)));
          // What was found as the row was made is what its line would show.
          if (!("refused" in row)) expect(row.inspection).toEqual(inspectedLineOf(row.line, "trl", settings));
        }
      }),
      { numRuns: 15 },
    );
    expect(trajectories).toBeGreaterThanOrEqual(15);
  });

  it("renders pairs and tasks as this thread would, and names a document that is damaged", async () => {
    const pool = poolOf(2);
    const settings = await taskSettings(makePlan());
    const inline = new InlineCompute(settings);
    const logs = [true, false].map((success) =>
      recordOf(chatRow({ task: "t", success, calls: [[`try ${success}`, "out é"]] })),
    );
    const made = (await Promise.all(logs.map((log) => inline.ingest(log)))).flatMap(
      ({ trajectories }) => trajectories,
    );
    const parts = made.map(({ row: { id }, document, score }) => ({ id, document, score: score?.bytes }));
    const attempts = made.map(({ row: { id, contentId, agentSteps: steps, success }, score }) => ({
      ...{ id, contentId, steps, success, reward: score?.row.reward ?? 0 },
      ...{ outcomeScore: null, scorer: score?.row.scorer ?? null, scale: "s" },
    }));
    const [chosen, rejected] = attempts;
    if (chosen === undefined || rejected === undefined) throw new Error("two logs make two trajectories");
    const pairs: GroupTask = {
      ...{ kind: "pairs", target: "trl-dpo", unit: "trajectory", task: "t", parts },
      pairs: [{ of: { chosen, rejected, source: "reward" }, chosen: 0, rejected: 1 }],
    };
    const prompt = { kind: "prompt", of: { task: "t", attempts }, parts, split: "train" } as const;
    const prompts = (["verl-rl", "benchmark", "knowlyr-grpo"] as const).map(
      (target): GroupTask => ({ ...prompt, target, envClass: "gym", perTask: undefined }),
    );
    for (const each of [pairs, ...prompts]) {
      const rows = await pool.group(each);
      expect(rows).toMatchObject({ kind: "rows", rows: [{ line: expect.any(Uint8Array) }] });
      expect(plain(rows)).toEqual(plain(await inline.group(each)));
    }
    const [first] = parts;
    if (first === undefined) throw new Error("there is no document");
    const group = { group: "t", rewards: [1, 0.5] };
    const task = { ...prompt, envClass: "gym", perTask: undefined };
    for (const target of TARGET_IDS) {
      const { unit } = targetOf(target);
      const row =
        unit === "trajectory" || unit === "group"
          ? await pool.row({ target, ...first, ...(unit === "group" ? { group } : {}) })
          : onlyRow(await pool.group(unit === "pair" ? { ...pairs, target } : { ...task, target }));
      if ("refused" in row) continue;
      expect([target, row.inspection]).toEqual([target, inspectedLineOf(row.line, target, settings)]);
    }
    const broken = parts.map((part, place) =>
      place === 1 ? { ...part, document: part.document.slice(0, 40) } : part,
    );
    const damaged = { kind: "damaged", id: rejected.id, why: "a stored document is no packed JSON" };
    expect(await pool.group({ ...pairs, parts: broken })).toEqual(damaged);
    expect(await inline.group({ ...pairs, parts: broken })).toEqual(damaged);
  });

  it("leaves the caller's bytes alone", async () => {
    const pool = poolOf(1);
    const log = recordOf(chatRow());
    const before = Buffer.from(log.bytes);
    const [trajectory] = (await pool.ingest(log)).trajectories;
    expect(before.equals(log.bytes)).toBe(true);
    const document = trajectory?.document ?? new Uint8Array(0);
    await pool.score(document);
    await pool.score(document);
    expect(document.length).toBeGreaterThan(100);
  });

  it.each(["exit", "throw later"])("gives up only the record that ends its thread (%s)", async (how) => {
    const pool = poolOf(2, [DEADLY]);
    const records = Array.from({ length: 60 }, (_, index) =>
      index % 20 === 7 ? deadlyRow(how) : recordOf(chatRow({ task: `t${index}` })),
    );
    const results = await Promise.allSettled(records.map((item) => pool.ingest(item)));
    for (const [index, result] of results.entries()) {
      if (index % 20 === 7) {
        expect(result).toMatchObject({ status: "rejected" });
        expect(result.status === "rejected" && result.reason).toBeInstanceOf(ComputeLostError);
      } else {
        const value = result.status === "fulfilled" ? result.value : undefined;
        expect(value?.trajectories.map(({ row }) => row.taskId)).toEqual([`t${index}`]);
      }
    }
    // The pool goes on working.
    expect((await pool.ingest(recordOf(chatRow({ task: "after" })))).trajectories).toHaveLength(1);
  });

  it("starts its threads again after a rest, and does not rest while there is work", async () => {
    const pool = poolOf(2);
    const threads = (): number => readdirSync("/proc/self/task").length;
    const under = [
      pool.ingest(recordOf(chatRow({ task: "a" }))),
      pool.ingest(recordOf(chatRow({ task: "b" }))),
    ];
    await pool.rest();
    const before = await Promise.all(under);
    const working = threads();
    await pool.rest();
    expect([working - threads(), before.length]).toEqual([2, 2]);
    const after = await pool.ingest(recordOf(chatRow({ task: "c" })));
    expect(after.trajectories.map(({ row }) => row.taskId)).toEqual(["c"]);
    await pool.rest();
    await pool.close();
    await expect(pool.ingest(recordOf(chatRow()))).rejects.toBeInstanceOf(ComputeStoppedError);
  });

  it("tries a record again whose thread ended, in a new thread", async () => {
    const pool = poolOf(1, [DEADLY]);
    const mark = join(temporaryFolder("mark"), "died");
    const results = await Promise.all([
      pool.ingest(recordOf(chatRow({ task: "before" }))),
      pool.ingest(deadlyRow("exit", { mark })),
      pool.ingest(recordOf(chatRow({ task: "after" }))),
    ]);
    expect(existsSync(mark)).toBe(true);
    expect(results.map(({ trajectories }) => trajectories[0]?.row.taskId)).toEqual([
      "before",
      "exit",
      "after",
    ]);
  });

  it("survives a deadly record that is its very first", async () => {
    const pool = poolOf(1, [DEADLY]);
    await expect(pool.ingest(deadlyRow("exit"))).rejects.toBeInstanceOf(ComputeLostError);
    expect((await pool.ingest(recordOf(chatRow()))).trajectories).toHaveLength(1);
  });

  it("answers a fault that a format throws with a rejection that does not quote it", async () => {
    const pool = poolOf(1, [DEADLY]);
    const codes = async (how: string): Promise<unknown> => {
      const { rejections }: ComputedRecord = await pool.ingest(deadlyRow(how));
      expect(JSON.stringify(rejections)).not.toContain("secret content");
      return rejections.map(({ code }) => code);
    };
    expect(await codes("throw")).toEqual(["internal-fault"]);
    expect(await codes("refuse")).toEqual(["refused"]);
  });

  it("keeps the name of an error that a thread meets", async () => {
    const pool = poolOf(1);
    await expect(pool.score(Buffer.from("no gzip"))).rejects.toMatchObject({ name: "StoredFormatError" });
  });

  it("says which plugin could not be loaded, and why", async () => {
    const missing = join(temporaryFolder("plugin"), "missing.ts");
    await expect(taskSettings(makePlan({ plugins: [missing] }))).rejects.toThrow(PluginError);
    const pool = poolOf(1, [missing]);
    for (let turn = 0; turn < 2; turn += 1) {
      await expect(pool.ingest(recordOf(chatRow()))).rejects.toThrow(
        /plugin .*missing\.ts could not be loaded/,
      );
    }
  });

  it("stops, and blames no record, when no thread can be started", async () => {
    const plugin = join(temporaryFolder("plugin"), "exits.mjs");
    writeFileSync(plugin, "process.exit(3);");
    const pool = poolOf(2, [plugin]);
    await expect(pool.ingest(recordOf(chatRow()))).rejects.toBeInstanceOf(ComputeStoppedError);
    await expect(pool.ingest(recordOf(chatRow()))).rejects.toBeInstanceOf(ComputeStoppedError);
  });

  it("answers tasks that are open when it is closed", async () => {
    const pool = poolOf(1);
    const open = pool.ingest(recordOf(chatRow()));
    open.catch(() => undefined);
    await pool.close();
    await expect(open).rejects.toBeInstanceOf(ComputeStoppedError);
    await expect(pool.ingest(recordOf(chatRow()))).rejects.toBeInstanceOf(ComputeStoppedError);
  });
});
