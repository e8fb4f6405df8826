import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { agentSteps } from "../../../shared/trajectory/agent-steps.ts";
import type { Draft } from "../../../shared/trajectory/draft.ts";
import { ConversionError } from "../../../shared/trajectory/format.ts";
import { openhands } from "../../../shared/trajectory/formats/openhands.ts";
import { ATIF_VERSION, atifSchema } from "../../../shared/trajectory/schema.ts";

function convert(value: unknown): Draft {
  const detection = openhands.detect(value);
  const variant = detection.match ? detection.variant : "forced";
  const [draft] = openhands.convert({ value, variant, stem: "log" });
  if (draft === undefined) throw new Error("no draft");
  expect(atifSchema.safeParse({ schema_version: ATIF_VERSION, ...draft.document }).error).toBeUndefined();
  return draft;
}

const ask = { id: 0, source: "user", action: "message", args: { content: "mend it" } };

function run(id: number, command: string, more: object = {}): object {
  return { id, source: "agent", action: "run", args: { command, thought: `try ${command}` }, ...more };
}

function ran(cause: number | undefined, content: string, more: object = {}): object {
  const answer = { source: "agent", observation: "run", content, extras: { exit_code: 0 }, ...more };
  return cause === undefined ? answer : { ...answer, cause };
}

/** The metadata of a call that came in the model's reply `reply` together with `calls`. */
function from(reply: string, callId: string, calls: readonly string[]): object {
  const native = calls.map((id) => ({
    id,
    type: "function",
    function: { name: "execute_bash", arguments: JSON.stringify({ command: `do ${id}` }) },
  }));
  return {
    tool_call_metadata: {
      function_name: "execute_bash",
      tool_call_id: callId,
      total_calls_in_response: calls.length,
      model_response: {
        id: reply,
        model: "some-model",
        choices: [
          {
            message: {
              role: "assistant",
              content: "both at once",
              reasoning_content: "hm",
              tool_calls: native,
            },
          },
        ],
        usage: { prompt_tokens: 11, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 3 } },
      },
    },
  };
}

function outputs(draft: Draft): readonly (readonly [string, string | null])[] {
  return agentSteps(draft.document).flatMap((step) =>
    step.calls.map((call) => [String(call.params["command"] ?? call.tool), call.output] as const),
  );
}

