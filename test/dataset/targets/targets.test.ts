import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { describe, expect, it } from "vitest";
import { datasetRequestSchema } from "../../../shared/contracts/dataset-request.ts";
import type { ColumnType } from "../../../shared/dataset/targets/column-type.ts";
import { TARGET_IDS, type TargetId, targetOf } from "../../../shared/dataset/targets/targets.ts";
import type { ExportResult } from "../../../shared/stages/export.ts";
import { attemptLines, attemptRow } from "../../factories/attempts.ts";
import { atifDocument } from "../../factories/logs.ts";
import { makeStation, type Station } from "../../factories/station.ts";
import { faultsOf } from "./conforms.ts";
import { targetsPage } from "./targets-page.ts";

type Written = Exclude<ExportResult, { kind: "empty" }>;
type Row = Readonly<Record<string, unknown>>;

const root = join(import.meta.dirname, "../../..");
const ALL_TRAIN = { train: 1, validation: 0, test: 0, seed: 42 };

function written(result: ExportResult): Written {
  if (result.kind === "empty") throw new Error(`the dataset is empty: ${JSON.stringify(result.excluded)}`);
  return result;
}

async function filled(tasks = 4): Promise<Station> {
  const station = makeStation();
  station.write("team/attempts.jsonl", `${attemptLines(tasks).join("\n")}\n`);
  station.write("team/atif.json", atifDocument({ task: "atif", success: true }));
  await station.run();
  return station;
}

async function rowsOf(station: Station, { prefix, manifest }: Written): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { path } of manifest.files) {
    if (path.endsWith(".jsonl")) {
      const lines = (await station.text(prefix + path)).trimEnd().split("\n");
      rows.push(...lines.map((line) => JSON.parse(line) as Row));
    } else {
      const bytes = await station.local.store.read(prefix + path);
      const file = new Uint8Array(bytes).buffer;
      rows.push(...((await parquetReadObjects({ file })) as Row[]).map((row) => withNulls(row) as Row));
    }
  }
  return rows;
}

/** The reader gives a list inside an object that is null as undefined. */
function withNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withNulls);
  if (typeof value !== "object" || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withNulls(item)]));
}

/** What a value of JSON Lines is in Parquet, read back. */
function inParquet(value: unknown, type: ColumnType): unknown {
  if (value === undefined || value === null) return null;
  if (type === "json") return JSON.stringify(value);
  if (type === "int64") return BigInt(value as number);
  if (typeof type === "string") return value;
  if ("list" in type) return (value as readonly unknown[]).map((item) => inParquet(item, type.list));
  return Object.fromEntries(
    type.struct.map(({ name, type: of }) => [name, inParquet((value as Row)[name], of)]),
  );
}

describe("the table of targets", () => {
  it("is what the documentation says", async () => {
    await expect(targetsPage()).toMatchFileSnapshot(join(root, "docs/TARGETS.md"));
  });

  it("names columns once in each target", () => {
    for (const id of TARGET_IDS) {
      const names = targetOf(id).columns.map(({ name }) => name);
      expect(new Set(names).size, id).toBe(names.length);
    }
  });

  it("answers an unknown target with the known ones", () => {
    const { error } = datasetRequestSchema.safeParse({ target: "trl-ppo" });
    expect(error?.issues[0]?.message).toContain('"trl-ppo"');
    for (const id of TARGET_IDS) expect(error?.issues[0]?.message).toContain(id);
  });
});

