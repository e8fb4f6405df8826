import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Draft } from "../../../shared/trajectory/draft.ts";
import { ConversionError } from "../../../shared/trajectory/format.ts";
import { crew } from "../../../shared/trajectory/formats/crew.ts";
import { ATIF_VERSION, atifSchema } from "../../../shared/trajectory/schema.ts";

const start = {
  event: "start",
  session_type: "employee",
  subject: "reviewer",
  timestamp: "2026-02-15T13:00:00",
};
const end = { event: "end", status: "completed" };
const prompt = (content: string) => ({ event: "message", role: "prompt", content });
const reply = (content: string, metadata: object = {}) => ({
  event: "message",
  role: "assistant",
  content,
  metadata,
});
const step = (content: string, employee?: string) => ({
  event: "message",
  role: "step",
  content,
  metadata: { ...(employee === undefined ? {} : { employee }), args: { k: content } },
});

function convert(value: unknown, stem = "run-1"): readonly Draft[] {
  const detection = crew.detect(value);
  const drafts = crew.convert({ value, variant: detection.match ? detection.variant : "", stem });
  for (const draft of drafts) {
    expect(atifSchema.safeParse({ schema_version: ATIF_VERSION, ...draft.document }).error).toBeUndefined();
  }
  return drafts;
}

function only(value: unknown): Draft {
  const [draft, ...more] = convert(value);
  if (draft === undefined || more.length > 0) throw new Error("not one draft");
  return draft;
}

const replies = (draft: Draft) => draft.document.steps.filter(({ source }) => source === "agent");

describe("crew sessions", () => {
  it("keep the whole dialogue of an employee, not only its last reply", () => {
    const args = { goal: "check it", target: "auth.py" };
    const events = [
      { ...start, metadata: { args } },
      { event: "project_info", x: 1 },
      prompt("P1"),
      reply("R1", { model: "m", input_tokens: 100, output_tokens: 40 }),
      prompt("P2"),
      reply("R2", { model: "m", input_tokens: 10, output_tokens: 4 }),
      end,
    ];
    const draft = only(events);
    expect(draft.document.steps.map(({ source, message }) => [source, message])).toEqual([
      ["user", "P1"],
      ["agent", "R1"],
      ["user", "P2"],
      ["agent", "R2"],
    ]);
    expect(draft).toMatchObject({
      domain: "crew",
      session: "run-1",
      startedAt: "2026-02-15T13:00:00",
      task: { id: "run-1", description: "auth.py", metadata: { args } },
      outcome: { success: true, exit_status: "completed", label_source: "end.status" },
    });
    expect(draft.document.agent).toMatchObject({ name: "crew/reviewer", model_name: "m" });
    expect(draft.document.final_metrics).toEqual({ total_prompt_tokens: 110, total_completion_tokens: 44 });
    expect(draft.fidelity.dropped).toMatchObject([{ path: "$[*]", count: 1 }]);
  });

  it("of a pipeline credit each reply to the step before it, also where a reply is missing", () => {
    const events = [
      { ...start, session_type: "pipeline" },
      step("p1", "ann"),
      step("p2"),
      reply("r2"),
      reply("more"),
      end,
    ];
    const draft = only(events);
    expect(replies(draft).map((turn) => turn.extra?.gymline?.native)).toEqual([
      { employee: "step-1", args: { k: "p2" } },
      { employee: "step-1", args: { k: "p2" } },
    ]);
    expect(draft.fidelity.notes).toContain("a pipeline step has no reply");
    expect(draft.document.agent.name).toBe("crew/pipeline/reviewer");
  });

  it("that broke off or failed did not succeed", () => {
    expect(only([start, reply("r")])).toMatchObject({ outcome: { success: false }, truncated: true });
    expect(only([start, reply("r"), { event: "end", status: "error", reason: "limit" }]).outcome).toEqual({
      success: false,
      exit_status: "error",
      label_source: "end.status",
      metadata: { reason: "limit" },
    });
  });

  it("without a reply are refused with a reason", () => {
    expect(() => convert([start, prompt("p"), reply(""), end])).toThrow(ConversionError);
  });

  it("that follow one another in a file are told apart", () => {
    const drafts = convert([
      start,
      reply("a"),
      end,
      start,
      prompt("p"),
      end,
      start,
      reply("b"),
      { event: "end", status: "error" },
    ]);
    expect(drafts.map(({ session, outcome }) => [session, outcome.success])).toEqual([
      ["run-1", true],
      ["run-1/2", false],
    ]);
  });

  it("are known by their first event, and their events as parts", () => {
    expect(crew.detect([start, prompt("p")])).toEqual({ match: true, variant: "employee" });
    expect(crew.detect([{ ...start, session_type: "pipeline" }])).toEqual({
      match: true,
      variant: "pipeline",
    });
    expect(crew.detect([reply("x")])).toEqual({
      match: false,
      near: 1 / 3,
      missing: ["$[0].event = start", "$[0].session_type"],
    });
    expect([start, prompt("p"), end, { event: "project_info" }].map((event) => crew.isPart?.(event))).toEqual(
      Array(4).fill(true),
    );
    expect(
      [{ event: "click" }, { role: "user", content: "x" }, [start], null].map((event) =>
        crew.isPart?.(event),
      ),
    ).toEqual(Array(4).fill(false));
  });
});

