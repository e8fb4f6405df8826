import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tokenCounter } from "../../shared/tokenizer/token-counter.ts";
import { readTokenizer, TokenizerError } from "../../shared/tokenizer/tokenizer-files.ts";
import { estimatedTokens, trajectoryTexts } from "../../shared/tokenizer/trajectory-texts.ts";
import { makeTokenizer, PLAIN_TEMPLATE } from "../factories/tokenizer.ts";
import { agentStep, makeTrajectory } from "../redaction/trajectories.ts";

const user = { source: "user", message: "Größe?" } as const;
const bytes = (text: string): number => Buffer.byteLength(text);

describe("a token counter", () => {
  it("counts texts alone where the tokenizer has no chat template, tools and calls among them", async () => {
    const counter = await tokenCounter(makeTokenizer());
    const trajectory = makeTrajectory([
      user,
      agentStep({
        message: "I look.",
        reasoning_content: "Hm.",
        tool_calls: [{ tool_call_id: "c", function_name: "ls", arguments: { path: "/" } }],
        observation: { results: [{ source_call_id: "c", content: "a.txt" }] },
      }),
    ]);
    const texts = ["Größe?", "Hm.", "I look.", 'ls{"path":"/"}', "a.txt"];
    expect([...trajectoryTexts(trajectory)]).toEqual(texts);
    expect(counter.by.of).toBe("texts");
    expect(counter.trajectory(trajectory)).toBe(texts.reduce((sum, text) => sum + bytes(text), 0));
  });

  it("does not count a call twice that was written in the message", () => {
    const call = { tool_call_id: "c", function_name: "bash", arguments: { command: "ls" } };
    const written = { ...call, extra: { gymline: { from: "text" as const } } };
    const texts = (calls: (typeof call)[]) => [
      ...trajectoryTexts(makeTrajectory([agentStep({ message: "ls", tool_calls: calls })])),
    ];
    expect(texts([written])).toEqual(["ls"]);
    expect(texts([call])).toHaveLength(2);
    expect(estimatedTokens(makeTrajectory([agentStep({ message: "a".repeat(27) })]))).toBe(10);
  });

  it("counts the conversation as the chat template writes it", async () => {
    const counter = await tokenCounter(makeTokenizer({ template: PLAIN_TEMPLATE }));
    expect(counter.by.of).toBe("chat-template");
    expect(counter.trajectory(makeTrajectory([user, agentStep({ message: "7 mm" })]))).toBe(
      bytes("user\nGröße?") + bytes("assistant\n7 mm") + 4,
    );
  });

  it("takes the template of the configuration, and that for tools where there are tools", async () => {
    const templates = [
      { name: "default", template: "{{ eos_token }}plain" },
      { name: "tool_use", template: "{% for tool in tools %}{{ tool.function.name }}{% endfor %}" },
    ];
    const config = { chat_template: templates, eos_token: { content: "<|end|>", lstrip: false } };
    const counter = await tokenCounter(makeTokenizer({ config }));
    const plain = makeTrajectory([user]);
    expect(counter.trajectory(plain)).toBe(1 + "plain".length);
    const tools = [{ name: "search", parameters: {} }];
    const armed = { ...plain, agent: { ...plain.agent, tool_definitions: tools } };
    expect(counter.trajectory(armed)).toBe("search".length);
  });

  it("counts the same on whatever day", async () => {
    const counter = await tokenCounter(makeTokenizer({ template: "{{ strftime_now('%d %b %Y, %B %%') }}" }));
    expect(counter.trajectory(makeTrajectory([user]))).toBe("26 Jul 2024, July %".length);
  });

  it("says of a conversation that the template refuses, and fails where the template itself is at fault", async () => {
    const refusing =
      "{% if messages | length > 1 %}{{ raise_exception('too long: ' + messages[0].content) }}{% endif %}";
    const counter = await tokenCounter(makeTokenizer({ template: refusing }));
    expect(counter.trajectory(makeTrajectory([user]))).toBe(0);
    expect(counter.trajectory(makeTrajectory([user, agentStep({ message: "x" })]))).toBeUndefined();
    const broken = await tokenCounter(makeTokenizer({ template: "{{ messages | no_such_filter }}" }));
    expect(() => broken.trajectory(makeTrajectory([user]))).toThrow(
      /chat template of the tokenizer bytes cannot be used.*correct it/,
    );
    await expect(tokenCounter(makeTokenizer({ template: "{% for %}" }))).rejects.toThrow(TokenizerError);
  });

  it("counts a text in pieces as it would as a whole, however often", async () => {
    const merges = [
      ["a", "b"],
      ["ab", "c"],
    ] as const;
    const counter = await tokenCounter(makeTokenizer({ merges }));
    const { Tokenizer } = await import("@huggingface/tokenizers");
    const files = makeTokenizer({ merges });
    const whole = new Tokenizer(JSON.parse(Buffer.from(files.tokenizer).toString("utf8")), {});
    const part = fc.oneof(
      fc.constantFrom("<|start|>", "<|end|>", "<|end", "|>", "abc", "ab ab", "  \n", "é🚀"),
      fc.string({ maxLength: 80 }),
      fc.stringMatching(/^[abc ]{60,90}$/),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const text = parts.join("").toWellFormed();
        const { ids } = whole.encode(text, { add_special_tokens: false });
        expect([counter.text(text), counter.text(text)]).toEqual([ids.length, ids.length]);
      }),
    );
  });
});

describe("the files of a tokenizer", () => {
  it("are known by what they hold, not by the name of their folder", () => {
    const sha = (facts: Parameters<typeof makeTokenizer>[0]) => readTokenizer(makeTokenizer(facts)).sha256;
    expect(sha({ name: "a" })).toBe(sha({ name: "b" }));
    const others = [sha({}), sha({ template: "x" }), sha({ config: {} }), sha({ merges: [["a", "b"]] })];
    expect(new Set(others).size).toBe(4);
  });

  it.each([
    ["{", /tokenizer\.json of the tokenizer x is no JSON; give a folder/],
    ["[]", /tokenizer\.json of the tokenizer x is not what it should be/],
    ["{}", /model/],
  ])("are refused with the file and the remedy where they are none: %s", (text, message) => {
    expect(() => readTokenizer({ name: "x", tokenizer: Buffer.from(text) })).toThrow(message);
  });

  it("of a model or a step that is not known are refused", async () => {
    const of = (json: unknown) => tokenCounter({ name: "x", tokenizer: Buffer.from(JSON.stringify(json)) });
    await expect(of({ model: { type: "Oracle", vocab: {} } })).rejects.toThrow(/model\.type: is none of BPE/);
    const model = { type: "BPE", vocab: { a: 0 }, merges: [] };
    await expect(of({ model, normalizer: { type: "Magic" } })).rejects.toThrow(
      /the tokenizer x cannot be used: .*Magic/,
    );
  });
});
