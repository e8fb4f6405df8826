import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { applyCalibration, parseCalibration } from "../../shared/calibration/calibration-document.ts";
import { labelKey } from "../../shared/contracts/keys.ts";
import type { Label } from "../../shared/contracts/label.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { gymline } from "./program.ts";

const SAMPLES = resolve(import.meta.dirname, "../../shared/samples/drop");

const entrySchema = z.looseObject({ id: z.string(), reward: z.number().nullable() });
type Entry = z.infer<typeof entrySchema>;
const estimateSchema = z.looseObject({ value: z.number().nullable(), n: z.number() });
const reportSchema = z.looseObject({
  comparison: z.looseObject({ n: z.number(), spearman: estimateSchema, mean_absolute_error: estimateSchema }),
  labels: z.looseObject({
    by_annotator: z.record(z.string(), z.number()),
    by_kind: z.record(z.string(), z.number()),
    alpha: estimateSchema.nullable(),
  }),
  calibration: z.looseObject({ method: z.string(), layer: z.string() }).nullable(),
  out: z.string().nullable(),
});

function putLabel(
  store: string,
  label: Partial<Label> & Pick<Label, "trajectory_id" | "annotator" | "score">,
): void {
  const path = join(store, labelKey(label.trajectory_id, label.annotator));
  mkdirSync(dirname(path), { recursive: true });
  const labelled_at = "2026-01-02T03:04:05Z";
  writeFileSync(path, JSON.stringify({ schema: "gymline.label.v1", labelled_at, ...label }));
}

function unit(value: number): number {
  return Math.min(1, Math.max(0, value));
}

