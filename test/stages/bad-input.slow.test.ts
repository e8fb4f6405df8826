import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rejectionReportKey } from "../../shared/contracts/keys.ts";
import { rejectionSchema } from "../../shared/reading/rejection.ts";
import { BAD_INPUTS, CONTENT, ODD_INPUTS, writeBadDrop } from "./bad-drop.ts";

const MAIN = join(import.meta.dirname, "../../containers/gymline/main.ts");
const noPipes = process.platform === "win32";
const skipped = noPipes ? " (SKIPPED: needs named pipes and symbolic links)" : "";

const outputSchema = z.looseObject({
  rejected: z.int(),
  trajectories: z.array(z.looseObject({ task: z.string().nullable(), outcome: z.string() })),
});
const reportSchema = z.strictObject({
  schema: z.literal("gymline.rejections.v1"),
  object: z.string(),
  total: z.int(),
  rejections: z.array(rejectionSchema),
});

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

describe.skipIf(noPipes)(`a drop full of bad input${skipped}`, () => {
  let work = "";
  let exitCode: number | null = null;
  let output: z.infer<typeof outputSchema> = { rejected: 0, trajectories: [] };

  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), "gymline-bad-"));
    writeBadDrop(join(work, "drop"));
    const args = [MAIN, "run", join(work, "drop"), "--out", join(work, "out"), "--jobs", "1", "--json"];
    const ended = spawnSync(process.execPath, args, { cwd: work, encoding: "utf8", maxBuffer: 1 << 26 });
    exitCode = ended.status;
    expect(ended.stderr).toBe("");
    output = outputSchema.parse(JSON.parse(ended.stdout));
  });
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  const reportOf = (path: string): z.infer<typeof reportSchema> =>
    reportSchema.parse(JSON.parse(readFileSync(join(work, "out", rejectionReportKey(path)), "utf8")));

  it("ends with the exit code for rejected input", () => {
    expect(exitCode).toBe(2);
    expect(output.rejected).toBe(BAD_INPUTS.length);
  });

  it.each(BAD_INPUTS.map((input) => [input.path, input] as const))(
    "has one report for %s, with its place, its reason and a remedy",
    (path, { code, place }) => {
      const { object, total, rejections } = reportOf(path);
      expect([object, total]).toEqual([path, 1]);
      expect(rejections).toMatchObject([{ source: path, code, ...place }]);
      const [rejection] = rejections;
      expect(rejection?.reason.length).toBeGreaterThan(10);
      expect(rejection?.remedy.length).toBeGreaterThan(10);
    },
  );

  it("has a report for nothing else", () => {
    const wanted = BAD_INPUTS.map(({ path }) => relative("rejected", rejectionReportKey(path)));
    expect([...filesBelow(join(work, "out/rejected"))].sort()).toEqual([...wanted].sort());
  });

  it("takes every good record beside the bad, and odd ones as they are", () => {
    const tasks = [...BAD_INPUTS.flatMap(({ good }) => good ?? []), ...ODD_INPUTS.map(([, , task]) => task)];
    expect(output.trajectories.map(({ task }) => task).sort()).toEqual(tasks.sort());
    expect(output.trajectories.every(({ outcome }) => outcome === "new")).toBe(true);
  });

  it("quotes none of the bad content, neither in a report nor anywhere else in the store", () => {
    const files = filesBelow(join(work, "out"));
    expect(files.length).toBeGreaterThan(BAD_INPUTS.length);
    const quoting = files.filter((file) => readFileSync(join(work, "out", file)).includes(CONTENT));
    expect(quoting).toEqual([]);
    expect(JSON.stringify(output)).not.toContain(CONTENT);
  });
});