describe("OpenHands events", () => {
  it("pairs an observation with the action that its cause names, however late it comes", () => {
    const draft = convert([ask, run(1, "a"), run(2, "b"), ran(2, "out b"), ran(1, "out a")]);
    expect(outputs(draft)).toEqual([
      ["a", "out a"],
      ["b", "out b"],
    ]);
  });

  it("lets events of the framework close no action", () => {
    const state = { observation: "agent_state_changed", content: "", extras: { agent_state: "running" } };
    const draft = convert([ask, run(1, "a"), state, ran(undefined, "out a")]);
    expect(outputs(draft)).toEqual([["a", "out a"]]);
    expect(draft.fidelity.dropped).toContainEqual({
      path: "events[*] (observation agent_state_changed)",
      reason: "a state of the framework",
      count: 1,
    });
  });

  it("pairs by kind, first come first served, where observations name no action", () => {
    const read = { source: "agent", action: "read", args: { path: "p" } };
    const seen = { observation: "read", content: "text of p", extras: {} };
    const draft = convert([
      ask,
      run(1, "a"),
      read,
      run(2, "b"),
      seen,
      ran(undefined, "1"),
      ran(undefined, "2"),
    ]);
    expect(outputs(draft)).toEqual([
      ["a", "1"],
      ["read", "text of p"],
      ["b", "2"],
    ]);
  });

  it("makes one agent step of all actions that come from one reply of the model", () => {
    const both = ["c1", "c2"];
    const draft = convert([
      ask,
      run(1, "ignored", from("r1", "c1", both)),
      ran(1, "one"),
      run(3, "ignored", from("r1", "c2", both)),
      ran(undefined, "two", from("r1", "c2", both)),
    ]);
    const [step, ...others] = agentSteps(draft.document);
    expect(others).toEqual([]);
    expect(step?.message).toBe("both at once");
    expect(step?.thought).toBe("hm");
    expect(step?.calls.map((call) => [call.id, call.tool, call.params, call.output])).toEqual([
      ["c1", "execute_bash", { command: "do c1" }, "one"],
      ["c2", "execute_bash", { command: "do c2" }, "two"],
    ]);
    expect(step?.step.metrics).toEqual({ prompt_tokens: 11, completion_tokens: 7, cached_tokens: 3 });
    expect(draft.document.agent.model_name).toBe("some-model");
  });

  it("keeps replies apart that use the same call ids", () => {
    const draft = convert([
      ask,
      run(1, "x", from("r1", "c1", ["c1"])),
      run(2, "x", from("r2", "c1", ["c1"])),
      ran(1, "first"),
      ran(2, "second"),
    ]);
    expect(agentSteps(draft.document).map((step) => step.calls.map((call) => call.output))).toEqual([
      ["first"],
      ["second"],
    ]);
  });

  it("takes a call from the reply beside an error where it never became an action", () => {
    const error = {
      id: 5,
      observation: "error",
      content: "bad arguments",
      extras: {},
      ...from("r1", "c1", ["c1"]),
    };
    const draft = convert([ask, error]);
    expect(outputs(draft)).toEqual([["do c1", "bad arguments"]]);
  });

  it("keeps an observation whose action is not in the log, without inventing a call", () => {
    const draft = convert([ask, run(1, "a"), ran(1, "out"), ran(77, "stray")]);
    const [step] = agentSteps(draft.document);
    expect(step?.calls.map((call) => call.output)).toEqual(["out"]);
    expect(step?.observations).toEqual(["stray"]);
    expect(draft.fidelity.notes).toContain("an observation answers no action of the log");
  });

  it("keeps both results of an action that was answered twice", () => {
    const draft = convert([ask, run(1, "a"), ran(1, "x"), ran(1, "y")]);
    expect(outputs(draft)).toEqual([["a", "x\ny"]]);
    expect(draft.fidelity.notes).toContain("a tool call has more than one result");
  });

  it("reads thoughts out of args, and keeps the framework's own arguments off the call", () => {
    const action = run(1, "a", {
      args: { command: "a", thought: "why", is_confirmed: "confirmed", cwd: null },
    });
    const [step] = agentSteps(convert([ask, action]).document);
    expect(step?.message).toBe("why");
    expect(step?.calls[0]?.params).toEqual({ command: "a" });
    expect(step?.step.tool_calls?.[0]?.extra?.gymline?.native).toEqual({ is_confirmed: "confirmed" });
  });

  it("reads exit codes from metadata, from extras and from the text's last lines", () => {
    const codes = [
      { extras: { metadata: { exit_code: 2 } } },
      { extras: { exit_code: 3 } },
      { extras: {}, content: "x\n[Current working directory: /w]\n[Command finished with exit code 4]" },
      { extras: {}, content: "[The command completed with exit code 5.]\nand then more" },
    ].map((more, index) => [run(index + 1, "a"), ran(index + 1, "out", more)]);
    const steps = agentSteps(convert([ask, ...codes.flat()]).document);
    expect(steps.map((step) => step.calls[0]?.exitCode)).toEqual([2, 3, 4, null]);
  });

  it("marks error observations and the editor's errors", () => {
    const draft = convert([
      ask,
      run(1, "a"),
      { observation: "error", cause: 1, content: "no such tool", extras: {} },
      run(2, "b"),
      { observation: "edit", cause: 2, content: "ERROR:\nnothing replaced", extras: {} },
    ]);
    const facts = draft.document.steps.flatMap(
      (step) => step.observation?.results.map((result) => result.extra?.gymline) ?? [],
    );
    expect(facts).toEqual([{ is_error: true, error: "no such tool" }, { is_error: true }]);
  });

  it("makes the system event a system step and declares its tools", () => {
    const tools = [{ type: "function", function: { name: "execute_bash" } }];
    const system = {
      source: "agent",
      action: "system",
      args: { content: "be good", tools, openhands_version: "0.35.0", agent_class: "CodeActAgent" },
    };
    const { document } = convert([system, ask]);
    expect(document.steps.map((step) => [step.source, step.message])).toEqual([
      ["system", "be good"],
      ["user", "mend it"],
    ]);
    expect(document.agent).toMatchObject({
      name: "openhands",
      version: "0.35.0",
      tool_definitions: tools,
      extra: { agent_class: "CodeActAgent" },
    });
  });

  it("takes the agent's claim for no success, only a test result in the finish event", () => {
    const finish = (args: object) => ({ source: "agent", action: "finish", args });
    const claimed = convert([ask, finish({ task_completed: "true", outputs: { success: true } })]);
    expect(claimed.outcome).toMatchObject({
      success: null,
      exit_status: "finish",
      metadata: { claimed_completed: "true" },
    });
    const tested = convert([
      ask,
      finish({ outputs: { test_result: { success: false, tests_passed: 2, tests_failed: 1 } } }),
    ]);
    expect(tested.outcome).toMatchObject({
      success: false,
      tests_passed: 2,
      tests_failed: 1,
      label_source: "finish.outputs.test_result",
    });
  });

  it("keeps a delegate's steps inline and gives its outputs to the call that sent it", () => {
    const draft = convert([
      ask,
      { id: 1, source: "agent", action: "delegate", args: { agent: "Browser", inputs: { task: "look" } } },
      run(2, "a"),
      ran(2, "inner"),
      { id: 4, source: "agent", action: "finish", args: { outputs: {} } },
      { observation: "delegate", content: "", extras: { outputs: { found: 1 } } },
      run(6, "b"),
    ]);
    expect(outputs(draft)).toEqual([
      ["delegate", '{"found":1}'],
      ["a", "inner"],
      ["finish", null],
      ["b", null],
    ]);
    expect(draft.document.steps.map((step) => step.extra?.gymline?.native?.["delegate"])).toEqual([
      undefined,
      undefined,
      "Browser",
      "Browser",
      undefined,
    ]);
    expect(draft.outcome.exit_status).toBeUndefined();
  });

  it("does not take what the user did in the workspace for the agent's action", () => {
    const { document } = convert([
      ask,
      { id: 1, source: "user", action: "run", args: { command: "ls" } },
      { observation: "run", content: "a b", extras: {}, cause: 1 },
      { source: "agent", action: "message", args: { content: "ok" } },
    ]);
    expect(document.steps.map((step) => [step.source, step.observation?.results[0]?.content])).toEqual([
      ["user", undefined],
      ["user", "a b"],
      ["agent", undefined],
    ]);
  });

  it("reads flat events of old releases, where messages alternate", () => {
    const { document } = convert([
      { action: "message", content: "hello", wait_for_response: false },
      { action: "message", content: "what now?", wait_for_response: true },
      { action: "message", content: "go on", wait_for_response: false },
      { action: "run", command: "ls", thought: "look", keep_prompt: true },
      { observation: "run", content: "a", command: "ls", exit_code: 1 },
    ]);
    expect(document.steps.map((step) => step.source)).toEqual(["user", "agent", "user", "agent"]);
    const [call] = agentSteps(document)[1]?.calls ?? [];
    expect(call).toMatchObject({ tool: "run", params: { command: "ls" }, output: "a", exitCode: 1 });
  });

  it("pairs by position in a history of pairs", () => {
    const pair = (command: string, output: string) => [
      { action: "run", source: "agent", args: { command, thought: "" } },
      { observation: "run", content: output, extras: {} },
    ];
    const nothing = { observation: "null", content: "", extras: {} };
    const value = [[{ ...ask, id: undefined }, nothing], pair("a", "1"), pair("b", "2")];
    expect(openhands.detect(value)).toMatchObject({ match: true });
    expect(outputs(convert(value))).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
  });

  it("says so where the context was condensed", () => {
    const condensation = { action: "condensation", source: "agent", args: { forgotten_event_ids: [1] } };
    expect(convert([ask, condensation]).fidelity.notes).toEqual([
      "the context was condensed: later replies were given without all earlier steps",
    ]);
  });

  it("calls MCP tools by the names that the model used", () => {
    const action = {
      source: "agent",
      action: "call_tool_mcp",
      args: { name: "fetch", arguments: { url: "u" } },
    };
    const [call] = agentSteps(convert([ask, action]).document)[0]?.calls ?? [];
    expect(call).toMatchObject({ tool: "fetch", params: { url: "u" } });
  });
});

