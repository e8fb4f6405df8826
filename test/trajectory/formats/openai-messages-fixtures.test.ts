import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openaiMessages } from "../../../shared/trajectory/formats/openai-messages.ts";
import { ATIF_VERSION, atifSchema } from "../../../shared/trajectory/schema.ts";

const FIXTURES = join(import.meta.dirname, "../../../../shared/fixtures/openai-messages");
const here = existsSync(FIXTURES);

interface Message {
  readonly role: string;
  readonly content?: unknown;
  readonly tool_calls?: readonly unknown[] | null;
  readonly function_call?: unknown;
}
interface Row {
  readonly messages?: readonly Message[];
  readonly conversations?: readonly Message[];
  readonly raw_messages?: readonly Message[];
  readonly response?: { readonly choices: readonly { readonly message: Message }[] };
}

const files = here
  ? readdirSync(FIXTURES, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"))
  : [];

function rowsOf(file: string): readonly unknown[] {
  const value: unknown = JSON.parse(readFileSync(join(FIXTURES, file), "utf8"));
  return Array.isArray(value) && !("role" in value[0]) ? value : [value];
}

/** Straight over the source: agent turns, other turns, results, calls. */
function countSource(source: unknown) {
  const row = (Array.isArray(source) ? { messages: source } : source) as Row;
  const request = row.messages ?? row.conversations ?? [];
  const structured = row.raw_messages ?? request;
  const all = [...structured, ...(row.response?.choices.map(({ message }) => message) ?? [])];
  const ofRole = (...roles: readonly string[]) => all.filter(({ role }) => roles.includes(role)).length;
  return {
    agent: ofRole("assistant"),
    others: ofRole("system", "user"),
    results: ofRole("tool", "function"),
    calls: all.reduce(
      (sum, message) => sum + (message.tool_calls?.length ?? (message.function_call ? 1 : 0)),
      0,
    ),
    text: request.map(({ content }) => textOf(content)).join(""),
  };
}

function textOf(content: unknown): string {
  if (!Array.isArray(content)) return String(content ?? "");
  return content.map(({ text }) => String(text)).join("");
}

describe("chat fixtures", () => {
  it.skipIf(!here)(`are there${here ? "" : " [skipped: ../shared/fixtures is absent]"}`, () => {
    expect(files.length).toBeGreaterThan(0);
  });

  it.each(files)("%s keeps every message, call and result", (file) => {
    for (const row of rowsOf(file)) {
      const detection = openaiMessages.detect(row);
      expect(detection.match).toBe(true);
      const [draft] = openaiMessages.convert({ value: row, variant: "v", stem: "s" });
      const steps = draft?.document.steps ?? [];
      expect(
        atifSchema.safeParse({ schema_version: ATIF_VERSION, ...draft?.document }).error,
      ).toBeUndefined();
      const { text, ...counts } = countSource(row);
      const results = steps.flatMap((step) => step.observation?.results ?? []);
      expect({
        agent: steps.filter(({ source }) => source === "agent").length,
        others: steps.filter(({ source }) => source !== "agent").length,
        results: results.length,
        calls: steps.reduce((sum, step) => sum + (step.tool_calls?.length ?? 0), 0),
      }).toEqual(counts);
      // What the model saw and wrote is there to the letter; the log's last answer comes after it.
      const written = steps.flatMap(({ message, observation }) => [
        message,
        ...(observation?.results.map(({ content }) => content) ?? []),
      ]);
      expect(written.map(textOf).join("").startsWith(text)).toBe(true);
      expect(results.filter(({ source_call_id }) => source_call_id === undefined)).toEqual([]);
    }
  });
});
