import { describe, expect, it } from "vitest";
import { answerSchema } from "../../shared/judge/answer-schema.ts";
import { parseJudgeAnswer } from "../../shared/judge/parse-answer.ts";
import { systemPrompt } from "../../shared/judge/prompt.ts";
import { rubricSetForDomain } from "../../shared/reward/rubrics.ts";
import { codingRubrics, rubricsNamed } from "./factories.ts";

const sets = ["coding", "conversation", "engineering", "advisory", "discussion"].map(
  (domain) => [domain, rubricSetForDomain(domain).filter(({ evaluator }) => evaluator === "model")] as const,
);

describe.each(sets)("the instructions for %s", (_domain, rubrics) => {
  const text = systemPrompt(rubrics);

  it("name every rubric with its id, name, weight and description, and what scores mean", () => {
    for (const { id, name, weight, description } of rubrics) {
      expect(text).toContain(`- ${id} (${name}, weight ${weight}): ${description}`);
    }
    for (const anchor of ["0", "0.25", "0.5", "0.75", "1"])
      expect(text).toMatch(new RegExp(`^- ${anchor}: `, "m"));
  });

  it("show an answer that the parser takes as it stands", () => {
    const example = text.split("\n").find((line) => line.startsWith('{"steps"')) ?? "";
    expect(parseJudgeAnswer(example, { rubrics, indices: [7], stop: "end" })).toMatchObject({
      kind: "scored",
      manipulation: false,
      problems: [],
    });
  });

  it("ask for a form that both providers' strict modes take", () => {
    const { name, schema } = answerSchema(rubrics);
    expect(name).toMatch(/^[a-z_]+$/);
    expectStrict(schema);
    expect(schema).toMatchObject({
      properties: {
        steps: {
          items: {
            properties: { scores: { required: rubrics.map(({ id }) => id) }, index: { type: "integer" } },
          },
        },
        manipulation: { type: "boolean" },
      },
    });
  });
});

describe("the instructions", () => {
  it("are the same bytes for the same rubrics, and other bytes for others", () => {
    expect(systemPrompt(structuredClone(codingRubrics))).toBe(systemPrompt(codingRubrics));
    expect(systemPrompt(rubricsNamed("a"))).not.toBe(systemPrompt(rubricsNamed("b")));
  });

  it("keep a description of several lines on one", () => {
    const [rubric] = rubricsNamed("a");
    const text = systemPrompt(
      rubric === undefined ? [] : [{ ...rubric, description: "One.\n\n# Two\n\tthree" }],
    );
    expect(text).toContain("- a (a, weight 1): One. # Two three\n");
  });
});

/** Keywords that Anthropic's structured outputs and OpenAI's strict mode both know. */
const KEYWORDS = new Set(["type", "properties", "required", "additionalProperties", "items", "enum"]);

function expectStrict(schema: unknown): void {
  const node = schema as Readonly<Record<string, unknown>>;
  for (const keyword of Object.keys(node)) expect(KEYWORDS).toContain(keyword);
  if (node["type"] === "object") {
    const properties = node["properties"] as Readonly<Record<string, unknown>>;
    expect(node["additionalProperties"]).toBe(false);
    expect(node["required"]).toEqual(Object.keys(properties));
    for (const property of Object.values(properties)) expectStrict(property);
  }
  if (node["type"] === "array") expectStrict(node["items"]);
}
