import canonicalize from "canonicalize";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InlineCompute } from "../../shared/adapters/local/compute-inline.ts";
import { taskSettings } from "../../shared/adapters/local/task-settings.ts";
import { datasetRequestSchema } from "../../shared/contracts/dataset-request.ts";
import type { DatasetInput } from "../../shared/dataset/manifest.ts";
import type { DatasetEntry } from "../../shared/ports/catalog.ts";
import { parseRewardConfig } from "../../shared/reward/config.ts";
import type { ExportResult } from "../../shared/stages/export.ts";
import { rescore } from "../../shared/stages/reprocess.ts";
import { changes, diffVersions } from "../../shared/versions/diff-versions.ts";
import { findVersion } from "../../shared/versions/find-version.ts";
import { placeOfLine, placeOfRow } from "../../shared/versions/row-place.ts";
import { inputsOfRow, versionInputs } from "../../shared/versions/version-inputs.ts";
import { versionUses } from "../../shared/versions/version-uses.ts";
import { chatRow } from "../factories/logs.ts";
import { makePlan } from "../factories/plan.ts";
import { makeStation, type Station } from "../factories/station.ts";
import { OTHER } from "../stages/ingest-helpers.ts";

type Written = Exclude<ExportResult, { kind: "empty" }>;

async function exported(station: Station, request: Parameters<Station["export"]>[0] = {}): Promise<Written> {
  const result = await station.export(request);
  if (result.kind === "empty") throw new Error("the dataset is empty");
  return result;
}

async function inputsOf(station: Station, { manifest }: Written): Promise<readonly DatasetInput[]> {
  const inputs: DatasetInput[] = [];
  for await (const input of versionInputs(manifest, station.local)) inputs.push(input);
  return inputs;
}

/** Six tasks with two good attempts and a bad one each. */
async function filled(): Promise<Station> {
  const station = makeStation();
  for (let task = 0; task < 6; task += 1) {
    const attempts = [0, 1, 2].map((attempt) =>
      chatRow({
        task: `task-${task}`,
        calls: Array.from({ length: attempt + 1 }, (_, turn) => [`try ${turn}`, "out"] as const),
        success: attempt < 2,
      }),
    );
    station.write(`team/${task}.jsonl`, attempts.join("\n"));
  }
  await station.run();
  return station;
}

const SPLIT = { train: 0.5, validation: 0.3, test: 0.2, seed: 3 };

describe("the inputs of a version", () => {
  it("name each trajectory once, with what was rendered and in which rows of which file it stands", async () => {
    const station = await filled();
    const written = await exported(station, { shardRows: 2, split: SPLIT });
    const inputs = await inputsOf(station, written);
    expect(inputs).toHaveLength(12);
    expect(new Set(inputs.map(({ id }) => id)).size).toBe(12);
    for (const { id, split, rows, ...rendered } of inputs) {
      const entry = await station.local.catalog.entry(id);
      const { revision, scorer, reward, contentId: content_id } = entry ?? {};
      expect(rendered).toEqual({ revision, scorer, reward, content_id });
      expect(rows).toHaveLength(1);
      const place = placeOfRow(written.manifest, { split, number: rows[0] ?? 0 });
      const lines = (await station.text(`${written.prefix}${place?.path}`)).split("\n");
      expect(JSON.parse(lines[(place?.line ?? 0) - 1] ?? "")).toMatchObject({ id });
    }
  });

  it("name all trajectories of a pair, and all pairs of a trajectory", async () => {
    const station = await filled();
    const { pairs: pairing } = datasetRequestSchema.parse({
      pairs: { strategy: "all-pairs", margin: 0.001 },
    });
    const written = await exported(station, { target: "trl-dpo", split: SPLIT, pairs: pairing });
    const inputs = await inputsOf(station, written);
    const pairs = inputs.flatMap(({ rows, split }) => rows.map((row) => `${split} ${row}`));
    expect(pairs).toHaveLength(2 * written.manifest.rows);
    expect(inputs.some(({ rows }) => rows.length > 1)).toBe(true);
    for (const { split, rows } of written.manifest.files) {
      for (let number = 1; number <= rows; number += 1) {
        const of = await inputsOfRow(written.manifest, { split, number, store: station.local.store });
        expect(of).toHaveLength(2);
        const tasks = await Promise.all(
          of.map(async ({ id }) => (await station.local.catalog.entry(id))?.taskId),
        );
        expect(new Set(tasks).size).toBe(1);
      }
    }
    const [first] = inputs;
    const uses = await versionUses([first?.id ?? ""], station.local);
    expect(uses.get(first?.id ?? "")?.map(({ rows }) => rows)).toEqual([
      first?.rows.map((number) => placeOfRow(written.manifest, { split: first.split, number })),
    ]);
  });

  it("are told by line where the file is damaged", async () => {
    const station = await filled();
    const written = await exported(station);
    const key = `${written.prefix}inputs.jsonl`;
    const lines = (await station.text(key)).split("\n");
    await station.local.store.put(key, Buffer.from([lines[0], "{", ...lines.slice(2)].join("\n")));
    await expect(inputsOf(station, written)).rejects.toThrow(
      /inputs\.jsonl:2: it is no JSON; gymline datasets verify sft\//,
    );
    await station.local.store.put(key, Buffer.from([lines[0], '{"id":7}'].join("\n")));
    await expect(inputsOf(station, written)).rejects.toThrow(/inputs\.jsonl:2: id: /);
  });
});

