import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { builtinFormats } from "../../../shared/trajectory/formats/builtin.ts";
import { detectFormat, isPartOfOne } from "../../../shared/trajectory/registry.ts";

const FIXTURES = join(import.meta.dirname, "../../../../shared/fixtures");
const here = existsSync(FIXTURES);

const OURS: Readonly<Record<string, string>> = {
  atif: "atif",
  "mini-swe-agent": "mini-swe-agent",
  "openai-messages": "openai-messages",
  "openhands-output-jsonl": "openhands",
  "openhands-swegym-hf": "openhands",
  "openhands-v0": "openhands",
  "swe-agent": "swe-agent",
  "swe-agent-hf": "swe-agent",
};
/** A more specific format than its folder's takes these. */
const ELSEWHERE: Readonly<Record<string, string>> = { "openai-messages/mini-coder_0.json": "mini-swe-agent" };
const OTHERS = ["claude-code", "codex", "inspect", "nemo-gym", "openhands-v1", "otel-genai", "other-cli"];
/** Telemetry logs, some lines of which hold a whole chat; nothing else of the other tools' logs is a chat row. */
const CHAT_AMONG_OTHERS = ["otel-genai/crux1-sample-telemetry.jsonl", "otel-genai/sample-telemetry.jsonl"];

function filesUnder(folder: string): readonly string[] {
  if (!here) return [];
  return readdirSync(join(FIXTURES, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(?:jsonl?|traj)$/.test(name))
    .map((name) => `${folder}/${name}`);
}

/** The file as one document, or line by line; lines and elements that are parts are one record together. */
function recordsOf(file: string): readonly unknown[] {
  const text = readFileSync(join(FIXTURES, file), "utf8");
  const whole = parsed(text);
  const values =
    whole === undefined
      ? text
          .split("\n")
          .map(parsed)
          .filter((value) => value !== undefined)
      : whole;
  if (!Array.isArray(values)) return [values];
  return isPartOfOne(values[0], builtinFormats) ? [values] : values;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Names of the formats that took a record of the file, and how often none did. */
function outcomes(file: string): readonly string[] {
  const found = recordsOf(file).map((value) => {
    const choice = detectFormat(value, builtinFormats);
    if (choice.kind === "found") return choice.format.name;
    return choice.kind === "none" ? "none" : `ambiguous: ${choice.names.join(", ")}`;
  });
  return [...new Set(found)];
}

describe("the built-in formats", () => {
  it.skipIf(!here)(`see real logs${here ? "" : " [skipped: ../shared/fixtures is absent]"}`, () => {
    expect(Object.keys(OURS).flatMap(filesUnder).length).toBeGreaterThan(50);
  });

  it.each(Object.keys(OURS).flatMap(filesUnder))("%s is taken by its format alone", (file) => {
    const expected = ELSEWHERE[file] ?? OURS[file.split("/")[0] ?? ""];
    expect(outcomes(file)).toEqual([expected]);
    const specific = recordsOf(file).map((value) =>
      builtinFormats
        .filter((format) => format.generic !== true && format.detect(value).match)
        .map(({ name }) => name),
    );
    for (const matching of specific) expect(matching.length).toBeLessThanOrEqual(1);
  });

  it.each(OTHERS.flatMap(filesUnder).filter((file) => !CHAT_AMONG_OTHERS.includes(file)))(
    "%s, a log of another tool, is taken by none",
    (file) => {
      expect(outcomes(file)).toEqual(["none"]);
    },
  );

  it.each(here ? CHAT_AMONG_OTHERS : [])("%s has chats among its lines, and only those are taken", (file) => {
    expect([...outcomes(file)].sort()).toEqual(["none", "openai-messages"]);
  });

  it("are of different names, and only chat messages are generic", () => {
    expect(builtinFormats.map(({ name }) => name)).toEqual([
      "openhands",
      "swe-agent",
      "mini-swe-agent",
      "openai-messages",
      "atif",
      "crew",
    ]);
    expect(builtinFormats.filter(({ generic }) => generic).map(({ name }) => name)).toEqual([
      "openai-messages",
    ]);
  });

  it("take nothing that is no log, and say so without an exception", () => {
    for (const value of [
      null,
      5,
      "text",
      [],
      {},
      [[]],
      [null],
      { steps: [] },
      { messages: [] },
      { history: {} },
    ]) {
      expect(detectFormat(value, builtinFormats).kind).toBe("none");
    }
  });

  it("name the nearest where a record has something of a format", () => {
    const choice = detectFormat(
      { agent: { name: "a" }, steps: [{ step_id: 1, source: "user" }] },
      builtinFormats,
    );
    expect(choice).toMatchObject({ kind: "none", nearest: { name: "atif" } });
    expect(
      detectFormat({ type: "user", message: { role: "user", content: "x" } }, builtinFormats),
    ).toMatchObject({
      kind: "none",
      nearest: { name: "openai-messages", missing: ["$.messages", "$.messages[*].role"] },
    });
  });
});
