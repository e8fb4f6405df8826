import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ToolDefinition } from "../../shared/env/protocol.ts";
import { answerPieces, readAnswer } from "../../shared/inference/answer-text.ts";
import { syntaxOf, TOOL_SYNTAXES, type ToolSyntax } from "../../shared/inference/tool-calls/syntax.ts";

const tools: readonly ToolDefinition[] = [
  {
    name: "run",
    description: "runs",
    parameters: {
      type: "object",
      properties: { command: { type: "string" }, tries: { type: "integer" }, dry: { type: "boolean" } },
    },
  },
];

const read = (
  syntax: ToolSyntax,
  text: string,
  more: { readonly cut?: boolean; readonly thinking?: boolean } = {},
) => readAnswer(text, { syntax, tools, cut: more.cut ?? false, thinking: more.thinking ?? false });

const run = (params: object) => ({ tool: "run", params });

describe("Hermes and Qwen", () => {
  it("read several calls, with what was said before them", () => {
    const text = `I look.\n<tool_call>\n{"name": "run", "arguments": {"command": "ls"}}\n</tool_call>\n<tool_call>\n{"name": "run", "arguments": {}}\n</tool_call>`;
    expect(read("hermes", text)).toEqual({ text: "I look.", calls: [run({ command: "ls" }), run({})] });
  });

  it("find the end of a call whose argument quotes the mark", () => {
    const params = { command: "echo '</tool_call><tool_call>' }" };
    const text = `<tool_call>${JSON.stringify({ name: "run", arguments: params })}</tool_call>`;
    expect(read("hermes", text).calls).toEqual([run(params)]);
  });

  it("take arguments that are an object written as a string, and a call without an end that is whole", () => {
    expect(
      read("hermes", `<tool_call>{"name": "run", "arguments": "{\\"command\\": \\"ls\\"}"}`).calls,
    ).toEqual([run({ command: "ls" })]);
  });

  it("keep what is no JSON as raw arguments, under the name that can be read", () => {
    const raw = `{"name": "run", "arguments": {"command": "ls}`;
    expect(read("hermes", `<tool_call>\n${raw}\n</tool_call>`).calls).toEqual([
      { tool: "run", params: {}, rawArguments: raw },
    ]);
    expect(read("hermes", "<tool_call>ls -la</tool_call>").calls).toEqual([
      { tool: "tool_call", params: {}, rawArguments: "ls -la" },
    ]);
    expect(read("hermes", `<tool_call>{"name": "run", "arguments": [1]}</tool_call>`).calls).toEqual([
      { tool: "run", params: {}, rawArguments: "[1]" },
    ]);
  });

  it("do not carry out a call that was cut off, though it may look whole", () => {
    const text = `<tool_call>{"name": "run", "arguments": {"command": "rm -r /tmp/a"}}`;
    expect(read("hermes", text, { cut: true }).calls[0]).toMatchObject({ tool: "run", params: {} });
    expect(read("hermes", `${text}</tool_call>`, { cut: true }).calls).toEqual([
      run({ command: "rm -r /tmp/a" }),
    ]);
  });
});

describe("Llama", () => {
  const call = `{"name": "run", "parameters": {"command": "ls {"}}`;

  it("reads JSON that is the whole answer, or stands after the tag, once or several times", () => {
    expect(read("llama", call).calls).toEqual([run({ command: "ls {" })]);
    expect(read("llama", `Now.<|python_tag|>${call}; ${call}`)).toEqual({
      text: "Now.",
      calls: [run({ command: "ls {" }), run({ command: "ls {" })],
    });
    expect(read("llama", `[${call}]`).calls).toHaveLength(1);
  });

  it("leaves other JSON and prose alone", () => {
    for (const text of [`{"name": "Ann"}`, `The call is ${call}`, "{}", "[]"]) {
      expect(read("llama", text)).toEqual({ text, calls: [] });
    }
  });

  it("keeps code and built-in tools after the tag as raw arguments", () => {
    const text = `brave_search.call(query="x")`;
    expect(read("llama", `<|python_tag|>${text}`).calls).toEqual([
      { tool: "brave_search", params: {}, rawArguments: text },
    ]);
  });
});

describe("Mistral", () => {
  it("reads a list, and name and arguments of newer models", () => {
    const list = `[TOOL_CALLS] [{"name": "run", "arguments": {"command": "ls"}, "id": "abcdefghi"}]`;
    expect(read("mistral", list).calls).toEqual([run({ command: "ls" })]);
    const newer = `Well.[TOOL_CALLS]run[ARGS]{"command": "a [TOOL_CALLS] b"}[TOOL_CALLS]run{"tries": 2}`;
    expect(read("mistral", newer)).toEqual({
      text: "Well.",
      calls: [run({ command: "a [TOOL_CALLS] b" }), run({ tries: 2 })],
    });
  });

  it("keeps what it cannot read", () => {
    expect(read("mistral", `[TOOL_CALLS]run[ARGS]{"command": `).calls).toEqual([
      { tool: "run", params: {}, rawArguments: `{"command":` },
    ]);
  });
});