describe("an export", () => {
  it("of every target has the rows that the table says, in both file formats, and always the same", async () => {
    const station = await filled();
    const again = await filled();
    for (const target of TARGET_IDS) {
      const request = { target, name: target, split: ALL_TRAIN } as const;
      const jsonl = written(await station.export({ ...request, files: "jsonl" }));
      const rows = await rowsOf(station, jsonl);
      expect(rows.length, target).toBeGreaterThan(1);
      expect(jsonl.manifest.format).toBe(targetOf(target).format);
      const { columns } = targetOf(target);
      expect(rows.flatMap((row) => faultsOf(row, columns))).toEqual([]);
      if (columns.some(({ name }) => name === "tokens")) {
        expect(rows.map(({ tokens }) => tokens)).toEqual(
          rows.map(() => expect.stringMatching(/^(token_exact|text_only)$/)),
        );
      }
      const { considered, selected, excluded } = jsonl.manifest.selection;
      const left = Object.values(excluded).reduce((sum, count) => sum + count, 0);
      expect([target, selected + left]).toEqual([target, considered]);

      const parquet = written(await station.export({ ...request, files: "parquet" }));
      const expected = rows.map((row) =>
        Object.fromEntries(columns.map(({ name, type }) => [name, inParquet(row[name], type)])),
      );
      expect(await rowsOf(station, parquet), target).toEqual(expected);
      expect(parquet.manifest.version).not.toBe(jsonl.manifest.version);

      const other = written(await again.export({ ...request, files: "parquet" }));
      expect(other.manifest).toEqual(parquet.manifest);
    }
  });

  it("has another version for each target", async () => {
    const station = await filled(1);
    const versions = new Set<string>();
    for (const target of TARGET_IDS) {
      const result = await station.export({ target, success: ["true", "false", "unknown"] });
      if (result.kind !== "empty") versions.add(result.manifest.version);
    }
    expect(versions.size).toBeGreaterThan(15);
  });

  it("ends a file after so many rows, and keeps the rows of a group in one file", async () => {
    const station = await filled(6);
    const single = written(await station.export({ split: ALL_TRAIN, shardRows: 3 }));
    expect(single.manifest.files.map(({ path, rows }) => [path, rows])).toEqual([
      ["train-00000.jsonl", 3],
      ["train-00001.jsonl", 3],
      ["train-00002.jsonl", 3],
    ]);
    expect(single.manifest.files.reduce((sum, { rows }) => sum + rows, 0)).toBe(single.manifest.rows);
    const card = await station.text(`${single.prefix}README.md`);
    expect(card).toContain("          - train-00002.jsonl\n");

    const groups = written(
      await station.export({ target: "grpo-offline", split: ALL_TRAIN, shardRows: 2, files: "parquet" }),
    );
    expect(groups.manifest.files.map(({ rows }) => rows)).toEqual([3, 3, 3, 3, 3, 3]);
    expect(groups.manifest.files.map(({ tasks }) => tasks)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it("leaves nothing of a sharded set behind when a document is lost", async () => {
    const station = await filled(6);
    const [last] = (await station.select({ success: ["true"] })).slice(-1);
    for (const key of await station.keys("trajectories/")) {
      if (key.includes(last?.id ?? "?")) await station.local.store.remove(key);
    }
    await expect(station.export({ shardRows: 2, split: ALL_TRAIN })).rejects.toThrow(last?.id ?? "?");
    expect(await station.keys("datasets/")).toEqual([]);
  });

  const nothing: readonly (readonly [TargetId, string, readonly string[], string])[] = [
    ["trl-dpo", "one attempt", [attemptRow({ task: "t" })], "the only attempt at its task"],
    [
      "grpo-offline",
      "equal rewards",
      [1, 2].map((go) => attemptRow({ task: "t", calls: [["ls", `a ${go}`]] })),
      "all rewards of its group are equal",
    ],
    [
      "trl-dpo",
      "equal rewards",
      [1, 2].map((go) => attemptRow({ task: "t", calls: [["ls", `a ${go}`]] })),
      "all rewards of its task are equal",
    ],
    [
      "trl-kto",
      "labels of one kind",
      [1, 2].map((go) => attemptRow({ task: `t${go}`, prompt: `do ${go}` })),
      "all labels are the same",
    ],
  ];
  it.each(nothing)("for %s of %s is empty, says why and writes nothing", async (target, _, lines, reason) => {
    const station = makeStation();
    station.write("team/a.jsonl", `${lines.join("\n")}\n`);
    await station.run();
    const result = await station.export({ target });
    expect(result).toMatchObject({
      kind: "empty",
      considered: lines.length,
      excluded: { [reason]: lines.length },
    });
    expect(await station.keys("datasets/")).toEqual([]);
  });

  it("splits groups by task, so that no task stands in two splits", async () => {
    const station = await filled(12);
    const split = { train: 0.5, validation: 0.5, test: 0, seed: 3 };
    for (const target of ["trl-dpo", "grpo-offline", "verl-rl"] as const) {
      const { manifest, prefix } = written(await station.export({ target, split, files: "jsonl" }));
      const home = new Map<string, string>();
      for (const { split: name, path } of manifest.files) {
        for (const line of (await station.text(prefix + path)).trimEnd().split("\n")) {
          const { task_id, extra_info } = JSON.parse(line);
          const task = task_id ?? extra_info.task_id;
          expect(home.get(task) ?? name).toBe(name);
          if (extra_info !== undefined) expect(extra_info.split).toBe(name);
          home.set(task, name);
        }
      }
      expect(manifest.files).toHaveLength(2);
    }
  });

  it("for offline GRPO gives each attempt its group's mean and deviation, and its token ids", async () => {
    const station = await filled(2);
    const result = written(
      await station.export({ target: "grpo-offline", files: "jsonl", split: ALL_TRAIN }),
    );
    const rows = await rowsOf(station, result);
    for (const [group, of] of Map.groupBy(rows, (row) => row["group"])) {
      const rewards = of.map((row) => row["reward"] as number);
      const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
      const squares = rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0);
      for (const row of of) {
        expect(row, String(group)).toMatchObject({ group_size: 3 });
        expect(row["group_mean"]).toBeCloseTo(mean, 9);
        expect(row["group_std"]).toBeCloseTo(Math.sqrt(squares / 2), 9);
        const { length } = row["messages"] as readonly unknown[];
        for (const column of ["weights", "step_rewards", "completion_token_ids", "logprobs"]) {
          expect(row[column]).toHaveLength(length);
        }
      }
    }
    const drawn = written(await station.export({ target: "grpo-offline", split: ALL_TRAIN, perTask: 2 }));
    expect(drawn.manifest.rows).toBe(4);
  });

  it("leaves the tools of each call and its arguments as they were", async () => {
    const station = await filled(1);
    const { prefix, manifest } = written(await station.export({ target: "verl", files: "jsonl" }));
    const [row] = await rowsOf(station, { prefix, manifest, kind: "written" });
    expect(Object.keys(JSON.parse(String(row?.["tools"]))[0].function.parameters.properties)).toEqual([
      "command",
    ]);
    expect((await station.text(`${prefix}gymline_verl.py`)).split("\n")).toContain(
      "class GymlineSFTDataset(MultiTurnSFTDataset):",
    );
  });

  it("names LLaMA-Factory its files and columns", async () => {
    const station = await filled(4);
    for (const [target, ranking] of [
      ["llama-factory", undefined],
      ["llama-factory-dpo", true],
    ] as const) {
      const { prefix } = written(await station.export({ target, name: "shop", split: ALL_TRAIN }));
      const info = JSON.parse(await station.text(`${prefix}dataset_info.json`));
      expect(info).toMatchObject({ shop_train: { file_name: "train.parquet", formatting: "sharegpt" } });
      expect(info.shop_train.ranking).toBe(ranking);
      const names = new Set<string>(targetOf(target).columns.map(({ name }) => name));
      for (const column of Object.values(info.shop_train.columns)) expect(names).toContain(column);
    }
  });
});
