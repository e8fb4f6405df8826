import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConversionError, type Format } from "../../../shared/trajectory/format.ts";
import { atif } from "../../../shared/trajectory/formats/atif.ts";
import { crew } from "../../../shared/trajectory/formats/crew.ts";
import { createCustomFormat } from "../../../shared/trajectory/formats/custom.ts";
import { parseCustomMapping } from "../../../shared/trajectory/formats/custom-mapping.ts";
import { openaiMessages } from "../../../shared/trajectory/formats/openai-messages.ts";
import { ATIF_VERSION, atifSchema } from "../../../shared/trajectory/schema.ts";

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, "", "x", 0, -1, 1.5, 1e300, true, [], {}, [null], [[]], { role: 5 }, "[1", '{"a":'),
  fc.jsonValue({ maxDepth: 3 }),
  fc.constant(JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}')),
);

/** Replaces, removes or adds something at a random place of a document. */
function mutated(document: unknown): fc.Arbitrary<unknown> {
  const change = fc.record({ path: fc.array(fc.nat(30), { maxLength: 7 }), value: odd, kind: fc.nat(3) });
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    let value: unknown = structuredClone(document);
    for (const { path, value: put, kind } of changes) value = changedAt(value, { path, put, kind });
    return value;
  });
}

interface Change {
  readonly path: readonly number[];
  readonly put: unknown;
  readonly kind: number;
}

function changedAt(value: unknown, { path, put, kind }: Change): unknown {
  const [step, ...further] = path;
  if (step === undefined || typeof value !== "object" || value === null) return put;
  const entries = Object.entries(value);
  const at = entries.length === 0 ? -1 : step % entries.length;
  const next = entries.flatMap(([key, inner], index) => {
    if (index !== at) return [[key, inner] as const];
    if (further.length > 0) return [[key, changedAt(inner, { path: further, put, kind })] as const];
    if (kind === 0) return [];
    return kind === 1 ? [[key, inner] as const, ["added", put] as const] : [[key, put] as const];
  });
  return Array.isArray(value) ? next.map(([, inner]) => inner) : Object.fromEntries(next);
}

const chat = {
  instance_id: "i",
  messages: [
    { role: "system", content: "s" },
    {
      role: "user",
      content: [
        { type: "text", text: "u" },
        { type: "tool_result", tool_use_id: "x", content: "r" },
      ],
    },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "t", signature: "g" },
        { type: "tool_use", id: "x", name: "n", input: {} },
      ],
      tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
      usage: { prompt_tokens: 1 },
    },
    { role: "tool", tool_call_id: "c", content: "r" },
    { from: "function_call", value: '{"name":"n"}' },
  ],
  raw_messages: [],
  response: {
    choices: [{ message: { role: "assistant", content: "a" }, logprobs: { content: [] } }],
    usage: {},
  },
  kwargs: { tools: [] },
  metadata: { reward: 1 },
};
const responses = {
  object: "response",
  input: [{ role: "user", content: "u" }],
  output: [
    { type: "reasoning", summary: [{ text: "t" }] },
    { type: "function_call", call_id: "c", name: "n", arguments: "{}" },
    { type: "function_call_output", call_id: "c", output: "o" },
  ],
};
const atifDocument = {
  schema_version: "ATIF-v1.6",
  session_id: "s",
  agent: { name: "a", version: "1", extra: { continuation_index: 1 } },
  steps: [
    {
      step_id: 1,
      source: "user",
      message: [{ type: "text", text: "u" }],
      timestamp: "2026-01-01T00:00:00,5Z",
    },
    {
      step_id: 2,
      source: "agent",
      message: "m",
      tool_calls: [{ tool_call_id: "c", function_name: "f", arguments: {} }],
      observation: {
        results: [{ source_call_id: "c", content: "r", subagent_trajectory_ref: [{ session_id: "z" }] }],
      },
      metrics: { completion_token_ids: [1] },
    },
  ],
  notes: "reward: 1",
  extra: { reward: 1, task_id: "t" },
};
const events = [
  { event: "start", session_type: "pipeline", subject: "s", metadata: { initial_args: { a: 1 } } },
  { event: "message", role: "step", content: "p", metadata: { employee: "e", args: {} } },
  { event: "message", role: "assistant", content: "r", metadata: { model: "m", input_tokens: 1 } },
  { event: "end", status: "completed" },
];
const custom = createCustomFormat(
  parseCustomMapping(
    {
      schema: "gymline.mapping.v1",
      name: "own",
      match: [{ path: "log", exists: true }],
      content: {
        style: "messages",
        path: "log[*]",
        role: "who",
        roles: { u: "user", a: "agent", r: "result" },
        content: "text",
        calls: { path: "calls[*]", name: "n", arguments: "a" },
        call_id: "id",
      },
      outcome: { success: { path: "ok" }, score: "points" },
      task: { id: "job" },
      started_at: "at",
    },
    "own.json",
  ),
);
const own = {
  job: "j",
  at: 1_700_000_000,
  ok: "yes",
  points: 0.5,
  log: [
    { who: "u", text: "hi" },
    { who: "a", text: "ho", calls: [{ n: "f", a: { b: [1] } }], more: [1] },
    { who: "r", id: "1", text: "r" },
  ],
};

const cases: readonly (readonly [string, Format, unknown])[] = [
  ["chat rows", openaiMessages, chat],
  ["bare messages", openaiMessages, chat.messages],
  ["Responses objects", openaiMessages, responses],
  ["ATIF documents", atif, atifDocument],
  ["crew sessions", crew, events],
  ["mapped records", custom, own],
];

describe("malformed input", () => {
  it.each(cases)(
    "of %s gives valid ATIF or a ConversionError, never another failure",
    (_, format, document) => {
      expect(format.detect(document).match).toBe(true);
      expect(format.convert({ value: document, variant: "v", stem: "s" })).not.toEqual([]);
      fc.assert(
        fc.property(mutated(document), (value) => {
          expect(typeof format.detect(value).match).toBe("boolean");
          format.isPart?.(value);
          try {
            for (const draft of format.convert({ value, variant: "v", stem: "s" })) {
              const checked = atifSchema.safeParse({ schema_version: ATIF_VERSION, ...draft.document });
              expect(checked.error).toBeUndefined();
            }
          } catch (error) {
            expect(error).toBeInstanceOf(ConversionError);
          }
          expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
        }),
        { numRuns: 400 },
      );
    },
  );

  it("holds text that decodes to something very deep at arm's length", () => {
    const deep = `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`;
    const list = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
    const call = { id: "c", function: { name: "f", arguments: deep } };
    const value = {
      messages: [
        { role: "user", content: "u" },
        { role: "assistant", content: "", tool_calls: [call] },
      ],
    };
    const [draft] = openaiMessages.convert({ value, variant: "v", stem: "s" });
    expect(draft?.document.steps[1]?.tool_calls?.[0]).toMatchObject({
      arguments: {},
      extra: { gymline: { raw_arguments: deep } },
    });
    expect(openaiMessages.detect({ messages: list }).match).toBe(false);
  });
});
