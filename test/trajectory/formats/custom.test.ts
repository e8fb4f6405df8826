import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Draft } from "../../../shared/trajectory/draft.ts";
import { ConversionError, type Format } from "../../../shared/trajectory/format.ts";
import { createCustomFormat } from "../../../shared/trajectory/formats/custom.ts";
import {
  type CustomMapping,
  MappingError,
  mappingHash,
  parseCustomMapping,
} from "../../../shared/trajectory/formats/custom-mapping.ts";
import { parsePath, readAll } from "../../../shared/trajectory/formats/custom-path.ts";
import { ATIF_VERSION, atifSchema } from "../../../shared/trajectory/schema.ts";

const DOCS = join(import.meta.dirname, "../../../docs");
const EXAMPLES = join(DOCS, "examples");

function example(name: string): { readonly mapping: CustomMapping; readonly sample: unknown } {
  const file = `mapping-${name}.json`;
  const mapping = parseCustomMapping(JSON.parse(readFileSync(join(EXAMPLES, file), "utf8")), file);
  const lines = join(EXAMPLES, `sample-${name}.jsonl`);
  const sample: unknown = existsSync(lines)
    ? readFileSync(lines, "utf8")
        .trim()
        .split("\n")
        .map((line): unknown => JSON.parse(line))
    : JSON.parse(readFileSync(join(EXAMPLES, `sample-${name}.json`), "utf8"));
  return { mapping, sample };
}

function convert(format: Format, value: unknown): Draft {
  const detection = format.detect(value);
  expect(detection.match).toBe(true);
  const [draft] = format.convert({ value, variant: detection.match ? detection.variant : "", stem: "s" });
  if (draft === undefined) throw new Error("no draft");
  expect(atifSchema.safeParse({ schema_version: ATIF_VERSION, ...draft.document }).error).toBeUndefined();
  return draft;
}

/** Agent steps as `[tool, arguments, output, facts of the result]`. */
function callsOf(draft: Draft): readonly unknown[] {
  return draft.document.steps.flatMap(({ tool_calls, observation }) =>
    (tool_calls ?? []).map((call) => {
      const result = observation?.results.find(({ source_call_id }) => source_call_id === call.tool_call_id);
      return [call.function_name, call.arguments, result?.content, result?.extra?.gymline];
    }),
  );
}

const names = readdirSync(EXAMPLES)
  .filter((file) => file.startsWith("mapping-"))
  .map((file) => file.slice("mapping-".length, -".json".length));