describe("a row's place", () => {
  const files = fc.array(
    fc.record({
      split: fc.constantFrom("train" as const, "validation" as const, "test" as const),
      rows: fc.integer({ min: 1, max: 9 }),
    }),
    { minLength: 1, maxLength: 8 },
  );

  it("by its number and by its line are the same, through all files of a split", () => {
    fc.assert(
      fc.property(files, (some) => {
        const manifest = {
          files: some.map((file, index) => ({
            ...file,
            path: `${index}.jsonl`,
            tasks: 1,
            bytes: 1,
            sha256: "",
          })),
        };
        const next = { train: 0, validation: 0, test: 0 };
        for (const { path, split, rows } of manifest.files) {
          for (let line = 1; line <= rows; line += 1) {
            const place = { split, number: ++next[split], path, line };
            expect(placeOfLine(manifest, place)).toEqual(place);
            expect(placeOfRow(manifest, place)).toEqual(place);
          }
          for (const line of [0, rows + 1]) expect(placeOfLine(manifest, { path, line })).toBeUndefined();
        }
        for (const split of ["train", "validation", "test"] as const) {
          for (const number of [0, next[split] + 1])
            expect(placeOfRow(manifest, { split, number })).toBeUndefined();
        }
        expect(placeOfLine(manifest, { path: "other.jsonl", line: 1 })).toBeUndefined();
      }),
    );
  });
});

describe("a version by its name", () => {
  const entries: readonly DatasetEntry[] = [
    ["sft", "aaaa11"],
    ["sft", "aaaa22"],
    ["sft", "bbbb00"],
    ["sft-long", "cccc00"],
    ["pairs", "aa"],
    ["pairs", "aabb"],
  ].map(([name = "", version = ""], createdAt) => ({
    name,
    version,
    format: "sft-messages",
    rows: 1,
    createdAt,
    announced: true,
  }));
  const catalog = {
    datasets: async function* () {
      yield* entries;
    },
  };
  const found = async (text: string): Promise<string> => (await findVersion(text, catalog)).version;

  it("is the newest of a dataset, the one of its first digits, or the one of a path", async () => {
    expect(await found("sft")).toBe("bbbb00");
    expect(await found("sft/b")).toBe("bbbb00");
    expect(await found("sft/aaaa1")).toBe("aaaa11");
    expect(await found("datasets/sft/aaaa22/")).toBe("aaaa22");
    expect(await found("/tmp/out/datasets/sft-long/cccc00")).toBe("cccc00");
    expect(await found("pairs/aa")).toBe("aa");
  });

  it.each([
    ["sfd", /no dataset "sfd"; nearest are sft, sft-long, pairs/],
    ["pair/aa", /nearest are pairs/],
    ["sft/aaaa", /sft\/aaaa means several versions: aaaa22, aaaa11/],
    ["sft/aaaa33", /no version that starts with "aaaa33"; it has aaaa22, aaaa11, bbbb00/],
    ["sft/aaaa11/train", /names no dataset version/],
    ["", /names no dataset version/],
  ])("that is none, or several, is refused with what may be meant: %s", async (text, message) => {
    await expect(findVersion(text, catalog)).rejects.toThrow(message);
  });

  it("is refused where there is no dataset at all", async () => {
    await expect(findVersion("sft", { datasets: async function* () {} })).rejects.toThrow(/no dataset yet/);
  });
});

describe("the difference of two versions", () => {
  it("names settings, trajectories that came and went, scores, revisions and counts", async () => {
    const station = await filled();
    const before = await exported(station);
    expect(await diffVersions([before.manifest, before.manifest], station.local.store)).toMatchObject({
      ...{ settings: [], counts: [], statistics: [], added: [], removed: [], unchanged: 12 },
    });
    station.write("team/new.jsonl", chatRow({ task: "task-new" }));
    await station.run();
    const [gone] = await station.select({ task: "task-0", success: ["true"] });
    await station.forget(gone?.id ?? "");
    const [again] = await station.select({ task: "task-1", success: ["true"] });
    const reward = parseRewardConfig({ outcomeWeight: 0.8, processWeight: 0.1, efficiencyWeight: 0.1 });
    const compute = new InlineCompute(await taskSettings(makePlan({ reward })));
    for await (const _ of rescore({ ids: [again?.id ?? ""] }, { ...station.local, compute }));
    const after = await exported(station, { minReward: 0.1 });
    const diff = await diffVersions([before.manifest, after.manifest], station.local.store);
    const [added] = await station.select({ task: "task-new" });
    expect(diff.added.map(({ id }) => id)).toEqual([added?.id]);
    expect(diff.removed.map(({ id }) => id)).toEqual([gone?.id]);
    expect(diff.rescored).toMatchObject([{ id: again?.id, before: { scorer: again?.scorer } }]);
    expect(diff).toMatchObject({ revised: [], unchanged: 10 });
    expect(diff.settings).toEqual([{ path: "minReward", before: undefined, after: 0.1 }]);
    expect(diff.statistics.map(({ path }) => path)).toContain("reward_mean");
    await station.run(OTHER, { force: true });
    const revised = await exported(station, {
      minReward: 0.1,
      split: { ...SPLIT, train: 0.1, validation: 0.7 },
    });
    const later = await diffVersions([after.manifest, revised.manifest], station.local.store);
    expect(later.revised).toHaveLength(12);
    expect(later.moved.length).toBeGreaterThan(0);
    expect(later).toMatchObject({ added: [], removed: [], unchanged: 0 });
    expect(later.counts.map(({ path }) => path)).toContain("splits.train.rows");
  });

  it("of two JSON values is empty exactly where they are equal, and leads from one to the other", () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(changes(a, structuredClone(a))).toEqual([]);
        const turned = changes(b, a).map(({ path, before, after }) => ({
          path,
          before: after,
          after: before,
        }));
        expect(changes(a, b)).toEqual(turned);
        if (changes(a, b).length === 0) expect(canonicalize(a)).toBe(canonicalize(b));
      }),
    );
  });
});
