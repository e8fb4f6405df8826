import { describe, expect, it } from "vitest";
import { agentSteps } from "../../../shared/trajectory/agent-steps.ts";
import type { Draft } from "../../../shared/trajectory/draft.ts";
import { openhands } from "../../../shared/trajectory/formats/openhands.ts";
import { ATIF_VERSION, atifSchema } from "../../../shared/trajectory/schema.ts";

function convert(value: unknown): Draft {
  const detection = openhands.detect(value);
  if (!detection.match) throw new Error(`not detected: ${detection.missing.join(", ")}`);
  const [draft] = openhands.convert({ value, variant: detection.variant, stem: "log" });
  if (draft === undefined) throw new Error("no draft");
  expect(atifSchema.safeParse({ schema_version: ATIF_VERSION, ...draft.document }).error).toBeUndefined();
  return draft;
}

const events = [
  { id: 0, source: "user", action: "message", args: { content: "mend it" } },
  { id: 1, source: "agent", action: "run", args: { command: "ls" } },
  { id: 2, source: "agent", observation: "run", cause: 1, content: "a", extras: {} },
];

describe("OpenHands evaluation rows", () => {
  const row = {
    instance_id: "org__repo-1",
    instruction: "mend it",
    instance: { repo: "org/repo", base_commit: "abc", problem_statement: "it is broken", version: "1.0" },
    metadata: {
      agent_class: "CodeActAgent",
      max_iterations: 9,
      llm_config: { model: "m", api_key: "k", top_p: 1 },
    },
    history: events,
    metrics: { accumulated_cost: 0.5, accumulated_token_usage: { prompt_tokens: 10, completion_tokens: 4 } },
    test_result: { git_patch: "diff", report: { resolved: false, empty_generation: false } },
    error: null,
  };

  it("carry the task, the model, the totals and the tests' verdict", () => {
    const draft = convert(row);
    expect(draft.task).toEqual({
      id: "org__repo-1",
      description: "it is broken",
      repo: "org/repo",
      base_commit: "abc",
      metadata: { version: "1.0" },
    });
    expect(draft.outcome).toEqual({
      success: false,
      label_source: "test_result.report.resolved",
      metadata: { git_patch: "diff", report: { empty_generation: false } },
    });
    expect(draft.document.agent).toMatchObject({ model_name: "m", extra: { agent_class: "CodeActAgent" } });
    expect(draft.document.final_metrics).toEqual({
      total_cost_usd: 0.5,
      total_prompt_tokens: 10,
      total_completion_tokens: 4,
    });
    expect(JSON.stringify(draft.metadata)).not.toContain("api_key");
  });

  it("prefer the row's own verdict and read it as a word too", () => {
    expect(convert({ ...row, resolved: "True" }).outcome).toMatchObject({
      success: true,
      label_source: "resolved",
    });
    expect(convert({ ...row, test_result: {} }).outcome.success).toBeNull();
  });

  it("stand above a test result that the stream itself holds", () => {
    const finish = { action: "finish", args: { outputs: { test_result: { success: true } } } };
    expect(convert({ ...row, history: [...events, finish] }).outcome.success).toBe(false);
  });

  it("count the tests of a SWE-bench report", () => {
    const report = {
      resolved: false,
      tests_status: {
        FAIL_TO_PASS: { success: ["a"], failure: ["b"] },
        PASS_TO_PASS: { success: ["c"], failure: [] },
      },
    };
    expect(convert({ ...row, report }).outcome).toMatchObject({
      tests_passed: 2,
      tests_failed: 1,
      tests_total: 3,
      label_source: "report.resolved",
    });
  });

  it("tell a run that ended with an error from one that finished", () => {
    expect(convert({ ...row, error: "maximum iteration" }).outcome).toMatchObject({
      exit_status: "error",
      metadata: { error: "maximum iteration" },
    });
  });

  it("of the resolver say that a model gave the verdict", () => {
    const resolved = {
      issue: { owner: "o", repo: "r", number: 5, title: "Title", body: "Body" },
      instruction: "please",
      git_patch: "diff",
      metrics: {},
      history: events,
      success: true,
      success_explanation: "it seems so",
    };
    const { task, outcome } = convert(resolved);
    expect(task).toMatchObject({ id: "o/r#5", description: "Title\n\nBody", repo: "o/r" });
    expect(outcome).toMatchObject({
      success: true,
      label_source: "success (a model's verdict)",
      metadata: { success_explanation: "it seems so" },
    });
  });

  it("without any event are refused by name", () => {
    expect(() => convert({ ...row, history: [] })).toThrow("no message, action or observation");
  });
});

