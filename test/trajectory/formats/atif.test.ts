import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Draft } from "../../../shared/trajectory/draft.ts";
import { ConversionError } from "../../../shared/trajectory/format.ts";
import { atif } from "../../../shared/trajectory/formats/atif.ts";
import { TRAJECTORY_SCHEMA } from "../../../shared/trajectory/gymline-extra.ts";
import { ATIF_VERSION, type AtifTrajectory, atifSchema } from "../../../shared/trajectory/schema.ts";

const document = (change: object = {}) => ({
  schema_version: "ATIF-v1.5",
  session_id: "run-1",
  agent: { name: "terminus", version: "2", model_name: "m", extra: { parser: "json" } },
  steps: [
    { step_id: 1, source: "user", message: "Do it.", timestamp: "2026-01-02T03:04:05Z" },
    {
      step_id: 2,
      source: "agent",
      message: "Done.",
      tool_calls: [{ tool_call_id: "c1", function_name: "bash", arguments: { cmd: "ls" } }],
      observation: { results: [{ source_call_id: "c1", content: "a.txt" }] },
      metrics: { prompt_tokens: 5, completion_token_ids: [1, 2], logprobs: [-0.1, -0.2] },
    },
  ],
  ...change,
});

function convert(value: unknown): Draft {
  const detection = atif.detect(value);
  expect(detection.match).toBe(true);
  const [draft] = atif.convert({ value, variant: detection.match ? detection.variant : "", stem: "s" });
  if (draft === undefined) throw new Error("no draft");
  const checked = atifSchema.safeParse({ schema_version: ATIF_VERSION, ...draft.document });
  expect(checked.error).toBeUndefined();
  return draft;
}

function failure(value: unknown): ConversionError {
  try {
    atif.convert({ value, variant: "v", stem: "s" });
  } catch (error) {
    if (error instanceof ConversionError) return error;
  }
  throw new Error("converted");
}

describe("ATIF documents", () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])("of version 1.%i keep their content as it is", (minor) => {
    const source = document({ schema_version: `ATIF-v1.${minor}`, notes: "n", extra: { lab: 1 } });
    const { schema_version: version, ...content } = source;
    const draft = convert(source);
    expect(draft.document).toEqual(content);
    expect(draft).toMatchObject({
      variant: version,
      session: "run-1",
      startedAt: "2026-01-02T03:04:05Z",
      task: { description: "Do it." },
      outcome: { success: null },
      fidelity: { tokens: "token_exact", dropped: [], notes: [] },
    });
  });

  it("become a copy of their own", () => {
    const source = document();
    const draft = convert(source);
    draft.document.steps[0] = { step_id: 1, source: "user", message: "changed" };
    expect(source.steps[0]?.message).toBe("Do it.");
  });

  it.each([
    [{ extra: { reward: 1 } }, { success: true, score: 1, label_source: "extra.reward" }],
    [{ extra: { resolved: false, task_id: "t" } }, { success: false, label_source: "extra.resolved" }],
    [{ final_metrics: { extra: { reward: 0.25 } } }, { success: null, score: 0.25 }],
    [{ extra: { verifier_result: { rewards: { reward: 0 } } } }, { success: false, score: 0 }],
    [{ notes: "a run\nreward: 1.0\n" }, { success: true, score: 1, label_source: "notes.reward" }],
    [{ notes: '{"success": false}' }, { success: false, label_source: "notes.success" }],
    [{ notes: "the reward: 1.0 was expected" }, { success: null }],
  ])("tell the outcome where they are labelled: %j", (labels, outcome) => {
    expect(convert(document(labels)).outcome).toMatchObject(outcome);
  });

  it("of one run are sessions of their own where they are its segments or sub-agents", () => {
    const agent = { name: "a", version: "1", extra: { continuation_index: 2 } };
    expect(convert(document({ agent })).session).toBe("run-1/continuation-2");
    expect(convert(document({ trajectory_id: "sub" })).session).toBe("run-1/sub");
    expect(convert(document({ session_id: null })).session).toBeUndefined();
  });

  it("keep embedded sub-agents, copied context and continuation", () => {
    const sub = { ...document(), trajectory_id: "sub-1" };
    const steps = [{ step_id: 1, source: "agent", message: "old", is_copied_context: true }];
    const draft = convert(
      document({ steps, subagent_trajectories: [sub], continued_trajectory_ref: "next.json" }),
    );
    expect(draft.document.subagent_trajectories).toEqual([{ ...sub, schema_version: ATIF_VERSION }]);
    expect(draft.document).toMatchObject({ steps, continued_trajectory_ref: "next.json" });
  });

  it("with what only Python's models take are brought into the strict form, and it is noted", () => {
    const audio = { type: "audio", source: { media_type: "audio/mp3", path: "a.mp3" } };
    const reference = { session_id: "child" };
    const draft = convert(
      document({
        steps: [
          { step_id: 1, source: "user", message: [audio], timestamp: "2026-01-02T03:04:05,123456789Z" },
          { step_id: 2, source: "agent", message: "x", timestamp: "20260102T030405Z" },
          {
            step_id: 3,
            source: "system",
            message: "",
            observation: { results: [{ content: "r", subagent_trajectory_ref: [reference] }] },
          },
        ],
      }),
    );
    const [first, second, third] = draft.document.steps;
    expect(first).toMatchObject({
      timestamp: "2026-01-02T03:04:05.123456Z",
      message: [{ source: { media_type: "audio/mpeg" } }],
    });
    expect(second?.timestamp).toBeUndefined();
    expect(third?.observation?.results).toEqual([
      { content: "r", extra: { subagent_session_ids: ["child"] } },
    ]);
    expect(draft.fidelity.dropped).toMatchObject([{ path: "steps[*].timestamp", count: 1 }]);
    expect(draft.fidelity.notes).toHaveLength(3);
  });

  it.each([
    [{ steps: [] }, "$.steps"],
    [{ steps: [{ step_id: 2, source: "user", message: "x" }] }, "$.steps[0].step_id"],
    [{ agent: { name: "a" } }, "$.agent.version"],
    [{ steps: [{ step_id: 1, source: "user", message: "x", tool_calls: [] }] }, "$.steps[0].tool_calls"],
    [{ schema_version: "ATIF-v2.0" }, "$.schema_version"],
    [{ steps: [{ step_id: 1, source: "agent", message: { a: 1 } }] }, "$.steps[0].message"],
  ])("that are not valid are refused, with the place: %j", (change, path) => {
    const error = failure(document(change));
    expect(error).toMatchObject({ code: "invalid-atif", jsonPath: path });
    expect(error.message).toContain(path);
  });

  it("that are not valid are refused without quoting them", () => {
    const steps = [{ step_id: 1, source: "s3cret", message: "s3cret", "s3cret key": "s3cret" }];
    expect(
      JSON.stringify({ ...failure(document({ steps })), text: failure(document({ steps })).message }),
    ).not.toContain("s3cret");
    expect(
      failure(document({ steps: [{ step_id: 1, source: "user", message: "", "s3cret key": 1 }] })).message,
    ).not.toContain("s3cret");
  });

  it("are known by their version; what looks like one is named as near", () => {
    expect(atif.detect(document())).toEqual({ match: true, variant: "ATIF-v1.5" });
    expect(atif.detect(document({ schema_version: 1 }))).toEqual({
      match: false,
      near: 0.75,
      missing: ['$.schema_version ("ATIF-v1.x")'],
    });
    expect(atif.detect([document()])).toMatchObject({ match: false, near: 0 });
  });
});

