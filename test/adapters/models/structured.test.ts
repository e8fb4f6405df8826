import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  closed,
  schemaInstruction,
  schemaName,
  unwrappedJson,
} from "../../../shared/adapters/models/structured.ts";

describe("asking for JSON", () => {
  it("closes every object of a schema that does not say otherwise, and leaves values alone", () => {
    const schema = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: {
        type: { type: "string", enum: ["object"] },
        list: { type: "array", items: { type: "object", properties: {} } },
        open: { type: "object", additionalProperties: { type: "object" } },
        choice: { anyOf: [{ type: "object" }, { type: "null" }], default: { type: "object" } },
      },
      $defs: { part: { type: "object" } },
      required: ["type"],
    };
    const shut = { type: "object", additionalProperties: false };
    expect(closed(schema)).toEqual({
      ...shut,
      properties: {
        type: { type: "string", enum: ["object"] },
        list: { type: "array", items: { ...shut, properties: {} } },
        open: { type: "object", additionalProperties: shut },
        choice: { anyOf: [shut, { type: "null" }], default: { type: "object" } },
      },
      $defs: { part: shut },
      required: ["type"],
    });
  });

  it.each([
    ["verdict", "verdict"],
    ["a verdict/2", "a_verdict_2"],
    ["x".repeat(90), "x".repeat(64)],
    ["", "answer"],
  ])("gives a schema named %j a name that providers take", (name, expected) => {
    expect(schemaName({ name, schema: {} })).toBe(expected);
  });

  it("tells the schema in words", () => {
    expect(schemaInstruction({ name: "s", schema: { $schema: "x", type: "object" } })).toMatch(
      /JSON[\s\S]*\n\n\{"type":"object"\}$/,
    );
  });

  it("takes JSON out of fences and from behind reasoning, and gives any other text back as it is", () => {
    expect(unwrappedJson('```json\n{"a":1}\n```')).toBe('{"a":1}');
    expect(unwrappedJson('  ```\n{"a":1}\n```  ')).toBe('{"a":1}');
    expect(unwrappedJson('<think>\nhm ```\n</think>\n\n{"a":1}')).toBe('{"a":1}');
    expect(unwrappedJson('<think>hm</think>```JSON\n{"a":1}\n```')).toBe('{"a":1}');
    expect(unwrappedJson("```json\nno\n```")).toBe("```json\nno\n```");
    expect(unwrappedJson("Sure: {}")).toBe("Sure: {}");
  });

  it("finds any JSON again that was wrapped, and changes none that was not", () => {
    const text = fc.json();
    fc.assert(
      fc.property(text, (json) => {
        expect(unwrappedJson(json)).toBe(json);
        expect(JSON.parse(unwrappedJson(`\`\`\`json\n${json}\n\`\`\``))).toEqual(JSON.parse(json));
        expect(JSON.parse(unwrappedJson(`<think>so</think>\n${json}`))).toEqual(JSON.parse(json));
      }),
    );
  });
});