describe("gymline calibrate", () => {
  let folder = "";
  let store = "";
  let entries: readonly Entry[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "gymline-calibrate-"));
    store = join(folder, "out");
    const run = await gymline(["run", SAMPLES, "--out", store, "--no-export"], { cwd: folder });
    expect([0, 2]).toContain(run.code);
    const { stdout } = await gymline(["list", "--store", store, "--json", "--limit", "1000"], {
      cwd: folder,
    });
    const listed = stdout
      .split("\n")
      .flatMap((line) => (line === "" ? [] : [entrySchema.parse(JSON.parse(line))]));
    entries = listed.filter(({ reward }) => reward !== null);
    expect(entries.length).toBeGreaterThan(12);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function label(count: number, human: (reward: number) => number): void {
    rmSync(join(store, "labels"), { recursive: true, force: true });
    for (const [index, { id, reward }] of entries.slice(0, count).entries()) {
      const score = unit(human(reward ?? 0));
      putLabel(store, { trajectory_id: id, annotator: "ann", score, success: score > 0.5 });
      // The second annotator saw every other one, and thinks nearly the same.
      if (index % 2 === 0)
        putLabel(store, { trajectory_id: id, annotator: "ben", score: unit(score + 0.02) });
    }
  }

  it("compares the store's scores with its labels and writes a calibration that maps the one to the other", async () => {
    label(entries.length, (reward) => 0.1 + 0.4 * reward);
    const cwd = temporaryFolder("calibrate");
    const { code, stdout, stderr } = await gymline(["calibrate", "--store", store], { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/Spearman +\d\.\d{3} +/);
    expect(stdout).toMatch(/Krippendorff's alpha 0\.\d{3}, /);
    expect(stdout).toContain("written to calibration.json");
    const calibration = parseCalibration(
      readFileSync(join(cwd, "calibration.json"), "utf8"),
      "calibration.json",
    );
    expect(calibration).toMatchObject({ method: "linear", layer: "total", n: entries.length, seed: 1 });
    expect(calibration.labels.by_annotator["ann"]).toBe(entries.length);
    const [best] = entries;
    expect(applyCalibration(calibration, best?.reward ?? 0)).toBeCloseTo(0.1 + 0.4 * (best?.reward ?? 0), 1);
    expect(calibration.cross_validation.after.brier.value ?? 9).toBeLessThan(0.005);
  });

  it("gives the same calibration for the same seed and another for another", async () => {
    label(entries.length, (reward) => 0.1 + 0.4 * reward);
    const version = async (seed: string): Promise<string> => {
      const { stdout } = await gymline(["calibrate", "--store", store, "--seed", seed, "--json"]);
      return z.object({ calibration: z.object({ version: z.string() }) }).parse(JSON.parse(stdout))
        .calibration.version;
    };
    const first = await version("7");
    expect(await version("7")).toBe(first);
    expect(await version("8")).not.toBe(first);
  });

  it("averages annotators, sets the process score beside labelled steps, and says what it left out", async () => {
    label(entries.length, (reward) => reward);
    const [first] = entries;
    const steps = [
      { index: 0, score: 0.2 },
      { index: 1, score: 0.6 },
    ];
    putLabel(store, { trajectory_id: first?.id ?? "", annotator: "ann", score: 1, steps });
    putLabel(store, { trajectory_id: "0".repeat(64), annotator: "ann", score: 1 });
    const args = ["calibrate", "--store", store, "--layer", "process", "--json"];
    const { code, stdout, stderr } = await gymline(args);
    expect(code).toBe(0);
    expect(stderr).toContain("1 labelled trajectory left out: not in");
    const report = reportSchema.parse(JSON.parse(stdout));
    expect(report.labels.by_kind["steps"]).toBe(1);
    expect(report.labels.by_kind["overall"]).toBeGreaterThan(10);
    expect(report.labels.alpha?.n).toBeGreaterThan(5);
    expect(report.calibration?.layer).toBe("process");
    expect(report.out).toBe("calibration.process.json");
    const none = await gymline(["calibrate", "--store", store, "--layer", "critic"]);
    expect([none.code, none.stdout]).toEqual([1, ""]);
    expect(none.stderr).toContain("no critic score");
  });

  it("compares a few labels, but fits nothing to them, says how many are needed and exits with 2", async () => {
    label(5, (reward) => reward);
    const cwd = temporaryFolder("calibrate");
    const { code, stdout, stderr } = await gymline(["calibrate", "--store", store], { cwd });
    expect(code).toBe(2);
    expect(stdout).toContain("5 labelled scores");
    expect(stderr).toContain("at least 10 are needed");
    expect(existsSync(join(cwd, "calibration.json"))).toBe(false);
    label(1, (reward) => reward);
    const one = await gymline(["calibrate", "--store", store], { cwd });
    expect([one.code, one.stdout]).toEqual([1, ""]);
    expect(one.stderr).toContain("at least 2");
    label(entries.length, () => 1);
    const level = await gymline(["calibrate", "--store", store, "--json"], { cwd });
    expect(level.code).toBe(2);
    expect(level.stderr).toContain("human scores are");
  });

  it("names a label that is broken", async () => {
    label(12, (reward) => reward);
    const key = labelKey(entries[0]?.id ?? "", "ann");
    writeFileSync(join(store, key), '{"schema":"gymline.label.v1"');
    const broken = await gymline(["calibrate", "--store", store]);
    expect([broken.code, broken.stdout]).toEqual([1, ""]);
    expect(broken.stderr).toContain(key);
    putLabel(store, { trajectory_id: entries[0]?.id ?? "", annotator: "ann", score: 7 });
    expect((await gymline(["calibrate", "--store", store])).stderr).toContain(`${key}: score`);
  });

  it("takes a file of two columns or of rows", async () => {
    const cwd = temporaryFolder("calibrate");
    writeFileSync(join(cwd, "two.json"), '{"reward_scores": [1, 2, 5], "human_scores": [2, 3, 9]}');
    const two = await gymline(["calibrate", "two.json", "--json"], { cwd });
    expect(two.code).toBe(2);
    const compared = reportSchema.parse(JSON.parse(two.stdout));
    expect(compared.comparison).toMatchObject({ n: 3, spearman: { value: 1 } });
    expect(compared.calibration).toBeNull();
    const rows = Array.from(
      { length: 40 },
      (_, index) => `${index / 40},${(index / 40) ** 2},g${index % 10}`,
    );
    writeFileSync(join(cwd, "rows.csv"), `score,human,group\n${rows.join("\n")}\n`);
    const fitted = await gymline(["calibrate", "rows.csv", "--out", "cal.json"], { cwd });
    expect([fitted.code, fitted.stderr]).toEqual([0, ""]);
    expect(parseCalibration(readFileSync(join(cwd, "cal.json"), "utf8"), "cal.json")).toMatchObject({
      groups: 10,
    });
    writeFileSync(join(cwd, "bad.jsonl"), '{"score":1,"human":1}\n{"score":1}\n');
    const bad = await gymline(["calibrate", "bad.jsonl"], { cwd });
    expect([bad.code, bad.stdout]).toEqual([1, ""]);
    expect(bad.stderr).toContain("bad.jsonl:2: human");
    expect(bad.stderr).not.toMatch(/^ {4}at /m);
    for (const [args, reason] of [
      [["absent.csv"], "absent.csv cannot be read"],
      [["rows.csv", "--layer", "outcome"], "--layer takes total"],
      [["rows.csv", "--seed", "x"], "--seed takes a whole number"],
      [["--store", store, "--group", "agent"], "--group takes task or repo"],
    ] as const) {
      const refused = await gymline(["calibrate", ...args], { cwd });
      expect([refused.code, refused.stdout]).toEqual([1, ""]);
      expect(refused.stderr).toContain(reason);
    }
  });
});
