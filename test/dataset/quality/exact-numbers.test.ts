import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inspectRow } from "../../../shared/dataset/quality/inspect-row.ts";
import { argumentsObject } from "../../../shared/dataset/targets/exact-json.ts";
import { targetOf } from "../../../shared/dataset/targets/targets.ts";
import { type Row, rowPieces } from "../../../shared/dataset/targets/write-row.ts";
import { redactionConfigSchema } from "../../../shared/redaction/config.ts";
import { createRedactor } from "../../../shared/redaction/redactor.ts";

const target = targetOf("trl");
const by = {
  target,
  redactor: createRedactor(redactionConfigSchema.parse({})),
  countTokens: (text: string) => text.length,
};

function rowWith(args: string) {
  const call = { id: "c1", type: "function", function: { name: "pay", arguments: argumentsObject(args) } };
  return {
    messages: [
      { role: "user", content: "Pay." },
      { role: "assistant", content: "", tool_calls: [call] },
    ],
    tools: null,
    weights: [0, 1],
    id: "a".repeat(64),
  };
}

describe("a row looked at as it is made", () => {
  it.each(['{"amount": 1.0}', '{"card": 4111111111111111.0, "n": 12345678901234567890}', '{"x": 1e3}'])(
    "is found to be what its line is: %s",
    (args) => {
      const row = rowWith(args);
      expect(inspectRow(row, by)).toEqual(inspectRow(readBack(row), by));
    },
  );

  it("is found to be what its line is, whatever numbers its calls have", () => {
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value.toExponential()),
      fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map(String),
      fc.nat().map((value) => `${value}.0`),
    );
    fc.assert(
      fc.property(fc.array(number, { minLength: 1 }), (numbers) => {
        const row = rowWith(`{"numbers": [${numbers.join(", ")}]}`);
        expect(inspectRow(row, by)).toEqual(inspectRow(readBack(row), by));
      }),
    );
  });
});

function readBack(row: ReturnType<typeof rowWith>): Row {
  return JSON.parse(rowPieces(row, target.columns).join(""));
}