const GOLDEN = join(import.meta.dirname, "../../../../shared/reference/golden/recorder_crew.json");
const here = existsSync(GOLDEN);

interface Case {
  readonly name: string;
  readonly reference_defect?: string;
  readonly input: { readonly filename: string; readonly text: string };
  readonly expected: {
    readonly validate: boolean;
    readonly parse: {
      readonly task: { readonly task_id: string; readonly description: string };
      readonly agent: string;
      readonly model: string;
      readonly steps: readonly {
        readonly thought: string;
        readonly tool_call: { readonly name: string };
        readonly token_count: number;
      }[];
      readonly outcome: { readonly success: boolean; readonly total_tokens: number };
    };
  };
}

const cases: readonly Case[] = here ? JSON.parse(readFileSync(GOLDEN, "utf8")) : [];
const sound = cases.filter(({ reference_defect }) => reference_defect === undefined);

function eventsOf(text: string): readonly unknown[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line): unknown => JSON.parse(line));
}

describe("crew sessions of the golden vectors", () => {
  it.skipIf(!here)(`are there${here ? "" : " [skipped: ../shared/reference is absent]"}`, () => {
    expect(sound.length).toBeGreaterThanOrEqual(10);
  });

  it.each(sound.filter(({ expected }) => expected.validate))(
    "$name: same task, verdict, agent, tokens and replies",
    ({ input, expected: { parse } }) => {
      const [draft] = convert(eventsOf(input.text), input.filename.replace(/\.jsonl$/, ""));
      if (draft === undefined) throw new Error("no draft");
      expect(draft.task).toMatchObject({ id: parse.task.task_id, description: parse.task.description });
      expect(draft.outcome.success).toBe(parse.outcome.success);
      expect(draft.document.agent).toMatchObject({ name: parse.agent, model_name: parse.model });
      const totals = draft.document.final_metrics;
      expect((totals?.total_prompt_tokens ?? 0) + (totals?.total_completion_tokens ?? 0)).toBe(
        parse.outcome.total_tokens,
      );
      const turns = replies(draft);
      expect(turns.map(({ message }) => message)).toEqual(parse.steps.map(({ thought }) => thought));
      expect(
        turns.map(({ metrics }) => (metrics?.prompt_tokens ?? 0) + (metrics?.completion_tokens ?? 0)),
      ).toEqual(parse.steps.map(({ token_count }) => token_count));
      if (draft.variant === "pipeline") {
        expect(turns.map((turn) => `employee/${String(turn.extra?.gymline?.native?.["employee"])}`)).toEqual(
          parse.steps.map(({ tool_call }) => tool_call.name),
        );
      }
    },
  );

  it.each(sound.filter(({ expected }) => !expected.validate))("$name: not taken", ({ input }) => {
    const events = eventsOf(input.text);
    const taken = crew.detect(events).match;
    if (taken) expect(() => convert(events)).toThrow(ConversionError);
    else expect(taken).toBe(false);
  });
});