describe("the example mappings", () => {
  it.each(names)("%s takes its own sample and no other", (name) => {
    const format = createCustomFormat(example(name).mapping);
    const taken = names.filter((other) => format.detect(example(other).sample).match);
    expect(taken).toEqual([name]);
  });

  it("read flat steps with the verdict at the top level", () => {
    const { mapping, sample } = example("hub");
    const draft = convert(createCustomFormat(mapping), sample);
    expect(callsOf(draft)).toEqual([
      ["read_file", { file_path: "src/parser.py" }, expect.stringContaining("def parse"), { exit_code: 0 }],
      ["bash", { command: "pytest -q tests/test_parser.py" }, "1 failed", { exit_code: 1 }],
    ]);
    expect(draft).toMatchObject({
      task: { id: "parser-17" },
      outcome: { success: true, score: 0.8, label_source: "success" },
      metadata: { step_rewards: [0.3, 0.5] },
    });
    expect(draft.document.steps[0]).toMatchObject({
      message: "See what the parser does with an empty line.",
      extra: { gymline: { thought: "See what the parser does with an empty line." } },
    });
  });

  it("read episodes with their rewards and times", () => {
    const { mapping, sample } = example("collect");
    const draft = convert(createCustomFormat(mapping), sample);
    expect(callsOf(draft)).toEqual([
      ["query_stats", { query: "customer 3" }, "name: Ada", { exit_code: 0 }],
      ["respond", { message: "Good morning, Ada." }, "Good morning, Ada.", { exit_code: 0 }],
    ]);
    expect(draft).toMatchObject({
      domain: "conversation",
      startedAt: "2026-03-01T09:59:59",
      task: { id: "greeting-3" },
      outcome: { success: true },
      metadata: { "outcome.total_steps": 2, "outcome.terminated": true },
    });
    expect(draft.document.steps.map((step) => step.extra?.gymline?.native?.["reward"])).toEqual([
      undefined,
      0.2,
      0.7,
    ]);
  });

  it("read nested calls and results, with errors", () => {
    const { mapping, sample } = example("recorder");
    const draft = convert(createCustomFormat(mapping), sample);
    expect(callsOf(draft)).toEqual([
      ["grep", { pattern: "total" }, expect.any(String), { exit_code: 0 }],
      ["bash", { command: "npm test" }, "", { exit_code: 127, error: "npm: command not found" }],
    ]);
    expect(draft).toMatchObject({
      domain: "coding",
      task: { id: "shop-42", repo: "example/shop", base_commit: "4f2c9e1", test_command: "npm test" },
      outcome: { success: false, score: 0, tests_passed: 0, tests_failed: 2 },
    });
  });

  it("read a chat with roles and calls of its own", () => {
    const { mapping, sample } = example("support-chat");
    const draft = convert(createCustomFormat(mapping), sample);
    expect(draft.document.steps.map(({ source, message }) => [source, message])).toEqual([
      ["system", "Be brief."],
      ["user", "Where is my parcel?"],
      ["agent", "One moment."],
      ["agent", "It comes today."],
    ]);
    expect(callsOf(draft)).toEqual([["track", { order: 3107 }, "out for delivery", undefined]]);
    expect(draft.document.steps[2]?.reasoning_content).toBe("The parcel service has to be asked.");
    expect(draft).toMatchObject({
      session: "3107",
      outcome: { success: true, feedback: "Quick and friendly.", label_source: "ticket.closed_as" },
      fidelity: { dropped: [{ path: "$.turns[*]", count: 1 }] },
    });
  });

  it("read a file of events as one trajectory", () => {
    const { mapping, sample } = example("event-lines");
    const format = createCustomFormat(mapping);
    const draft = convert(format, sample);
    expect(callsOf(draft)).toEqual([
      ["type", { target: "#user", text: "ada" }, "field filled", undefined],
      ["click", { target: "#go" }, "welcome page", undefined],
    ]);
    expect(draft).toMatchObject({ session: "r-5", task: { id: "login" }, outcome: { success: true } });
    expect(draft.document.steps[0]).toMatchObject({ source: "user", message: "Log in as Ada." });
    expect(Array.isArray(sample) && sample.every((event) => format.isPart?.(event) === true)).toBe(true);
    expect(format.isPart?.({ ev: "other", run_id: "x" })).toBe(false);
  });

  it("stand in the guide, whose first mapping does what it says", () => {
    const guide = readFileSync(join(DOCS, "CUSTOM-FORMAT.md"), "utf8");
    for (const name of names) expect(guide).toContain(`examples/mapping-${name}.json`);
    const [log, mapping] = [...guide.matchAll(/```json\n(.*?)```/gs)].map(([, text]): unknown =>
      JSON.parse(text ?? ""),
    );
    const draft = convert(createCustomFormat(parseCustomMapping(mapping, "guide")), log);
    expect(callsOf(draft)).toEqual([["calc", { expr: "1+2" }, "3", undefined]]);
    expect(draft).toMatchObject({ task: { id: "sum-3" }, outcome: { success: true, label_source: "ok" } });
    expect(draft.document.steps[0]?.message).toBe("Add them.");
  });
});

const minimal = {
  schema: "gymline.mapping.v1",
  name: "own",
  match: [{ path: "log", exists: true }],
  content: { style: "steps", path: "log[*]", tool: "use" },
};
const own = (change: object = {}): CustomMapping => parseCustomMapping({ ...minimal, ...change }, "own.json");

