import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Trajectory } from "../../shared/trajectory/schema.ts";
import { gymline } from "./run-cli.ts";
import { countSource } from "./source-counts.ts";
import { documentsIn, type Origin, originsIn, type Row, rowsIn, treeHash } from "./stored.ts";

const SHARED = join(import.meta.dirname, "../../../shared");
const FIXTURES = join(SHARED, "fixtures");
const CREW = join(SHARED, "reference/golden/recorder_crew.json");
const here = existsSync(FIXTURES) && existsSync(CREW);
const skipped = here ? "" : " [SKIPPED: ../shared/fixtures is absent]";

/** Logs that are rightly refused, and why. All others are accepted. */
const refused: Readonly<Record<string, { readonly code: string; readonly because: string }>> = {
  "crew/employee_no_assistant/20260215-130000-abcd1234.jsonl": {
    code: "no-agent-message",
    because: "nobody ever answers, so there is nothing to learn from or to score",
  },
  "crew/not_start/20260215-130000-abcd1234.jsonl": {
    code: "unknown-format",
    because: "a session starts with its start event; one message alone could be any tool's",
  },
};

const folders = [
  "openhands-v0",
  "openhands-output-jsonl",
  "openhands-swegym-hf",
  "swe-agent",
  "swe-agent-hf",
  "mini-swe-agent",
  "openai-messages",
  "atif",
  "crew",
];

const reportSchema = z.looseObject({
  schema: z.literal("gymline.run.v1"),
  objects: z.number(),
  unchanged: z.number(),
  records: z.number(),
  rejected: z.number(),
  counts: z.record(z.string(), z.number()),
  trajectories: z.array(z.looseObject({ id: z.string(), success: z.boolean().nullable() })),
  rejections: z.array(
    z.looseObject({
      source: z.string(),
      code: z.string(),
      reason: z.string().min(1),
      remedy: z.string().min(1),
    }),
  ),
  dataset: z.looseObject({}).nullable(),
});

const labelSchema = z.object({ file: z.string(), resolved: z.boolean().optional() });

describe.skipIf(!here)(`the published logs${skipped}`, () => {
  const work = here ? mkdtempSync(join(tmpdir(), "gymline-acceptance-")) : "";
  afterAll(() => {
    if (work !== "") rmSync(work, { recursive: true, force: true });
  });

  describe.each(folders)("of %s", (folder) => {
    const drop = join(work, "drop", folder);
    const store = join(work, "store", folder);
    const command = ["run", drop, "--out", store, "--success", "any", "--json"];
    let report: z.infer<typeof reportSchema>;
    let documents: ReadonlyMap<string, Trajectory>;
    let origins: readonly Origin[];
    let rows: readonly Row[];

    beforeAll(() => {
      if (folder === "crew") writeCrewLogs(drop);
      else cpSync(join(FIXTURES, folder), drop, { recursive: true });
      const { status, stdout, stderr } = gymline(command);
      report = reportSchema.parse(JSON.parse(stdout));
      expect([status, stderr]).toEqual([report.rejected > 0 ? 2 : 0, ""]);
      documents = documentsIn(store);
      origins = originsIn(store);
      rows = rowsIn(store);
    });

    it("are accepted, but for those that are rightly refused", () => {
      const refusals = report.rejections.map(({ source, code }) => [`${folder}/${source}`, code]);
      const expected = Object.entries(refused).filter(([file]) => file.startsWith(`${folder}/`));
      expect(refusals).toEqual(expected.map(([file, { code }]) => [file, code]));
      expect(report.rejected).toBe(expected.length);
      expect(report.objects).toBeGreaterThan(2 * expected.length);
      expect(report.records - expected.length).toBe(origins.length);
      expect(new Set(origins.map(({ id }) => id))).toEqual(new Set(documents.keys()));
    });

    it("keep every turn of the agent and every tool call", () => {
      const stored = origins.map(({ id, file, record }) => [
        `${file}#${record}`,
        countStored(documents.get(id)),
      ]);
      const source = origins.map(({ file, record }) => {
        const { turns, calls } = countSource(folder, sourceRecord(drop, file, record));
        return [`${file}#${record}`, { turns, calls }];
      });
      expect(stored).toEqual(source);
      expect(stored.length).toBeGreaterThan(0);
    });

    it("have the verdicts that are published with them, and no others", () => {
      const labels = new Map(
        readFileSync(join(FIXTURES, "LABELS.jsonl"), "utf8")
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => labelSchema.parse(JSON.parse(line)))
          .map(({ file, resolved }) => [file, resolved ?? null] as const),
      );
      const stored = origins.map(({ id, file, record }) => [
        `${file}#${record}`,
        documents.get(id)?.extra.gymline.outcome.success,
      ]);
      const expected = origins.map(({ file, record }) => {
        const own = verdictIn(folder, sourceRecord(drop, file, record));
        return [`${file}#${record}`, labels.get(`${folder}/${file}`) ?? own];
      });
      expect(stored).toEqual(expected);
      const reported = new Map(report.trajectories.map(({ id, success }) => [id, success]));
      for (const { id } of origins) {
        expect(reported.get(id)).toBe(documents.get(id)?.extra.gymline.outcome.success);
      }
    });

    it("become training rows with all their turns and calls", () => {
      const trainable = [...documents.values()].filter(isTrainable);
      const contents = new Set(trainable.map(({ extra }) => extra.gymline.content_id));
      expect(rows.length).toBe(contents.size);
      for (const row of rows) {
        const origin = origins.find(({ id }) => id === row.id);
        if (origin === undefined) throw new Error(`row ${row.id} comes from no log`);
        const { turns, native } = countSource(folder, sourceRecord(drop, origin.file, origin.record));
        const answers = row.messages.filter(({ role }) => role === "assistant");
        const calls = answers.flatMap((answer) => answer.tool_calls ?? []);
        expect([origin.file, answers.length, calls.length]).toEqual([origin.file, turns, native]);
        expectWellFormed(row);
      }
    });

    it("change nothing when they are dropped again", () => {
      const before = treeHash(store);
      const again = reportSchema.parse(JSON.parse(gymline(command).stdout));
      expect([again.objects, again.unchanged]).toEqual([report.objects, report.objects]);
      const forced = reportSchema.parse(JSON.parse(gymline([...command, "--force"]).stdout));
      expect(forced.counts["new"]).toBe(0);
      expect(treeHash(store)).toBe(before);
      expect(originsIn(store)).toEqual(origins);
    });
  });
});

