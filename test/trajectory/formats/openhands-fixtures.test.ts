import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { agentSteps } from "../../../shared/trajectory/agent-steps.ts";
import type { Draft } from "../../../shared/trajectory/draft.ts";
import { builtinFormats } from "../../../shared/trajectory/formats/builtin.ts";
import { openhands } from "../../../shared/trajectory/formats/openhands.ts";
import { detectFormat } from "../../../shared/trajectory/registry.ts";
import { ATIF_VERSION, atifSchema } from "../../../shared/trajectory/schema.ts";

const FIXTURES = join(import.meta.dirname, "../../../../shared/fixtures");
const present = existsSync(FIXTURES);

type Json = Record<string, unknown>;

interface Source {
  readonly name: string;
  readonly value: unknown;
}

function sources(folder: string): readonly Source[] {
  if (!present) return [];
  return readdirSync(join(FIXTURES, folder)).flatMap((file) => {
    const content = readFileSync(join(FIXTURES, folder, file), "utf8");
    if (!file.endsWith(".jsonl"))
      return [{ name: `${folder}/${file}`, value: JSON.parse(content) as unknown }];
    const lines = content.split("\n").filter((line) => line.trim() !== "");
    return lines.map((line, row) => ({
      name: `${folder}/${file}#${row}`,
      value: JSON.parse(line) as unknown,
    }));
  });
}

const own = ["openhands-v0", "openhands-output-jsonl", "openhands-swegym-hf"].flatMap(sources);

function convert(value: unknown): Draft {
  const detection = openhands.detect(value);
  if (!detection.match) throw new Error("not detected");
  const [draft] = openhands.convert({ value, variant: detection.variant, stem: "x" });
  if (draft === undefined) throw new Error("no draft");
  return draft;
}

interface Counts {
  readonly system: number;
  readonly user: number;
  readonly agent: number;
  readonly calls: number;
  readonly results: number;
}

/** Counted over the source alone. */
function counted(value: unknown): Counts {
  const row = value as Json;
  const items = (Array.isArray(value) ? value : (row["history"] ?? row["trajectory"] ?? row["content"])) as
    | Json[]
    | undefined;
  if (items === undefined) return countedMessages(row["messages"] as Json[]);
  return items.some((item) => "class_" in item) ? countedAdp(items) : countedEvents(items);
}

const FRAMEWORK = new Set(["null", "agent_state_changed", "change_agent_state", "recall"]);

function countedEvents(events: readonly Json[]): Counts {
  const actions = events.filter((event) => "action" in event && !FRAMEWORK.has(event["action"] as string));
  // In the fixtures each reply makes one action, and only the first message of flat logs is the user's.
  const user = actions.filter(
    (event, at) => event["source"] === "user" || (!("source" in event) && at === 0),
  );
  const system = actions.filter((event) => event["action"] === "system");
  const said = actions.filter((event) => event["action"] === "message").length - user.length;
  const calls = actions.length - user.length - system.length - said;
  const results = events.filter(
    (event) => "observation" in event && !FRAMEWORK.has(event["observation"] as string),
  ).length;
  return { system: system.length, user: user.length, agent: calls + said, calls, results };
}

function countedAdp(items: readonly Json[]): Counts {
  const calls = items.filter((item) => "function" in item).length;
  const seen = items.filter((item) => "class_" in item);
  const system = seen.filter((item) => item["source"] === "system").length;
  const results = seen.filter(
    (item) =>
      item["source"] === "agent" || (item["content"] as string).slice(0, 60).includes("] OBSERVATION:"),
  ).length;
  return { system, user: seen.length - system - results, agent: items.length - seen.length, calls, results };
}

