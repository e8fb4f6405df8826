import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fileSource } from "../../shared/adapters/local/file-source.ts";
import { walkDrop } from "../../shared/adapters/local/walk.ts";
import type { DomainProfile } from "../../shared/domains/profile.ts";
import { parseJudgeConfig } from "../../shared/judge/config.ts";
import { planJudging } from "../../shared/judge/plan.ts";
import { estimateTokens } from "../../shared/judge/tokens.ts";
import { readRecords } from "../../shared/reading/read-records.ts";
import { redactionConfigSchema } from "../../shared/redaction/config.ts";
import { type Rubric, rubricsOf } from "../../shared/reward/rubrics.ts";
import { ingestRecord } from "../../shared/stages/ingest-record.ts";
import { ingestSettings } from "../../shared/stages/ingest-settings.ts";
import { profileFor } from "../../shared/stages/score-trajectory.ts";
import { agentSteps } from "../../shared/trajectory/agent-steps.ts";
import { contentText } from "../../shared/trajectory/content.ts";
import { builtinFormats } from "../../shared/trajectory/formats/builtin.ts";
import { isPartOfOne } from "../../shared/trajectory/registry.ts";
import type { Trajectory } from "../../shared/trajectory/schema.ts";
import { limitsOf } from "../reading/sources.ts";
import type { Figure } from "./figure.ts";
import { median } from "./median.ts";

const FIXTURES = join(import.meta.dirname, "../../../shared/fixtures");
const FOLDERS = [
  ...["openhands-v0", "openhands-output-jsonl", "openhands-swegym-hf", "swe-agent", "swe-agent-hf"],
  ...["mini-swe-agent", "openai-messages", "atif"],
];
/** Prices of batched calls and of cache reads, over the full input price. */
const BATCH = 0.5;
const CACHE_READ = 0.1;
/** Tokens of knowlyr-gym's instructions (version 0.1.2), by domain, and characters of a line of its context. */
const REFERENCE_INSTRUCTIONS: Readonly<Record<string, number>> = {
  conversation: 391,
  engineering: 344,
  advisory: 371,
  discussion: 432,
};
const REFERENCE_DEFAULT = 291;
const REFERENCE_CONTEXT_LINE = 40;
const REFERENCE_OUTPUT = 2_000;
const REFERENCE_STEPS = 30;

async function trajectories(): Promise<readonly Trajectory[]> {
  const settings = ingestSettings({
    formats: builtinFormats,
    limits: limitsOf(),
    redaction: redactionConfigSchema.parse({}),
  });
  const framer = { isPart: (value: unknown) => isPartOfOne(value, builtinFormats) };
  const found: Trajectory[] = [];
  for (const folder of FOLDERS) {
    for await (const item of walkDrop(join(FIXTURES, folder))) {
      if (item.kind !== "file") continue;
      for await (const read of readRecords({ source: fileSource(item), limits: settings.limits, framer })) {
        if (read.kind !== "record") continue;
        const record = ingestRecord(read.record, settings);
        found.push(...record.trajectories.map(({ trajectory }) => trajectory));
      }
    }
  }
  return found.filter((trajectory) => agentSteps(trajectory).length > 0);
}

/** Tokens of one call a step: instructions, rubrics, task, arguments, the output's start and five lines of context. */
function referenceTokens(trajectory: Trajectory, profile: DomainProfile): readonly number[] {
  const { task } = trajectory.extra.gymline;
  const instructions = REFERENCE_INSTRUCTIONS[profile.domain] ?? REFERENCE_DEFAULT;
  const first = trajectory.steps.find(({ source }) => source === "user");
  const about = task.description ?? contentText(first?.message);
  const rubrics = rubricsOf(profile).filter(({ evaluator }) => evaluator === "model");
  const lines = rubrics.map(
    ({ id, name, weight, description }) => `- ${id} (${name}, ${weight}): ${description}`,
  );
  return agentSteps(trajectory).map(({ calls, message, index }) => {
    const [call] = calls;
    const output = (call?.output ?? (call === undefined ? message : "")).slice(0, REFERENCE_OUTPUT);
    const text = [...lines, about, call?.tool ?? "", JSON.stringify(call?.params ?? {}), output].join("\n");
    const context = "x".repeat(Math.min(5, index) * REFERENCE_CONTEXT_LINE);
    return instructions + estimateTokens(`${text}${context}`);
  });
}