function writeCrewLogs(drop: string): void {
  const cases = z
    .array(z.object({ name: z.string(), input: z.object({ filename: z.string(), text: z.string() }) }))
    .parse(JSON.parse(readFileSync(CREW, "utf8")));
  for (const { name, input } of cases) {
    mkdirSync(join(drop, name), { recursive: true });
    writeFileSync(join(drop, name, basename(input.filename)), input.text);
  }
}

/** A record of a file as plain JSON: a line, an element, or the whole. */
function sourceRecord(drop: string, file: string, record: number): unknown {
  const text = readFileSync(join(drop, file), "utf8");
  if (file.endsWith(".jsonl")) {
    const lines: readonly unknown[] = text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => JSON.parse(line) as unknown);
    return drop.endsWith("crew") ? lines : lines[record];
  }
  const value: unknown = JSON.parse(text);
  return Array.isArray(value) && isRows(value) ? value[record] : value;
}

function isRows(list: readonly unknown[]): boolean {
  const [first] = list;
  return typeof first === "object" && first !== null && ("messages" in first || "conversations" in first);
}

function countStored(document: Trajectory | undefined) {
  const agents = (document?.steps ?? []).filter((step) => step.source === "agent");
  return {
    turns: agents.length,
    calls: agents.reduce((sum, step) => sum + (step.tool_calls?.length ?? 0), 0),
  };
}

/** Verdicts in the logs themselves, where the list of labels names none. */
function verdictIn(folder: string, value: unknown): boolean | null {
  const row = value as Readonly<Record<string, unknown>>;
  if (folder === "openhands-output-jsonl" && typeof row["success"] === "boolean") return row["success"];
  if (folder === "openhands-swegym-hf" && "details" in row) {
    return (row["details"] as { readonly resolved?: string }).resolved === "True";
  }
  if (folder === "openai-messages" && typeof row["verified"] === "boolean") return row["verified"];
  if (folder !== "crew") return null;
  // A session without an end broke off, which the converter says in a note.
  const events = value as readonly Readonly<Record<string, unknown>>[];
  return events.some(({ event, status }) => event === "end" && status === "completed");
}

function isTrainable({ steps }: Trajectory): boolean {
  return steps.some(
    (step) =>
      step.source === "agent" && step.is_copied_context !== true && step.extra?.gymline?.trainable !== false,
  );
}

/** As TRL and the models' chat templates need it. */
function expectWellFormed(row: Row): void {
  // Some models give an id twice in a session, so a result answers the turn before it.
  let open: ReadonlySet<string> = new Set();
  for (const message of row.messages) {
    if (message.role === "tool") expect([...open]).toContain(message.tool_call_id);
    else expect(message.tool_call_id).toBeUndefined();
    const calls = message.tool_calls ?? [];
    if (calls.length > 0) expect(message.role).toBe("assistant");
    if (message.role !== "tool") open = new Set(calls.map(({ id }) => id));
    expect(message.role === "tool" || open.size === calls.length).toBe(true);
  }
  if (row.tools !== null) expect(JSON.parse(row.tools)).toEqual(expect.arrayContaining([expect.anything()]));
  expect(row.weights.length).toBe(row.messages.length);
  expect(row.step_rewards.length).toBe(row.messages.length);
  for (const [index, { role }] of row.messages.entries()) {
    if (role === "assistant") continue;
    expect([row.weights[index], row.step_rewards[index]]).toEqual([0, null]);
  }
}