describe("a mapping", () => {
  it.each([
    [{ name: "Not Kebab" }, "$.name", "kebab-case"],
    [{ match: [] }, "$.match", ""],
    [{ match: [{ path: "a" }] }, "$.match[0]", "exactly one"],
    [{ match: [{ path: "a..b", exists: true }] }, "$.match[0].path", "not a path"],
    [{ content: { style: "steps", path: "log", tool: "use" } }, "$.content.path", "[*]"],
    [{ content: { style: "rows", path: "log[*]" } }, "$.content.style", ""],
    [{ content: { ...minimal.content, outptu: "x" } }, "$.content", "outptu"],
    [{ task: { id: { value: 5 } } }, "$.task.id", ""],
  ])("that is wrong is refused, with file and place: %j", (change, path, reason) => {
    let message = "";
    try {
      own(change);
    } catch (error) {
      expect(error).toBeInstanceOf(MappingError);
      message = String(error);
    }
    expect(message).toContain(`own.json: ${path}: `);
    expect(message).toContain(reason);
    expect(message).toContain("docs/CUSTOM-FORMAT.md");
  });

  it("has a hash that follows what it says, not how it is written", () => {
    const { name, ...others } = minimal;
    expect(mappingHash(parseCustomMapping({ ...others, parts: false, name }, "x"))).toBe(mappingHash(own()));
    expect(mappingHash(own({ session: "id" }))).not.toBe(mappingHash(own()));
    expect(mappingHash(own())).toMatch(/^[0-9a-f]{64}$/);
    expect(createCustomFormat(own({ session: "id" })).version).not.toBe(createCustomFormat(own()).version);
    expect(createCustomFormat(own()).name).toBe("custom:own");
  });

  it("says which of its conditions a record misses", () => {
    const match = [
      { path: "log", exists: true },
      { path: "kind", equals: "a" },
      { path: "v", one_of: [1, 2] },
    ];
    const format = createCustomFormat(own({ match }));
    expect(format.detect({ log: [], kind: "a", v: 2 }).match).toBe(true);
    expect(format.detect({ log: [], kind: "b", v: 3 })).toEqual({
      match: false,
      near: 1 / 3,
      missing: ["$.kind", "$.v"],
    });
  });

  it.each([
    [{ path: "ok" }, true, true],
    [{ path: "ok" }, "failed", false],
    [{ path: "ok" }, "perhaps", null],
    [{ path: "ok", true: ["good"] }, "good", true],
    [{ path: "ok", true: ["good"] }, "bad", false],
    [{ path: "ok", false: ["bad"] }, "fine", true],
    [{ path: "ok", true: ["good"], false: ["bad"] }, "so-so", null],
    [{ path: "ok", true: ["good"] }, undefined, null],
  ])("reads the verdict by %j: %j is %j", (success, ok, expected) => {
    const format = createCustomFormat(own({ outcome: { success } }));
    const draft = convert(format, { log: [{ use: "a" }], ...(ok === undefined ? {} : { ok }) });
    expect(draft.outcome.success).toBe(expected);
  });

  it("makes a message of a step without a tool, and keeps or reports what it does not read", () => {
    const value = { log: [{ use: "a", n: 1, big: "x".repeat(3000) }, { n: 2 }], more: { a: 1 }, list: [1] };
    const draft = convert(createCustomFormat(own({ match: [{ path: "log", exists: true }] })), value);
    expect(draft.document.steps.map(({ tool_calls }) => tool_calls?.length ?? 0)).toEqual([1, 0]);
    expect(draft.document.steps[1]?.extra?.gymline?.native).toEqual({ n: 2 });
    expect(draft.metadata).toEqual({ more: { a: 1 }, list: [1] });
    expect(draft.fidelity.dropped).toMatchObject([{ path: "$.log[*].big", count: 1 }]);
  });

  it("does not pass over a role that it does not name", () => {
    const content = { style: "messages", path: "log[*]", role: "who", roles: { u: "user" }, content: "text" };
    const format = createCustomFormat(own({ content }));
    const value = {
      log: [
        { who: "u", text: "a" },
        { who: "toString", text: "b" },
      ],
    };
    expect(() => format.convert({ value, variant: "v", stem: "s" })).toThrow(ConversionError);
  });

  it("keeps a score on another scale out of the score", () => {
    const draft = convert(createCustomFormat(own({ outcome: { score: "points" } })), {
      log: [{ use: "a" }],
      points: 7,
    });
    expect(draft.outcome).toEqual({ success: null, metadata: { score: 7 } });
  });
});

describe("paths", () => {
  it.each([
    ["a.b", [1]],
    ["$.a.b", [1]],
    ["$", [{ a: { b: 1 }, l: [{ x: 1 }, {}, { x: 3 }], "odd key": 5 }]],
    ["l[*].x", [1, 3]],
    ["l[-1].x", [3]],
    ["l[0].x", [1]],
    ['["odd key"]', [5]],
    ["a.toString", []],
    ["l.length", []],
  ])("%s", (path, expected) => {
    const value = { a: { b: 1 }, l: [{ x: 1 }, {}, { x: 3 }], "odd key": 5 };
    expect(readAll(value, parsePath(path) ?? [])).toEqual(expected);
  });

  it.each(["a..b", ".a", "a[", "a[x]", "a b", "$a", "a.", '["x]'])("%s is none", (path) => {
    expect(parsePath(path)).toBeUndefined();
  });

  it("lead to every place of a document, whatever its keys are", () => {
    const place = fc.array(fc.oneof(fc.string(), fc.nat(3)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        place,
        fc.jsonValue().filter((value) => value !== undefined),
        (keys, leaf) => {
          let value: unknown = leaf;
          for (const key of [...keys].reverse()) {
            value =
              typeof key === "number" ? [...Array(key).fill(0), value] : Object.fromEntries([[key, value]]);
          }
          const path = keys
            .map((key) => (typeof key === "number" ? `[${key}]` : `[${JSON.stringify(key)}]`))
            .join("");
          expect(readAll(value, parsePath(path) ?? [])).toEqual([leaf]);
        },
      ),
    );
  });
});