/** Prompt tokens of this project's plan, in tokens at the full input price. */
function planTokens(
  trajectory: Trajectory,
  rubrics: readonly Rubric[],
  options: { readonly maxSteps: number | null; readonly cached: boolean },
): { readonly billed: number; readonly sent: number; readonly requests: number } {
  const config = parseJudgeConfig({ maxSteps: options.maxSteps });
  const { requests } = planJudging({ trajectory, rubrics, config });
  let billed = 0;
  let sent = 0;
  for (const { request } of requests) {
    // The form of the answer belongs to the fixed part, which providers cache.
    const system = estimateTokens(request.system) + estimateTokens(JSON.stringify(request.schema?.schema));
    const rest = request.messages.reduce((sum, { content }) => sum + estimateTokens(content), 0);
    sent += system + rest;
    billed += BATCH * (rest + system * (options.cached ? CACHE_READ : 1));
  }
  return { billed, sent, requests: requests.length };
}

/** Prompt tokens of judging, against one call a step as knowlyr-gym makes them, on the published logs. */
export async function benchJudge(): Promise<readonly Figure[]> {
  if (!existsSync(FIXTURES)) {
    console.log("judge: skipped, ../shared/fixtures is not there");
    return [];
  }
  const all = await trajectories();
  const rows = all.map((trajectory) => {
    const profile = profileFor(trajectory, undefined);
    const rubrics = rubricsOf(profile);
    const reference = referenceTokens(trajectory, profile);
    const perStep = reference.reduce((sum, tokens) => sum + tokens, 0) / reference.length;
    const sampled = perStep * Math.min(reference.length, REFERENCE_STEPS);
    return {
      steps: reference.length,
      every: perStep * reference.length,
      sampled,
      ours: planTokens(trajectory, rubrics, { maxSteps: null, cached: true }),
      uncached: planTokens(trajectory, rubrics, { maxSteps: null, cached: false }),
      oursSampled: planTokens(trajectory, rubrics, { maxSteps: REFERENCE_STEPS, cached: true }),
    };
  });
  const total = (pick: (row: (typeof rows)[number]) => number): number =>
    rows.reduce((sum, row) => sum + pick(row), 0);
  const ratio = total(({ every }) => every) / total(({ ours }) => ours.billed);
  const figure = (name: string, value: number, unit: string): Figure => ({ name, value, unit });
  return [
    figure("judge: trajectories", rows.length, "trajectories"),
    figure(
      "judge: steps",
      total(({ steps }) => steps),
      "steps",
    ),
    figure(
      "judge: prompt tokens a step, one call a step",
      total(({ every }) => every) / total(({ steps }) => steps),
      "tokens",
    ),
    figure(
      "judge: prompt tokens a step, windows, sent",
      total(({ ours }) => ours.sent) / total(({ steps }) => steps),
      "tokens",
    ),
    figure(
      "judge: steps a request",
      total(({ steps }) => steps) / total(({ ours }) => ours.requests),
      "steps",
    ),
    {
      name: "judge: billed prompt tokens, reference over ours",
      value: ratio,
      unit: "×",
      goal: "≥ 15×",
      ok: ratio >= 15,
    },
    figure(
      "judge: the same, median of trajectories",
      median(rows.map(({ every, ours }) => every / ours.billed)),
      "×",
    ),
    figure(
      "judge: the same, no cache hits",
      total(({ every }) => every) / total(({ uncached }) => uncached.billed),
      "×",
    ),
    figure(
      "judge: the same, 30 steps at most",
      total(({ sampled }) => sampled) / total(({ oursSampled }) => oursSampled.billed),
      "×",
    ),
  ];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.table(await benchJudge());
}
