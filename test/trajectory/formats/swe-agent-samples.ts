import type { Draft } from "../../../shared/trajectory/draft.ts";
import { sweAgent } from "../../../shared/trajectory/formats/swe-agent.ts";
import { ATIF_VERSION, atifSchema } from "../../../shared/trajectory/schema.ts";

export function convertAll(value: unknown, stem = "run"): readonly Draft[] {
  const detection = sweAgent.detect(value);
  const drafts = sweAgent.convert({
    value,
    variant: detection.match ? detection.variant : "forced",
    stem,
  });
  for (const draft of drafts) atifSchema.parse({ schema_version: ATIF_VERSION, ...draft.document });
  return drafts;
}

export function convert(value: unknown, stem = "run"): Draft {
  const [draft] = convertAll(value, stem);
  if (draft === undefined) throw new Error("no trajectory");
  return draft;
}

export const agentOf = (draft: Draft) => draft.document.steps.filter((step) => step.source === "agent");
export const variantOf = (value: unknown) => {
  const detection = sweAgent.detect(value);
  return detection.match ? detection.variant : undefined;
};

export const system = { role: "system", content: "Use one command at a time.", agent: "primary" };
export const task = {
  role: "user",
  content: "ISSUE:\nThe clock is slow.\n\nINSTRUCTIONS:\nRepair it.",
  agent: "primary",
};

export function textRun() {
  return {
    environment: "main",
    trajectory: [
      {
        action: "ls src\n",
        observation: "clock.py",
        response: "Look first.\n```\nls src\n```",
        state: '{"open_file": "n/a"}',
        thought: "Look first.\n",
        execution_time: 0.5,
      },
      {
        action: "edit 3:4\nslow = False\nend_of_edit\n",
        observation: "edited, all of it",
        response: "Now edit.\n```\nedit 3:4\nslow = False\nend_of_edit\n```",
        state: '{"open_file": "clock.py"}',
        thought: "Now edit.\n",
      },
      {
        action: "submit\n",
        observation: "",
        response: "Done.\n```\nsubmit\n```",
        state: "{}",
        thought: "Done.\n",
      },
    ],
    history: [
      system,
      task,
      {
        role: "assistant",
        content: "Look first.\n```\nls src\n```",
        thought: "Look first.\n",
        action: "ls src\n",
        agent: "primary",
      },
      { role: "user", content: "clock.py\n(Current directory: /)\nbash-$", agent: "primary" },
      {
        role: "assistant",
        content: "Now edit.\n```\nedit 3:4\nslow = False\nend_of_edit\n```",
        thought: "Now edit.\n",
        action: "edit 3:4\nslow = False\nend_of_edit\n",
        agent: "primary",
      },
      { role: "user", content: "Old environment output: (7 lines omitted)", agent: "primary" },
      {
        role: "assistant",
        content: "Done.\n```\nsubmit\n```",
        thought: "Done.\n",
        action: "submit\n",
        agent: "primary",
      },
    ],
    info: {
      exit_status: "submitted",
      submission: "diff --git a/clock.py b/clock.py\n",
      model_stats: { instance_cost: 0.25, tokens_sent: 900, tokens_received: 80, api_calls: 3 },
    },
  };
}

export function nativeRun() {
  const call = (id: string, name: string, args: unknown) => ({
    id,
    type: "function",
    function: { name, arguments: JSON.stringify(args) },
  });
  return {
    environment: "main",
    trajectory: [
      {
        action: "ls",
        observation: "a",
        response: "Look.",
        thought: "Look.",
        state: {},
        execution_time: 1,
        query: [{}],
      },
      { action: "oops", observation: "", response: "Not the right form.", thought: "", state: {} },
      { action: "submit", observation: "patch", response: "Send.", thought: "Send.", state: {} },
    ],
    history: [
      { ...system, message_type: "system_prompt" },
      { ...task, message_type: "observation" },
      {
        role: "assistant",
        content: "Look.",
        thought: "Look.",
        action: "ls",
        agent: "main",
        message_type: "action",
        tool_calls: [call("c1", "bash", { command: "ls" })],
        thinking_blocks: [{ type: "thinking", thinking: "Where am I?", signature: "c2lnbmVk" }],
      },
      {
        role: "tool",
        content: [{ type: "text", text: "a" }],
        agent: "main",
        tool_call_ids: ["c1"],
        message_type: "observation",
      },
    ],
    info: { exit_status: "exit_cost", submission: null, swe_agent_version: "1.1.0" },
    replay_config: JSON.stringify({
      agent: { model: { name: "some-model", temperature: 0, api_key: "not-for-the-log" } },
      env: { repo: { github_url: "https://git.example/clock", base_commit: "abc123" } },
      problem_statement: { id: "clock__clock-7", text: "The clock is slow." },
    }),
  };
}