describe("OpenHands feedback", () => {
  it("is kept as a person's opinion, not as success, and without the person's data", () => {
    const draft = convert({
      version: "1.0",
      feedback: "positive",
      polarity: "positive",
      email: "someone@example.org",
      token: "t",
      trajectory: events,
    });
    expect(draft.outcome).toEqual({
      success: null,
      feedback: "positive",
      label_source: "feedback",
      metadata: { feedback_polarity: "positive" },
    });
    expect(JSON.stringify(draft)).not.toContain("someone@example.org");
    expect(draft.fidelity.dropped.map((entry) => entry.path)).toContain("$.email");
  });
});

describe("OpenHands chat rows", () => {
  const tools = [{ type: "function", function: { name: "execute_bash", parameters: {} } }];
  const call = (id: string, command: string) => ({
    id,
    type: "function",
    function: { name: "execute_bash", arguments: JSON.stringify({ command }) },
  });

  it("pair tool messages by id and take model and verdict from the row", () => {
    const draft = convert({
      instance_id: "i",
      run_id: "gpt-x_maxiter_30_N_v2.1-run_1",
      resolved: true,
      tools,
      messages: [
        { role: "system", content: "help" },
        { role: "user", content: "mend it" },
        { role: "assistant", content: "", tool_calls: [call("1", "a"), call("2", "b")] },
        {
          role: "tool",
          tool_call_id: "2",
          name: "execute_bash",
          content: "b\n[Command finished with exit code 1]",
        },
        { role: "tool", tool_call_id: "1", name: "execute_bash", content: "OBSERVATION:\nERROR:\nno" },
      ],
    });
    expect(agentSteps(draft.document)[0]?.calls.map((one) => [one.params, one.output, one.exitCode])).toEqual(
      [
        [{ command: "a" }, "OBSERVATION:\nERROR:\nno", 1],
        [{ command: "b" }, "b\n[Command finished with exit code 1]", 1],
      ],
    );
    expect(draft.document.agent).toMatchObject({ model_name: "gpt-x", tool_definitions: tools });
    expect(draft.outcome).toMatchObject({ success: true, label_source: "resolved" });
  });

  it("in text mode keep the message whole, read the call out of it and take the next message for its result", () => {
    const reply =
      "Let me look.\n<function=run_it>\n<parameter=code>\n  a\n</parameter>\n<parameter=n>1</parameter>\n";
    const draft = convert({
      messages: [
        { role: "system", content: "You are OpenHands agent, …" },
        { role: "user", content: "mend it" },
        { role: "assistant", content: `${reply}</function>` },
        { role: "user", content: "EXECUTION RESULT of [run_it]:\nfine" },
        { role: "assistant", content: reply },
        { role: "user", content: "go on" },
        { role: "assistant", content: "all done" },
      ],
    });
    const steps = agentSteps(draft.document);
    expect(steps.map((step) => step.message)).toEqual([`${reply}</function>`, reply, "all done"]);
    expect(
      steps.map((step) => step.calls.map((one) => [one.tool, one.params, one.output, one.from])),
    ).toEqual([
      [["run_it", { code: "  a", n: "1" }, "EXECUTION RESULT of [run_it]:\nfine", "text"]],
      [["run_it", { code: "  a", n: "1" }, null, "text"]],
      [],
    ]);
    expect(draft.document.steps[2]?.observation?.results[0]?.extra?.gymline?.role).toBe("user");
    expect(draft.document.steps.filter((step) => step.source === "user")).toHaveLength(2);
  });

  it("find the task behind the worked example of text mode", () => {
    const line = (words: string) => `--------------------- ${words} ---------------------`;
    const content = `example\n${line("NEW TASK DESCRIPTION")}\nmend it\n${line("END OF NEW TASK DESCRIPTION")}\nstrictly`;
    const draft = convert({
      messages: [
        { role: "system", content: "You are OpenHands agent" },
        { role: "user", content },
      ],
    });
    expect(draft.task.description).toBe("mend it");
    expect(draft.document.steps[1]?.message).toBe(content);
  });
});

