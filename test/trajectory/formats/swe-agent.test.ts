import { describe, expect, it } from "vitest";
import { agentOf, convert, convertAll, nativeRun, system, task, textRun } from "./swe-agent-samples.ts";

describe("a SWE-agent run in text mode", () => {
  it("keeps each message as written and adds the parsed command as a call from the text", () => {
    const draft = convert(textRun());
    const [first, second] = agentOf(draft);
    expect(first?.message).toBe("Look first.\n```\nls src\n```");
    expect(first?.tool_calls).toEqual([
      {
        tool_call_id: "call_3_1",
        function_name: "bash",
        arguments: { command: "ls src" },
        extra: { gymline: { from: "text" } },
      },
    ]);
    expect(second?.tool_calls?.[0]?.function_name).toBe("edit");
    expect(second?.tool_calls?.[0]?.arguments).toEqual({ command: "edit 3:4\nslow = False\nend_of_edit" });
    expect(first?.extra?.gymline?.thought).toBe("Look first.\n");
    expect(first?.observation?.results).toEqual([
      {
        source_call_id: "call_3_1",
        content: "clock.py\n(Current directory: /)\nbash-$",
        extra: { gymline: { role: "user", native: { execution_time: 0.5 } } },
      },
    ]);
  });

  it("takes an elided observation from the trajectory list, and the last one the history does not have", () => {
    const [, second, third] = agentOf(convert(textRun()));
    expect(second?.observation?.results[0]?.content).toBe("edited, all of it");
    expect(third?.observation?.results[0]?.content).toBe("");
  });

  it("reads the task, the totals and the patch, and takes a submission for no success", () => {
    const draft = convert(textRun(), "clock__clock-12");
    expect(draft.task).toEqual({ id: "clock__clock-12", description: "The clock is slow." });
    expect(draft.outcome).toEqual({
      success: null,
      exit_status: "submitted",
      metadata: { patch: "diff --git a/clock.py b/clock.py\n" },
    });
    expect(draft.document.final_metrics).toEqual({
      total_prompt_tokens: 900,
      total_completion_tokens: 80,
      total_cost_usd: 0.25,
      extra: { api_calls: 3 },
    });
    expect(convert(textRun(), "messages").task.id).toBeUndefined();
  });

  it("leaves demonstrations out of the run and out of training", () => {
    const run = textRun();
    const demo = [
      { role: "user", content: "an older task", is_demo: true, agent: "primary" },
      { role: "assistant", content: "x\n```\nls\n```", action: "ls", is_demo: true, agent: "primary" },
    ];
    const draft = convert({ ...run, history: [system, ...demo, ...run.history.slice(1)] });
    const demos = draft.document.steps.filter((step) => step.is_copied_context === true);
    expect(demos.map((step) => step.extra?.gymline?.trainable)).toEqual([false, false]);
    expect(draft.task.description).toBe("The clock is slow.");
    const only = convert({ history: demo });
    expect(only.document.steps.map((step) => step.is_copied_context)).toEqual([undefined, undefined]);
    expect(only.document.steps.map((step) => step.extra?.gymline?.trainable)).toEqual([false, false]);
  });

  it("builds the messages from the trajectory list where there is no history", () => {
    const { history, ...rest } = textRun();
    const draft = convert(rest);
    expect(history.length).toBe(7);
    expect(agentOf(draft).map((step) => step.tool_calls?.[0]?.function_name)).toEqual([
      "bash",
      "edit",
      "submit",
    ]);
    expect(agentOf(draft)[0]?.observation?.results[0]?.content).toBe("clock.py");
  });

  it("marks the framework's own last message as no model call", () => {
    const run = textRun();
    const exit = {
      role: "assistant",
      content: "Exit due to cost limit",
      action: "",
      thought: "Exit due to cost limit",
      agent: "primary",
    };
    const last = agentOf(convert({ ...run, history: [...run.history, exit] })).at(-1);
    expect([last?.llm_call_count, last?.extra?.gymline?.trainable, last?.tool_calls]).toEqual([
      0,
      false,
      undefined,
    ]);
  });
});

describe("a SWE-agent run with tool calls", () => {
  it("keeps native calls, pairs results by id and takes reasoning and signature from the thinking blocks", () => {
    const draft = convert(nativeRun());
    const [first] = agentOf(draft);
    expect(draft.variant).toBe("1.x tool calls");
    expect(first?.tool_calls).toEqual([
      { tool_call_id: "c1", function_name: "bash", arguments: { command: "ls" } },
    ]);
    expect(first?.observation?.results[0]).toMatchObject({ source_call_id: "c1", content: "a" });
    expect(first?.reasoning_content).toBe("Where am I?");
    expect(first?.extra?.gymline?.signatures).toEqual([
      { kind: "thinking", value: "c2lnbmVk", covers: "reasoning_content" },
    ]);
  });

  it("adds the last steps that only the trajectory list has", () => {
    const last = agentOf(convert(nativeRun())).at(-1);
    expect(last?.message).toBe("Send.");
    expect(last?.tool_calls?.map((call) => [call.function_name, call.arguments])).toEqual([["submit", {}]]);
    expect(last?.observation?.results[0]?.content).toBe("patch");
  });

  it("reports attempts between two messages that the history does not hold", () => {
    const run = nativeRun();
    const call = { id: "c2", function: { name: "submit", arguments: "{}" } };
    const sent = { role: "assistant", content: "Send.", action: "submit", agent: "main", tool_calls: [call] };
    const draft = convert({ ...run, history: [...run.history, sent] });
    expect(agentOf(draft).map((step) => step.message)).toEqual(["Look.", "Send."]);
    expect(draft.fidelity.dropped).toContainEqual({
      path: "$.trajectory[*]",
      reason: "an attempt that the history does not hold: the model was asked again",
      count: 1,
    });
  });

  it("reads settings out of a replay_config in JSON text, without the key for the model", () => {
    const draft = convert(nativeRun());
    expect(draft.task).toEqual({
      id: "clock__clock-7",
      description: "The clock is slow.",
      repo: "https://git.example/clock",
      base_commit: "abc123",
    });
    expect(draft.document.agent).toMatchObject({ version: "1.1.0", model_name: "some-model" });
    expect(JSON.stringify(draft)).not.toContain("not-for-the-log");
  });

  it("keeps a late, a second and an orphan result", () => {
    const run = nativeRun();
    const tool = (id: string, content: string) => ({
      role: "tool",
      content,
      agent: "main",
      tool_call_ids: [id],
    });
    const [prompt, request, answer] = run.history;
    const history = [
      prompt,
      request,
      answer,
      task,
      tool("c1", "late"),
      tool("c1", "again"),
      tool("c9", "lost"),
    ];
    const results = agentOf(convert({ ...run, trajectory: [], history }))[0]?.observation?.results;
    expect(results?.map((result) => [result.content, result.source_call_id])).toEqual([
      ["late", "c1"],
      ["again", "c1"],
      ["lost", undefined],
    ]);
    expect(results?.[2]?.extra?.gymline?.orphan_call_id).toBe("c9");
  });

  it("gives each attempt of a retry run a trajectory of its own", () => {
    const attempt = nativeRun();
    const run = {
      attempts: [attempt, textRun(), {}],
      ...attempt,
      info: { ...attempt.info, best_attempt_idx: 1 },
    };
    const drafts = convertAll(run);
    expect(drafts.map((draft) => draft.metadata?.["best_attempt"])).toEqual([false, true]);
    expect(drafts.map((draft) => draft.variant)).toEqual(["attempts", "attempts"]);
  });
});
