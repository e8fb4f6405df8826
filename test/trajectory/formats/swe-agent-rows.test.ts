import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConversionError } from "../../../shared/trajectory/format.ts";
import { sweAgent } from "../../../shared/trajectory/formats/swe-agent.ts";
import { misfits, places, replaced } from "./json-mutations.ts";
import { agentOf, convert, convertAll, nativeRun, textRun, variantOf } from "./swe-agent-samples.ts";

describe("rows of data sets made with SWE-agent", () => {
  const xml =
    "I edit.\n<function=str_replace_editor>\n<parameter=command>create</parameter>\n<parameter=file_text>\na\nb\n</parameter>\n</function>";
  const messages = [
    { role: "system", content: "s" },
    { role: "user", content: "<pr_description>\nSlow clock\n</pr_description>" },
    { role: "assistant", content: xml },
    { role: "user", content: "OBSERVATION:\nok" },
    { role: "assistant", content: "no command here" },
    { role: "user", content: "please give a command" },
  ];
  const row = { instance_id: "i1", messages, resolved: false, model: "m", traj_id: "i1.x", patch: "diff" };

  it("reads function XML, labels and the problem statement, also from messages in JSON text", () => {
    for (const value of [row, { ...row, messages: JSON.stringify(messages) }]) {
      const draft = convert(value);
      expect(agentOf(draft)[0]?.tool_calls?.[0]).toMatchObject({
        function_name: "str_replace_editor",
        arguments: { command: "create", file_text: "a\nb" },
      });
      expect(draft.outcome).toEqual({
        success: false,
        label_source: "resolved",
        metadata: { patch: "diff" },
      });
      expect(draft.task).toEqual({ id: "i1", description: "Slow clock" });
      expect(draft.session).toBe("i1.x");
    }
  });

  it("takes the user's answer to a message without a command for a message", () => {
    const steps = convert(row).document.steps;
    expect(steps.map((step) => step.source)).toEqual(["system", "user", "agent", "agent", "user"]);
  });

  it("reads role-and-text rows, their target and their mask", () => {
    const line = (role: string, text: string | null, mask: boolean, system_prompt: string | null = null) => ({
      role,
      text,
      mask,
      system_prompt,
    });
    const value = {
      instance_id: "i2",
      model_name: "m",
      target: true,
      exit_status: "submitted",
      generated_patch: "diff",
      eval_logs: "1 passed",
      trajectory: [
        line("system", null, false, "prompt"),
        line("user", "fix", false),
        line("ai", "a\n```bash\necho 1\n```\nb\n```\nopen x.py 3\n```", true),
        line("user", "ok", false),
        line("ai", "b\n```\nsubmit\n```", false),
      ],
    };
    const draft = convert(value);
    expect(draft.document.steps[0]?.message).toBe("prompt");
    expect(agentOf(draft).map((step) => step.tool_calls?.[0]?.arguments["command"])).toEqual([
      "open x.py 3",
      "submit",
    ]);
    expect(agentOf(draft).map((step) => step.extra?.gymline?.trainable)).toEqual([undefined, false]);
    expect(draft.outcome).toEqual({
      success: true,
      label_source: "target",
      exit_status: "submitted",
      metadata: { patch: "diff", eval_logs: "1 passed" },
    });
  });

  it("reads action pairs with named arguments and keeps the thought out of them", () => {
    const draft = convert({
      problem_statement: "Slow clock",
      history: [[{ action: "open", path: "a.py", thought: "look" }, "text"], ["ls -l", null], ["only one"]],
      info: { instance_id: "p1", exit_status: "submitted" },
    });
    const [open, list] = agentOf(draft);
    expect(open?.message).toBe("look");
    expect(open?.tool_calls?.[0]).toMatchObject({ function_name: "open", arguments: { path: "a.py" } });
    expect(list?.tool_calls?.[0]).toMatchObject({ function_name: "bash", arguments: { command: "ls -l" } });
    expect(list?.observation).toBeUndefined();
    expect(draft.outcome.success).toBeNull();
    expect(draft.fidelity.dropped).toContainEqual({
      path: "$.history[*]",
      reason: "not a pair of action and observation",
      count: 1,
    });
  });
});

describe("recognition of SWE-agent logs", () => {
  it("names the variant", () => {
    expect(variantOf(textRun())).toBe("0.x text");
    expect(variantOf(nativeRun())).toBe("1.x tool calls");
    expect(variantOf({ ...nativeRun(), history: [] })).toBe("1.x text");
    expect(variantOf(textRun().history)).toBe("history list");
  });

  it("leaves the rows and events of other agents alone", () => {
    const messages = [
      { role: "user", content: "hello" },
      { role: "assistant", content: "hi" },
    ];
    expect(variantOf(messages)).toBeUndefined();
    expect(variantOf({ messages })).toBeUndefined();
    expect(variantOf({ instance_id: "a", messages })).toBeUndefined();
    const marked = [...messages, { role: "user", content: "OBSERVATION:\nx" }];
    expect(variantOf({ instance_id: "a", messages: marked })).toBe("row of messages");
    expect(variantOf({ instance_id: "a", run_id: "r", test_result: {}, messages: marked })).toBeUndefined();
    const event = { action: "run", args: { command: "ls" }, source: "agent" };
    expect(variantOf({ history: [[event, { observation: "run", content: "" }]], info: {} })).toBeUndefined();
  });

  it("says what is missing without quoting content", () => {
    const detection = sweAgent.detect({ history: [{ secret: "s3cr3t" }], info: {} });
    expect(detection).toMatchObject({ match: false });
    expect(JSON.stringify(detection)).not.toContain("s3cr3t");
  });
});

describe("malformed SWE-agent logs", () => {
  const seeds = [
    textRun(),
    nativeRun(),
    { attempts: [textRun()], info: {} },
    {
      instance_id: "i",
      traj_id: "t",
      patch: "p",
      messages: [
        { role: "user", content: "OBSERVATION:\n" },
        { role: "assistant", content: "<function=a>\n<parameter=b>" },
      ],
    },
    {
      instance_id: "i",
      target: true,
      trajectory: [{ role: "ai", text: "```\nls\n```", mask: true, system_prompt: null }],
    },
    { history: [["ls", "x"]], info: {} },
  ];

  it("end in a valid document or a ConversionError, whatever stands in a field", () => {
    const cases = seeds.flatMap((seed) => places(seed).map((path) => ({ seed, path })));
    fc.assert(
      fc.property(fc.constantFrom(...cases), misfits, ({ seed, path }, by) => {
        const value = replaced(seed, path, by);
        try {
          convertAll(value);
        } catch (error) {
          expect(error).toBeInstanceOf(ConversionError);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it("are no match and no crash where they are any JSON value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(sweAgent.detect(value)).toMatchObject({ match: false });
        expect(() => convertAll(value)).toThrow(ConversionError);
      }),
    );
  });
});