function countedMessages(messages: readonly Json[]): Counts {
  const of = (role: string) => messages.filter((message) => message["role"] === role);
  const native = of("assistant").flatMap(
    (message) => (message["tool_calls"] as unknown[] | null | undefined) ?? [],
  );
  const written = of("assistant").filter((message) => /<function=\w+>/.test(String(message["content"])));
  const inText = of("user").filter((message) =>
    String(message["content"]).startsWith("EXECUTION RESULT of ["),
  );
  return {
    system: of("system").length,
    user: of("user").length - inText.length,
    agent: of("assistant").length,
    calls: native.length + written.length,
    results: of("tool").length + inText.length,
  };
}

describe.skipIf(!present)("OpenHands fixtures (skipped where ../shared/fixtures is absent)", () => {
  it.each(own)("$name is found to be of this format alone", ({ value }) => {
    expect(detectFormat(value, builtinFormats)).toMatchObject({
      kind: "found",
      format: { name: "openhands" },
    });
  });

  it.each(own)("$name becomes a valid document with every message, call and result", ({ value }) => {
    const { document } = convert(value);
    expect(atifSchema.safeParse({ schema_version: ATIF_VERSION, ...document }).error).toBeUndefined();
    const of = (source: string) => document.steps.filter((step) => step.source === source).length;
    expect({
      system: of("system"),
      user: of("user"),
      agent: of("agent"),
      calls: document.steps.flatMap((step) => step.tool_calls ?? []).length,
      results: document.steps.flatMap((step) => step.observation?.results ?? []).length,
    }).toEqual(counted(value));
  });

  it.each(own.filter(({ value }) => JSON.stringify(value).includes('"cause":')))(
    "$name gives every action the observation that names it",
    ({ value }) => {
      const events = (Array.isArray(value) ? value : (value as Json)["history"]) as Json[];
      const expected = events
        .filter((event) => "action" in event && "tool_call_metadata" in event)
        .map((event) => {
          const answer = events.find((other) => other["cause"] === event["id"]);
          const extras = answer?.["extras"] as { metadata?: { exit_code?: number } } | undefined;
          return [answer?.["content"] ?? null, extras?.metadata?.exit_code ?? null];
        });
      const actual = agentSteps(convert(value).document).flatMap((step) =>
        step.calls.map((call) => [call.output, call.exitCode]),
      );
      // Failed edits count as exit code 1, which the source does not state.
      expect(actual.map(([output, code], at) => [output, expected[at]?.[1] === null ? null : code])).toEqual(
        expected,
      );
    },
  );

  it("carry the labels of the data sets", () => {
    const labels = readFileSync(join(FIXTURES, "LABELS.jsonl"), "utf8")
      .split("\n")
      .filter((line) => line.includes('"openhands-'))
      .map((line) => JSON.parse(line) as { file: string; resolved?: boolean; human_feedback?: string });
    expect(labels.length).toBeGreaterThan(0);
    for (const label of labels) {
      const { outcome } = convert(own.find(({ name }) => name === label.file)?.value);
      expect([label.file, outcome.success]).toEqual([label.file, label.resolved ?? null]);
      expect(outcome.feedback).toBe(label.human_feedback);
      expect(outcome.label_source).toBe(label.resolved === undefined ? "feedback" : "resolved");
    }
  });

  it.each(
    [
      "atif",
      "mini-swe-agent",
      "swe-agent",
      "swe-agent-hf",
      "openai-messages/litellm_logs",
      "nemo-gym",
      "openhands-v1",
    ]
      .filter((folder) => existsSync(join(FIXTURES, folder)))
      .flatMap((folder) =>
        readdirSync(join(FIXTURES, folder))
          .filter((file) => /\.(?:json|jsonl|traj)$/.test(file))
          .map((file) => join(folder, file)),
      ),
  )("%s is left to its own format", (file) => {
    const content = readFileSync(join(FIXTURES, file), "utf8");
    const records = file.endsWith(".jsonl") ? content.split("\n").filter((line) => line !== "") : [content];
    for (const one of records) expect(openhands.detect(JSON.parse(one)).match).toBe(false);
  });
});
