import * as fc from "fast-check";
import { parquetReadObjects } from "hyparquet";
import { describe, expect, it } from "vitest";
import type { SftMessage } from "../../../shared/dataset/sft-messages.ts";
import { argumentsObject, parseAsWritten } from "../../../shared/dataset/targets/exact-json.ts";
import { encodeGroup } from "../../../shared/dataset/targets/parquet-group.ts";
import { rowEncoder } from "../../../shared/dataset/targets/row-encoder.ts";
import {
  haveObjects,
  templateMessage,
  templateTurns,
} from "../../../shared/dataset/targets/template-messages.ts";
import { rowPieces } from "../../../shared/dataset/targets/write-row.ts";

function message(role: string, content: string, ...args: readonly string[]): SftMessage {
  const tool_calls = args.map(
    (text, index) =>
      ({ id: `c${index}`, type: "function", function: { name: "f", arguments: text } }) as const,
  );
  const rest = args.length === 0 ? {} : { tool_calls };
  return { message: { role, content, ...rest }, agentStep: null, trainable: role === "assistant" };
}

/** What becomes of a call's arguments. */
function argumentsOf(text: string): unknown {
  return templateMessage(message("assistant", "", text).message).tool_calls?.[0]?.function.arguments;
}

describe("turns for chat templates", () => {
  it("have one system message at the start; later ones are the user's", () => {
    const roles = ["developer", "system", "user", "assistant", "system", "developer", "assistant"];
    const turns = templateTurns(roles.map((role, index) => message(role, `${index}`)));
    expect(turns.map(({ message: { role, content } }) => [role, content])).toEqual([
      ["system", "0\n\n1"],
      ["user", "2"],
      ["assistant", "3"],
      ["user", "4"],
      ["user", "5"],
      ["assistant", "6"],
    ]);
  });

  it("lose no text and nothing of what the agent said, whatever the roles are", () => {
    const role = fc.constantFrom("system", "developer", "user", "assistant", "tool");
    fc.assert(
      fc.property(fc.array(fc.tuple(role, fc.string({ maxLength: 4 })), { maxLength: 10 }), (list) => {
        const messages = list.map(([of, content]) => message(of, content));
        const turns = templateTurns(messages);
        const text = turns.map((turn) => turn.message.content).join("\n");
        for (const [, content] of list) expect(text).toContain(content);
        expect(turns.filter(({ trainable }) => trainable)).toEqual(
          messages.filter(({ trainable }) => trainable),
        );
        for (const [at, turn] of turns.entries()) {
          expect(turn.message.role === "developer" || (turn.message.role === "system" && at > 0)).toBe(false);
        }
      }),
    );
  });
});

describe("arguments for chat templates", () => {
  it("are objects; an empty text is an empty one, and text that is no JSON object stays", () => {
    expect(argumentsOf('{"command":"ls","n":null}')).toEqual({ command: "ls", n: null });
    expect(argumentsOf("")).toEqual({});
    for (const text of ["not json", "[1]", '"x"', "null", "{"]) {
      expect(argumentsOf(text)).toBe(text);
      expect(haveObjects([message("assistant", "", "{}", text)])).toBe(false);
    }
    expect(haveObjects([message("assistant", "", "{}"), message("user", "x")])).toBe(true);
  });

  it("keep their numbers as they were written, up to 64 bits; larger integers become fractions", () => {
    const back = (text: string): string => JSON.stringify(argumentsObject(text));
    for (const same of [
      '{"a":1.0,"b":[2.50]}',
      '{"id":9007199254740993}',
      '{"id":18446744073709551615}',
      '{"id":-9223372036854775808}',
      '{"t":"1.0 and 123456789012345678901234567890"}',
    ]) {
      expect(back(same)).toBe(same.replace("2.50", "2.5"));
    }
    expect(back('{"id":123456789012345678901234567890}')).toBe('{"id":1.2345678901234568e+29}');
    expect(back('{"id":500000000000000000000}')).toBe('{"id":5e+20}');
    expect(back('{"id":-9223372036854775809}')).toBe('{"id":-9.223372036854776e+18}');
  });

  it("are what JSON.parse gives, numbers apart", () => {
    const plain = fc.object({ values: [fc.string(), fc.boolean(), fc.constant(null), fc.double()] });
    fc.assert(
      fc.property(plain, (value) => {
        const text = JSON.stringify(value);
        expect(JSON.parse(JSON.stringify(argumentsObject(text)))).toEqual(JSON.parse(text));
        expect(JSON.parse(JSON.stringify(parseAsWritten(text)))).toEqual(JSON.parse(text));
      }),
    );
  });
});

describe("free JSON in a row", () => {
  const columns = [
    { name: "reward", type: "float64", meaning: "" },
    { name: "count", type: "int64", meaning: "" },
    { name: "messages", type: { list: "json" }, meaning: "" },
  ] as const;
  const call = templateMessage(message("assistant", "1.0", '{"x":1.0,"id":9007199254740993}').message);
  const big = { role: "user", content: "12345678901234567890", n: 5e20 };
  const line = rowPieces({ reward: 1, count: 3, messages: [call, big] }, columns, {}).join("");

  it("has numbers that Hugging Face datasets can load, and all else as it is", () => {
    expect(line).toBe(
      '{"reward":1.0,"count":3,"messages":[{"role":"assistant","content":"1.0","tool_calls":[{"id":"c0","type":"function",' +
        '"function":{"name":"f","arguments":{"x":1.0,"id":9007199254740993}}}]},' +
        '{"role":"user","content":"12345678901234567890","n":5e+20}]}\n',
    );
  });

  it("is the same text in Parquet", async () => {
    const encode = async (lines: Uint8Array) => encodeGroup(lines, columns);
    const encoder = rowEncoder("parquet", { columns, encode });
    const parts = [await encoder.add(Buffer.from(line)), await encoder.end()];
    const file = new Uint8Array(Buffer.concat(parts)).buffer;
    const [row] = await parquetReadObjects({ file });
    expect(row).toMatchObject({ reward: 1, count: 3n });
    const texts: readonly string[] = row?.["messages"];
    expect(`{"reward":1.0,"count":3,"messages":[${texts.join(",")}]}\n`).toBe(line);
  });
});
