import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { agentSteps } from "../../../shared/trajectory/agent-steps.ts";
import { openhands } from "../../../shared/trajectory/formats/openhands.ts";

const GOLDEN = join(import.meta.dirname, "../../../../shared/reference/golden/recorder_openhands.json");
const present = existsSync(GOLDEN);

interface GoldenCase {
  readonly name: string;
  readonly input: { readonly text: string };
  readonly expected: {
    readonly parse: {
      readonly task: { readonly task_id: string; readonly description: string };
      readonly model: string;
      readonly steps: readonly {
        readonly thought: string;
        readonly tool_call: { readonly parameters: unknown };
        readonly tool_result: {
          readonly output: string;
          readonly exit_code: number;
          readonly error: string | null;
        };
      }[];
      readonly outcome: {
        readonly success: boolean;
        readonly tests_passed: number;
        readonly total_tokens: number;
      };
    };
  };
  readonly reference_defect?: string;
}

/** What is left out here is marked as a defect, raises an error, or is no OpenHands log. */
const SKIPPED = new Set(["no_marker_field", "extras_null", "later_line_bad_json"]);

const cases = present
  ? (JSON.parse(readFileSync(GOLDEN, "utf8")) as GoldenCase[]).filter(
      (one) => one.reference_defect === undefined && !SKIPPED.has(one.name),
    )
  : [];

describe.skipIf(!present)(
  "OpenHands logs of knowlyr-gym (skipped where ../shared/reference is absent)",
  () => {
    it.each(cases)("$name keeps task, model, steps and outputs", ({ input, expected }) => {
      const lines = input.text.split("\n").filter((line) => line.trim() !== "");
      const value = lines.map((line) => JSON.parse(line) as unknown);
      expect(openhands.detect(value).match).toBe(true);
      const [draft] = openhands.convert({ value, variant: "events", stem: "log" });
      if (draft === undefined) throw new Error("no draft");
      const { task, model, steps, outcome } = expected.parse;
      expect(draft.task.id ?? "").toBe(task.task_id);
      expect(draft.task.description ?? "").toBe(task.description);
      expect(draft.document.agent.model_name ?? "").toBe(model);
      const calls = agentSteps(draft.document).flatMap((step) =>
        step.calls.filter((call) => call.tool !== "finish").map((call) => ({ step, call })),
      );
      expect(
        calls.map(({ step, call }) => ({
          thought: step.thought,
          parameters: call.params,
          output: call.output,
          exit_code: call.exitCode ?? 0,
          error: call.error,
        })),
      ).toEqual(
        steps.map((step) => ({
          thought: step.thought,
          parameters: step.tool_call.parameters,
          output: step.tool_result.output,
          exit_code: step.tool_result.exit_code,
          error: step.tool_result.error,
        })),
      );
      const tokens = agentSteps(draft.document).map((step) =>
        Number(step.step.metrics?.extra?.["token_count"] ?? 0),
      );
      expect(tokens.reduce((sum, count) => sum + count, 0)).toBe(outcome.total_tokens);
      // Success only where a test result says so: text that contains "passed" is no label.
      const labelled = input.text.includes("test_result");
      expect(draft.outcome.success).toBe(labelled ? outcome.success : null);
      if (labelled) expect(draft.outcome.tests_passed).toBe(outcome.tests_passed);
    });
  },
);