describe("OpenHands rows of the Agent Data Protocol", () => {
  it("answer calls in their order and tell results from the user's messages", () => {
    const draft = convert({
      id: "task-1",
      details: {
        run_id: "m_maxiter_3_N_v1",
        resolved: "False",
        tools: '[{"function":{"name":"execute_bash"}}]',
      },
      content: [
        { class_: "text_observation", source: "system", content: "help" },
        { class_: "text_observation", source: "user", content: "mend it" },
        { function: "view", kwargs: { path: "a" }, description: "look" },
        { language: "bash", content: "ls", description: null },
        { class_: "text_observation", source: "user", content: "[view] OBSERVATION:\nERROR:\nno" },
        { class_: "text_observation", source: "user", content: "[execute_bash] OBSERVATION:\nb" },
        { content: "done?", description: null },
        { class_: "text_observation", source: "user", content: "go on" },
        { function: "finish", kwargs: {}, description: null },
      ],
    });
    expect(
      agentSteps(draft.document).map((step) => [step.message, step.calls[0]?.tool, step.calls[0]?.output]),
    ).toEqual([
      ["look", "view", "[view] OBSERVATION:\nERROR:\nno"],
      ["", "execute_bash", "[execute_bash] OBSERVATION:\nb"],
      ["done?", undefined, undefined],
      ["", "finish", null],
    ]);
    expect(draft.outcome).toMatchObject({ success: false, label_source: "details.resolved" });
    expect(draft.task).toMatchObject({ id: "task-1", description: "mend it" });
  });
});

describe("detection of OpenHands logs", () => {
  it("takes one event for a part of a trajectory and a row for a whole", () => {
    expect(openhands.isPart?.(events[1])).toBe(true);
    expect(openhands.isPart?.([events[1], events[2]])).toBe(true);
    expect(openhands.isPart?.({ history: events, instance_id: "i" })).toBe(false);
    expect(openhands.isPart?.({ role: "user", content: "hi" })).toBe(false);
  });

  it.each([
    [
      "a step with both action and observation",
      { trajectory: [{ action: "ls", observation: "a", thought: "t" }] },
    ],
    ["chat messages", [{ role: "user", content: "hi" }]],
    ["a chat row of nobody in particular", { messages: [{ role: "system", content: "help" }] }],
    [
      "a logged completion of an OpenHands model",
      {
        messages: [{ role: "system", content: "You are OpenHands agent" }],
        response: {},
      },
    ],
    ["events of OpenHands 1.x", [{ kind: "ActionEvent", source: "agent", action: { command: "ls" } }]],
    ["nothing", null],
    ["a number", 5],
    ["an empty list", []],
  ])("leaves %s to others", (_, value) => {
    expect(openhands.detect(value).match).toBe(false);
  });

  it("says what a near miss lacks", () => {
    const detection = openhands.detect([{ action: "ls -la /", source: "agent" }]);
    expect(detection).toMatchObject({ match: false, near: 0.5 });
    expect(detection.match ? [] : detection.missing.join()).toContain("`args`");
  });
});
