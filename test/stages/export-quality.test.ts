import { describe, expect, it } from "vitest";
import { InlineCompute } from "../../shared/adapters/local/compute-inline.ts";
import { taskSettings } from "../../shared/adapters/local/task-settings.ts";
import { renderPlot } from "../../shared/adapters/vega/render-plot.ts";
import { checksSchema } from "../../shared/dataset/quality/checks.ts";
import { qualityReportSchema } from "../../shared/dataset/quality/quality-report.ts";
import { TARGET_IDS, targetOf } from "../../shared/dataset/targets/targets.ts";
import { estimateTokens } from "../../shared/judge/tokens.ts";
import { redactionConfigSchema } from "../../shared/redaction/config.ts";
import { createRedactor } from "../../shared/redaction/redactor.ts";
import type { ExportResult } from "../../shared/stages/export.ts";
import { checkVersion } from "../../shared/versions/check-version.ts";
import { versionRows } from "../../shared/versions/version-rows.ts";
import { attemptLines } from "../factories/attempts.ts";
import { chatRow } from "../factories/logs.ts";
import { makePlan } from "../factories/plan.ts";
import { makeStation, type Station } from "../factories/station.ts";

type Written = Exclude<ExportResult, { kind: "empty" }>;

const redactor = createRedactor(redactionConfigSchema.parse({}));
const ALL = { success: ["true", "false"] as ("true" | "false")[] };
const SPLIT = { train: 0.6, validation: 0.4, test: 0, seed: 3 };

function written(result: ExportResult): Written {
  if (result.kind === "empty") throw new Error("the dataset is empty");
  return result;
}

async function filled(tasks = 6): Promise<Station> {
  const station = makeStation();
  station.write("team/attempts.jsonl", `${attemptLines(tasks).join("\n")}\n`);
  await station.run();
  return station;
}

async function readReport(station: Station, { prefix }: Written) {
  return qualityReportSchema.parse(JSON.parse(await station.text(`${prefix}quality.json`)));
}

