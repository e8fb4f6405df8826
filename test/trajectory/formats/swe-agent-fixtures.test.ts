import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { miniSweAgent } from "../../../shared/trajectory/formats/mini-swe-agent.ts";
import { sweAgent } from "../../../shared/trajectory/formats/swe-agent.ts";
import { ATIF_VERSION, atifSchema } from "../../../shared/trajectory/schema.ts";

const FIXTURES = join(import.meta.dirname, "../../../../shared/fixtures");
const here = existsSync(FIXTURES);
const skipped = here ? "" : " [skipped: ../shared/fixtures is absent]";

interface Message {
  readonly role?: string;
  readonly content?: unknown;
  readonly text?: string | null;
  readonly action?: string;
  readonly tool_calls?: readonly unknown[] | null;
}
interface Step {
  readonly response: string;
  readonly action: string;
}
interface Source {
  readonly history?: readonly Message[];
  readonly trajectory?: readonly (Message & Step)[];
  readonly messages?: readonly Message[];
}

function files(folder: string): readonly string[] {
  return here ? readdirSync(join(FIXTURES, folder)).map((name) => `${folder}/${name}`) : [];
}

function load(file: string): unknown {
  return JSON.parse(readFileSync(join(FIXTURES, file), "utf8"));
}

/** Counts straight over the source: answers, calls and observations. */
function countSource(file: string, source: Source | readonly Message[]) {
  const messages: readonly Message[] =
    "length" in source ? source : (source.messages ?? source.history ?? source.trajectory ?? []);
  const answers = messages.filter(({ role }) => role === "assistant" || role === "ai");
  let calls = 0;
  for (const answer of answers) {
    const words = String(answer.text ?? answer.content);
    if (answer.tool_calls) calls += answer.tool_calls.length;
    else if (file.startsWith("swe-agent/")) calls += answer.action === "" ? 0 : 1;
    else if (words.includes("<function=") && !file.includes("mini-coder")) calls += 1;
    else if (/^```/m.test(words)) calls += 1;
  }
  let others = 0;
  let tools = 0;
  for (const [index, { role }] of messages.entries()) {
    const before = messages[index - 1]?.role;
    if (role === "tool") tools += 1;
    else if (role === "user" && (before === "assistant" || before === "ai")) tools += 1;
    else if (role !== "assistant" && role !== "ai" && role !== "exit") others += 1;
  }
  return { agent: answers.length, others, calls, results: tools };
}

/** What a document's `trajectory` list has beyond its history: steps at the end, and the last observation. */
function countEnd(source: Source): { readonly steps: number; readonly results: number } {
  const { history = [], trajectory = [] } = source;
  const written = new Set(history.map(({ action }) => action));
  const last = trajectory.at(-1);
  if (last === undefined) return { steps: 0, results: 0 };
  const steps = written.has(last.action) ? 0 : 1;
  return { steps, results: steps === 1 || history.at(-1)?.role === "assistant" ? 1 : 0 };
}

const ALL = [
  ...files("swe-agent").map((file) => [file, sweAgent, miniSweAgent] as const),
  ...files("swe-agent-hf").map((file) => [file, sweAgent, miniSweAgent] as const),
  ...files("mini-swe-agent").map((file) => [file, miniSweAgent, sweAgent] as const),
  ...(here ? [["openai-messages/mini-coder_0.json", miniSweAgent, sweAgent] as const] : []),
];

describe(`SWE-agent and mini-swe-agent logs as published${skipped}`, () => {
  it.skipIf(!here)("are there for every variant", () => {
    expect(ALL.length).toBeGreaterThanOrEqual(32);
  });

  it.skipIf(!here).each(ALL)(
    "%s is recognised, valid, and keeps every message, call and result",
    (file, format, other) => {
      const value = load(file);
      const detection = format.detect(value);
      expect(detection.match).toBe(true);
      expect(other.detect(value).match).toBe(false);
      const [draft, ...more] = format.convert({
        value,
        variant: detection.match ? detection.variant : "",
        stem: "stem",
      });
      expect(more).toEqual([]);
      const document = { schema_version: ATIF_VERSION, ...draft?.document };
      expect(atifSchema.safeParse(document).error).toBeUndefined();
      const steps = draft?.document.steps ?? [];
      const source = value as Source;
      const expected = countSource(file, source);
      const end = file.startsWith("swe-agent/") ? countEnd(source) : { steps: 0, results: 0 };
      const agents = steps.filter((step) => step.source === "agent");
      expect(agents.length).toBe(expected.agent + end.steps);
      expect(steps.length - agents.length).toBe(expected.others);
      const calls = agents.flatMap((step) => step.tool_calls ?? []);
      expect(calls.length).toBe(expected.calls + end.steps);
      const results = agents.flatMap((step) => step.observation?.results ?? []);
      expect(results.length).toBe(expected.results + end.results);
      expect(results.every((result) => typeof result.source_call_id === "string")).toBe(true);
    },
  );

  it.skipIf(!here)("carry the published verdicts and nothing else as success", () => {
    const labels = new Map(
      readFileSync(join(FIXTURES, "LABELS.jsonl"), "utf8")
        .split("\n")
        .filter((line) => line.includes('"swe-agent-hf/'))
        .map((line) => JSON.parse(line) as { file: string; resolved: boolean })
        .map(({ file, resolved }) => [file, resolved] as const),
    );
    expect(labels.size).toBe(8);
    for (const [file, format] of ALL) {
      const value = load(file);
      const detection = format.detect(value);
      const [draft] = format.convert({ value, variant: detection.match ? detection.variant : "", stem: "s" });
      const expected = file.includes("mini-coder") ? true : (labels.get(file) ?? null);
      expect([file, draft?.outcome.success]).toEqual([file, expected]);
    }
  });

  it.skipIf(!here)("are no match among the logs of other agents", () => {
    const others = ["openhands-swegym-hf", "openhands-v0", "atif", "openai-messages", "claude-code"];
    for (const folder of others) {
      for (const file of files(folder).filter(
        (name) => name.endsWith(".json") && !name.includes("mini-coder"),
      )) {
        const value = load(file);
        const found = [sweAgent, miniSweAgent].filter((format) => format.detect(value).match);
        expect([file, found.map(({ name }) => name)]).toEqual([file, []]);
      }
    }
  });
});