const facts = {
  schema: TRAJECTORY_SCHEMA,
  id: "a".repeat(64),
  content_id: "b".repeat(64),
  id_version: "gymline.id.v1",
  content_id_version: "gymline.content.v1",
  session: "own-session",
  domain: "coding",
  task: { id: "t1", description: "Do it.", metadata: { lang: "ts" } },
  outcome: { success: true, score: 0.5, label_source: "resolved" },
  provenance: { format: "openhands", converter: "1", source_bytes: 10, revision: "r" },
  redaction: {
    total: 1,
    by_type: { email: 1 },
    entries: [{ path: "$.steps[0].message", type: "email", count: 1 }],
  },
  fidelity: { tokens: "text_only", dropped: [{ path: "$.x", reason: "large", count: 2 }], notes: ["a note"] },
  lint: [],
  started_at: "2026-01-01T00:00:00Z",
  metadata: { run: 7 },
};

describe("Gymline's own documents", () => {
  it("come back in with the content, task, outcome and fidelity they went out with", () => {
    const draft = convert(document({ schema_version: ATIF_VERSION, extra: { gymline: facts, lab: 1 } }));
    const { schema_version: _, ...content } = document({ extra: { lab: 1 } });
    expect(draft).toEqual({
      document: content,
      variant: "gymline",
      session: facts.session,
      domain: facts.domain,
      task: facts.task,
      outcome: facts.outcome,
      fidelity: facts.fidelity,
      startedAt: facts.started_at,
      metadata: facts.metadata,
      attachments: new Map(),
    });
  });

  it("with broken facts are refused, with the place", () => {
    const broken = { ...facts, outcome: { success: "yes" } };
    expect(failure(document({ extra: { gymline: broken } }))).toMatchObject({
      code: "invalid-gymline-extra",
      jsonPath: "$.extra.gymline.outcome.success",
    });
  });
});

const FIXTURES = join(import.meta.dirname, "../../../../shared/fixtures/atif");
const here = existsSync(FIXTURES);
const files = here ? readdirSync(FIXTURES) : [];

describe("ATIF fixtures", () => {
  it.skipIf(!here)(`are there${here ? "" : " [skipped: ../shared/fixtures is absent]"}`, () => {
    expect(files.length).toBeGreaterThan(0);
  });

  it.each(files)("%s comes through unchanged", (file) => {
    const source = JSON.parse(readFileSync(join(FIXTURES, file), "utf8")) as AtifTrajectory;
    const { schema_version: _, ...content } = source;
    const draft = convert(source);
    expect(draft.document).toEqual(content);
    const calls = (steps: AtifTrajectory["steps"]) =>
      steps.reduce((sum, step) => sum + (step.tool_calls?.length ?? 0), 0);
    expect([draft.document.steps.length, calls(draft.document.steps)]).toEqual([
      source.steps.length,
      calls(source.steps),
    ]);
  });
});