describe("Qwen3-Coder", () => {
  const body =
    "<parameter=command>\necho '1'\nls\n</parameter>\n<parameter=tries>\n2\n</parameter>\n<parameter=dry>\ntrue\n</parameter>\n";

  it("reads parameters by the tool's schema: text stays text, numbers become numbers", () => {
    const text = `I run it.\n<tool_call>\n<function=run>\n${body}</function>\n</tool_call>`;
    expect(read("qwen-xml", text)).toEqual({
      text: "I run it.",
      calls: [run({ command: "echo '1'\nls", tries: 2, dry: true })],
    });
    expect(read("qwen-xml", "<function=run><parameter=command>12</parameter></function>").calls).toEqual([
      run({ command: "12" }),
    ]);
  });

  it("reads a function whose body is JSON, as Llama 3.1 writes it", () => {
    expect(read("qwen-xml", `<function=run>{"command": "ls"}</function>`).calls).toEqual([
      run({ command: "ls" }),
    ]);
  });

  it("keeps what it cannot read", () => {
    expect(read("qwen-xml", "<tool_call>\nls\n</tool_call>").calls).toEqual([
      { tool: "tool_call", params: {}, rawArguments: "ls" },
    ]);
    expect(read("qwen-xml", "<function=run>ls</function>").calls).toEqual([
      { tool: "run", params: {}, rawArguments: "ls" },
    ]);
    expect(
      read("qwen-xml", "<function=run>\n<parameter=command>\nrm -r /", { cut: true }).calls[0],
    ).toMatchObject({
      tool: "run",
      params: {},
    });
  });
});

describe("thinking", () => {
  it("stands before the answer, also where the prompt began it, or where it never ends", () => {
    expect(read("hermes", "<think>\nhm\n</think>\n\nYes.")).toEqual({
      text: "Yes.",
      reasoning: "hm",
      calls: [],
    });
    expect(read("hermes", "hm\n</think>\nYes.", { thinking: true })).toEqual({
      text: "Yes.",
      reasoning: "hm",
      calls: [],
    });
    expect(read("hermes", "<think>on and <tool_call>")).toEqual({
      text: "",
      reasoning: "on and <tool_call>",
      calls: [],
    });
    expect(read("hermes", "No <think> here")).toEqual({ text: "No <think> here", calls: [] });
  });
});

describe("any answer in any syntax", () => {
  const mark = fc.constantFrom(
    "<tool_call>",
    "</tool_call>",
    "<think>",
    "</think>",
    "<|python_tag|>",
    "[TOOL_CALLS]",
    "[ARGS]",
    "<function=run>",
    "<function=",
    "</function>",
    "<parameter=command>",
    "</parameter>",
    '{"name": "run", "arguments": {"command": "ls"}}',
    '{"name": "run", "parameters": {}}',
    "<action>",
    "</action>",
    "<params>",
    "{",
    "}",
    "\n",
  );
  const answer = fc
    .array(fc.oneof(mark, fc.string({ maxLength: 8 }), fc.string({ unit: "grapheme", maxLength: 4 })))
    .map((parts) => parts.join(""));

  it("is read without a fault, and nothing of it is lost", () => {
    fc.assert(
      fc.property(
        answer,
        fc.constantFrom(...TOOL_SYNTAXES),
        fc.boolean(),
        fc.boolean(),
        (text, syntax, cut, thinking) => {
          const pieces = answerPieces(text, { syntax, tools, cut, thinking });
          expect(pieces.map(({ source }) => source).join("")).toBe(text);
          for (const piece of pieces)
            if (piece.kind === "calls") expect(piece.calls.length).toBeGreaterThan(0);
          for (const { tool, rawArguments, params } of read(syntax, text, { cut, thinking }).calls) {
            expect(tool === "" && syntax !== "action").toBe(false);
            if (rawArguments !== undefined) expect(params).toEqual({});
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  const jsonParams = fc.dictionary(
    fc.string({ minLength: 1 }).filter((key) => key !== "__proto__"),
    fc.jsonValue(),
    { maxKeys: 4 },
  );
  const written: Readonly<Record<string, (call: { name: string; params: unknown }) => string>> = {
    hermes: ({ name, params }) => `<tool_call>\n${JSON.stringify({ name, arguments: params })}\n</tool_call>`,
    llama: ({ name, params }) => JSON.stringify({ name, parameters: params }),
    mistral: ({ name, params }) => `[TOOL_CALLS] ${JSON.stringify([{ name, arguments: params }])}`,
  };

  it.each(Object.keys(written))("gives back the calls that were written in %s", (syntax) => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z_]{1,12}$/), jsonParams, (name, params) => {
        const text = written[syntax]?.({ name, params }) ?? "";
        const plain: unknown = JSON.parse(JSON.stringify(params));
        expect(read(syntax as ToolSyntax, text)).toEqual({
          text: "",
          calls: [{ tool: name, params: plain }],
        });
      }),
    );
  });
});

describe("the syntax of a chat template", () => {
  it("is told by what it writes of calls", () => {
    expect(syntaxOf('{{ \'\\n<tool_call>\\n{"name": "\' }}')).toBe("hermes");
    expect(syntaxOf("'<tool_call>\\n<function=' + name + '>'")).toBe("qwen-xml");
    expect(syntaxOf("{{- '[TOOL_CALLS] [' }}")).toBe("mistral");
    expect(syntaxOf(`{{- '"parameters": ' }}{{ x | tojson }}`)).toBe("llama");
    expect(syntaxOf("{{ message.content }}")).toBeUndefined();
  });
});
