import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readAnswer } from "../../shared/inference/answer-text.ts";

const GOLDEN = join(import.meta.dirname, "../../../shared/reference/golden/trainer_parse.json");
const found = existsSync(GOLDEN);

const schema = z.array(
  z.object({
    name: z.string(),
    input: z.record(z.string(), z.unknown()),
    expected: z.unknown(),
    reference_function: z.string(),
    reference_defect: z.string().optional(),
  }),
);
const cases = found ? schema.parse(JSON.parse(readFileSync(GOLDEN, "utf8"))) : [];
const action = (text: string) =>
  readAnswer(text, { syntax: "action", tools: [], cut: false, thinking: false });

describe.skipIf(!found)("actions as knowlyr-gym's models write them", () => {
  const parse = cases.filter((each) => each.reference_function.endsWith(".parse_action"));

  it.each(parse.filter((each) => each.reference_defect === undefined))(
    "reads $name",
    ({ input, expected }) => {
      const { text, reasoning = "", calls } = action(z.string().parse(input["text"]));
      const [call] = calls;
      expect(calls).toHaveLength(1);
      expect(text).toBe("");
      expect({ tool: call?.tool, params: call?.params, thought: reasoning }).toEqual(expected);
    },
  );

  it.each(cases.filter((each) => each.reference_function.endsWith("_infer_params")))(
    "names the bare argument of $name",
    ({ input, expected }) => {
      const { calls } = action(`${String(input["tool"])} ${String(input["arg"])}`);
      expect(calls).toEqual([{ tool: input["tool"], params: expected }]);
    },
  );

  it("knows every case that is a defect", () => {
    expect(parse.filter((each) => each.reference_defect !== undefined)).toHaveLength(2);
  });
});

describe("what knowlyr-gym reads wrongly", () => {
  it("keeps params that are no object as they were written", () => {
    expect(action("<action>bash</action><params>[1]</params>").calls).toEqual([
      { tool: "bash", params: {}, rawArguments: "[1]" },
    ]);
  });

  it("reads the lines that its own training texts are written in", () => {
    expect(action("Thought: do\nAction: bash ls")).toEqual({
      text: "",
      reasoning: "do",
      calls: [{ tool: "bash", params: { command: "ls" } }],
    });
    expect(action('Thought: do\nAction: bash({"command": "ls"})').calls).toEqual([
      { tool: "bash", params: { command: "ls" } },
    ]);
  });
});