describe("the checks of an export", () => {
  it.each(TARGET_IDS)(
    "find nothing that fails in rows of %s, nor over its files, JSON Lines or Parquet",
    async (target) => {
      const station = await filled();
      const counts: unknown[] = [];
      for (const files of ["jsonl", "parquet"] as const) {
        const result = written(await station.export({ target, files, split: SPLIT, ...ALL }));
        const report = await readReport(station, result);
        expect(report.checks.filter(({ outcome }) => outcome === "failed")).toEqual([]);
        expect(report.all.rows).toBe(result.manifest.rows);
        expect(report.all.trajectories).toBe(result.manifest.selection.selected);
        const ports = { store: station.local.store, redactor, countTokens: estimateTokens };
        const again = await checkVersion(result.manifest, ports);
        const outcomes = (list: typeof again) =>
          Object.fromEntries(
            list.flatMap(({ id, outcome, count }) => (outcome === "skipped" ? [] : [[id, [outcome, count]]])),
          );
        // Rows tell less than the export knows, so more may be skipped; nothing else may differ.
        expect(outcomes(report.checks)).toMatchObject(outcomes(again));
        counts.push(report.all.length.tokens);
        const columns = new Set(targetOf(target).columns.map(({ name }) => name));
        for await (const { row } of versionRows(result.manifest, {
          store: station.local.store,
          columns: targetOf(target).columns,
        }))
          expect(Object.keys(row).every((name) => columns.has(name))).toBe(true);
      }
      expect(counts[0]).toEqual(counts[1]);
    },
  );

  it("leave nothing of a version that fails, and name check, place and remedy", async () => {
    const station = await filled();
    const checks = checksSchema.parse({ maxTokens: 60 });
    const error = await station.export({ checks, ...ALL }).catch((fault: unknown) => fault);
    expect(error).toMatchObject({
      name: "DatasetCheckError",
      message: expect.stringMatching(/over-length: \d+ \(rows .*train row 1 \([0-9a-f]{12}: \d+ tokens\)/),
    });
    expect(await station.keys("datasets/")).toEqual([]);
    for await (const dataset of station.local.catalog.datasets()) expect(dataset).toBeUndefined();
    expect((await station.select()).every(({ exportCount }) => exportCount === 0)).toBe(true);
  });

  it("let the version pass where that is allowed; manifest, report and card say so", async () => {
    const station = await filled();
    const checks = checksSchema.parse({ maxTokens: 60, allow: ["over-length"] });
    const result = written(await station.export({ checks, ...ALL }));
    expect(result.manifest.checks).toContainEqual({
      id: "over-length",
      outcome: "allowed",
      count: expect.any(Number),
    });
    expect(result.manifest.settings["checks"]).toMatchObject({ allow: ["over-length"] });
    const report = await readReport(station, result);
    expect(report.checks.find(({ id }) => id === "over-length")).toMatchObject({
      outcome: "allowed",
      threshold: 60,
    });
    expect(await station.text(`${result.prefix}README.md`)).toMatch(/\| `over-length` \| allowed \| \d+ \|/);
    expect(written(await station.export({ checks, ...ALL })).kind).toBe("unchanged");
  });

  it("find by a second pass what the rules of today redact and those of ingest did not", async () => {
    const station = makeStation();
    station.write("team/a.json", chatRow({ task: "a", answer: "The code word is swordfish-77." }));
    await station.run();
    const redaction = redactionConfigSchema.parse({
      custom: [{ name: "CODE_WORD", regex: "swordfish-\\d+" }],
    });
    const compute = new InlineCompute(await taskSettings(makePlan({ redaction })));
    const error = await station.export({}, { compute }).catch((fault: unknown) => fault);
    expect(error).toMatchObject({
      name: "DatasetCheckError",
      message: expect.stringMatching(/secrets: 1 .*train row 1 \([0-9a-f]{12}: messages CODE_WORD\)/),
    });
    expect(String(error)).not.toContain("swordfish");
    expect(await station.keys("datasets/")).toEqual([]);
    expect(written(await station.export()).manifest.rows).toBe(1);
  });
});

describe("the quality report of an export", () => {
  it("adds up what is in the set and in each of its splits", async () => {
    const station = await filled(10);
    const result = written(await station.export({ split: SPLIT, ...ALL }));
    const { all, splits } = await readReport(station, result);
    expect(Object.keys(splits)).toEqual(["train", "validation"]);
    const sum = (of: (section: typeof all) => number): number =>
      Object.values(splits).reduce((total, section) => total + of(section), 0);
    expect(sum(({ rows }) => rows)).toBe(all.rows);
    expect(sum(({ tools }) => tools["bash"] ?? 0)).toBe(all.tools["bash"]);
    expect(all.outcome).toEqual({ success: 12, failure: 20 });
    expect(all.outcome).toMatchObject({
      success: result.manifest.statistics.by_success["true"],
      failure: result.manifest.statistics.by_success["false"],
    });
    // Three calls of the good, three and one of the poor, and those of the task with one attempt.
    expect(all.tools).toEqual({ bash: 10 * 7 + 2 });
    expect(all.length.steps?.n).toBe(32);
    expect(all.length.messages?.mean).toBeCloseTo(result.manifest.statistics.messages / 32, 3);
    expect(all.reward?.mean).toBeCloseTo(result.manifest.statistics.reward_mean ?? 0, 3);
  });

  it("has plots whose bytes depend on nothing but the rows, with texts as texts and colours for dark pages", async () => {
    const bytes: Record<string, string>[] = [];
    for (const _ of [1, 2]) {
      const station = await filled();
      const result = written(await station.export({ split: SPLIT, ...ALL }, { plots: renderPlot }));
      const names = (await station.keys(result.prefix)).filter((key) => key.endsWith(".svg"));
      expect(names.map((name) => name.slice(result.prefix.length))).toEqual([
        "plots/domain.svg",
        "plots/length.svg",
        "plots/outcome.svg",
        "plots/reward.svg",
        "plots/tools.svg",
      ]);
      bytes.push(
        Object.fromEntries(await Promise.all(names.map(async (name) => [name, await station.text(name)]))),
      );
      const card = await station.text(`${result.prefix}README.md`);
      for (const name of names) {
        const path = name.slice(result.prefix.length);
        expect(card).toMatch(new RegExp(`!\\[[^\\]]+\\]\\(${path.replace(".", "\\.")}\\)`));
        expect(result.manifest.beside.map((file) => file.path)).toContain(path);
      }
    }
    expect(bytes[0]).toEqual(bytes[1]);
    const [tools = ""] = Object.entries(bytes[0] ?? {}).flatMap(([name, svg]) =>
      name.includes("tools") ? [svg] : [],
    );
    expect(tools).toMatch(/<text[^>]*>bash<\/text>/);
    expect(tools).toContain("prefers-color-scheme:dark");
    expect(tools).not.toMatch(/<script|href="http|url\(http/);
  });

  it("shows names of tools as what they are, not as marks of a card or picture", async () => {
    const station = makeStation();
    const name = "x](y) <script>|`";
    station.write("team/a.json", chatRow({ task: "a" }).replaceAll('"bash"', JSON.stringify(name)));
    await station.run();
    const result = written(await station.export({}, { plots: renderPlot }));
    expect((await readReport(station, result)).all.tools).toEqual({ [name]: 2 });
    expect(await station.text(`${result.prefix}plots/tools.svg`)).not.toContain("<script>");
    expect(await station.text(`${result.prefix}README.md`)).not.toContain("<script>");
  });
});

describe("the front matter of a card", () => {
  it("says license, language, tags and size as Hugging Face reads them", async () => {
    const station = await filled();
    const card = { license: "cc-by-4.0", language: ["en", "no"], tags: ["code"] };
    const { prefix } = written(await station.export({ card }));
    const [, front = ""] = (await station.text(`${prefix}README.md`)).split("---\n");
    expect(front).toContain('license: "cc-by-4.0"\nlanguage:\n  - "en"\n  - "no"\n');
    expect(front).toContain("size_categories:\n  - n<1K\n");
    expect(front).toContain(
      'tags:\n  - agent-trajectories\n  - tool-use\n  - gymline\n  - "sft"\n  - code\n',
    );
  });
});