describe("OpenHands on hostile input", () => {
  it("never fails with anything but a ConversionError", () => {
    const base = [
      ask,
      run(1, "x", from("r", "c1", ["c1", "c2"])),
      ran(1, "y"),
      { action: "finish", args: {} },
    ];
    const rows = [
      base,
      {
        history: base,
        instance_id: "i",
        test_result: { report: { resolved: true } },
        metadata: {},
        metrics: {},
      },
      { messages: [{ role: "system", content: "You are OpenHands agent" }], tools: "[]", resolved: "True" },
      { content: [{ class_: "text_observation", content: "c", source: "user" }], details: { feedback: "f" } },
    ];
    const paths = rows.flatMap((row) => [...pathsOf(row)].map((path) => ({ row, path })));
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue(), ({ row, path }, junk) => {
        const value = replaced(row, path, junk);
        try {
          openhands.isPart?.(value);
          const detection = openhands.detect(value);
          const variant = detection.match ? detection.variant : "forced";
          for (const draft of openhands.convert({ value, variant, stem: "s" })) {
            const document = { schema_version: ATIF_VERSION, ...draft.document };
            expect(atifSchema.safeParse(document).error).toBeUndefined();
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ConversionError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("is total for keys that objects inherit", () => {
    const value = JSON.parse('[{"action":"constructor","args":{"__proto__":{"x":1},"toString":1}}]');
    expect(agentSteps(convert(value).document)[0]?.calls[0]?.tool).toBe("constructor");
    expect(Object.hasOwn(Object.prototype, "x")).toBe(false);
  });
});

function* pathsOf(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) yield* pathsOf(inner, [...path, key]);
}

function replaced(value: unknown, path: readonly string[], junk: unknown): unknown {
  const [key, ...others] = path;
  if (key === undefined) return junk;
  if (Array.isArray(value)) {
    return value.map((item, index) => (String(index) === key ? replaced(item, others, junk) : item));
  }
  const entries = Object.entries(value as object);
  return Object.fromEntries(
    entries.map(([name, inner]) => [name, name === key ? replaced(inner, others, junk) : inner]),
  );
}
