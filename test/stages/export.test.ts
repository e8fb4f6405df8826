import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { datasetPrefix, trajectoryKey } from "../../shared/contracts/keys.ts";
import type { ExportResult } from "../../shared/stages/export.ts";
import { atifDocument, chatRow, crewSession } from "../factories/logs.ts";
import { makeStation, type Station } from "../factories/station.ts";

type Written = Exclude<ExportResult, { kind: "empty" }>;

interface Row {
  readonly id: string;
  readonly content_id: string;
  readonly task_id: string | null;
  readonly messages: readonly { readonly role: string }[];
  readonly weights: readonly number[];
  readonly reward: number | null;
}

function written(result: ExportResult): Written {
  if (result.kind === "empty") throw new Error("the dataset is empty");
  return result;
}

async function rowsOf(
  station: Station,
  { prefix, manifest }: Written,
): Promise<ReadonlyMap<string, readonly Row[]>> {
  const splits = new Map<string, readonly Row[]>();
  for (const { split, path } of manifest.files) {
    const lines = (await station.text(`${prefix}${path}`)).trimEnd().split("\n");
    splits.set(
      split,
      lines.map((line) => JSON.parse(line) as Row),
    );
  }
  return splits;
}

function fill(station: Station, options: { readonly tasks: number; readonly attempts?: number }): void {
  for (let task = 0; task < options.tasks; task += 1) {
    const attempts = Array.from({ length: options.attempts ?? 2 }, (_, attempt) =>
      chatRow({ task: `task-${task}`, calls: [[`try ${attempt}`, "out"]], success: attempt % 3 !== 2 }),
    );
    station.write(`team/task-${task}.jsonl`, `${attempts.join("\n")}\n`);
  }
}

async function allBytes(station: Station, prefix: string): Promise<Readonly<Record<string, string>>> {
  const keys = await station.keys(prefix);
  return Object.fromEntries(
    await Promise.all(keys.map(async (key) => [key, await station.text(key)] as const)),
  );
}

describe("exportDataset", () => {
  it("writes rows, card and manifest; the manifest's counts and hashes are true", async () => {
    const station = makeStation();
    fill(station, { tasks: 20, attempts: 3 });
    station.write("team/crew.jsonl", crewSession());
    station.write("team/atif.json", atifDocument());
    await station.run();
    const result = written(
      await station.export({ split: { train: 0.5, validation: 0.3, test: 0.2, seed: 1 } }),
    );
    const { manifest, prefix } = result;
    expect(prefix).toBe(datasetPrefix("sft", manifest.version));
    expect(await station.keys(prefix)).toEqual(
      [
        "README.md",
        "inputs.jsonl",
        "manifest.json",
        "quality.json",
        ...manifest.files.map(({ path }) => path),
      ]
        .map((name) => prefix + name)
        .sort(),
    );
    expect(manifest.files).toHaveLength(3);
    expect(manifest.beside.map(({ path }) => path)).toEqual(["quality.json", "README.md"]);
    for (const file of [...manifest.files, ...manifest.beside, manifest.inputs]) {
      const bytes = await station.local.store.read(`${prefix}${file.path}`);
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(file.sha256);
      expect(bytes.length).toBe(file.bytes);
    }
    const rows = [...(await rowsOf(station, result)).values()].flat();
    expect(rows).toHaveLength(manifest.rows);
    const { considered, selected, excluded } = manifest.selection;
    expect([considered, selected]).toEqual([62, rows.length]);
    expect(considered - Object.values(excluded).reduce((sum, count) => sum + count, 0)).toBe(selected);
    const trained = rows.flatMap(({ weights }) => weights).reduce((sum, weight) => sum + weight, 0);
    expect(manifest.statistics).toMatchObject({
      messages: rows.reduce((sum, { messages }) => sum + messages.length, 0),
      trained_messages: trained,
      by_success: { true: rows.length },
    });
    expect(JSON.parse(await station.text(`${prefix}manifest.json`))).toEqual(manifest);
  });

  it("keeps all attempts at a task in one split, also when the set grows", async () => {
    const station = makeStation();
    const split = { train: 0.4, validation: 0.3, test: 0.3, seed: 7 };
    const home = new Map<string, string>();
    for (const tasks of [10, 25, 40]) {
      fill(station, { tasks, attempts: 3 });
      await station.run();
      const result = written(await station.export({ split, success: ["true", "false"] }));
      for (const [name, rows] of await rowsOf(station, result)) {
        for (const { task_id: task } of rows) {
          expect(home.get(task ?? "") ?? name).toBe(name);
          home.set(task ?? "", name);
        }
      }
    }
    expect(home.size).toBe(40);
    expect(new Set(home.values()).size).toBe(3);
  });

  it("writes the same selection once: same version, same bytes, whichever store it is from", async () => {
    const [one, other] = [makeStation(), makeStation()];
    fill(one, { tasks: 6 });
    await one.run();
    // The same logs in another order, under other names, and with a duplicate.
    for (let task = 5; task >= 0; task -= 1) {
      for (let attempt = 1; attempt >= 0; attempt -= 1) {
        const log = chatRow({ task: `task-${task}`, calls: [[`try ${attempt}`, "out"]], success: true });
        other.write(`else/${task}-${attempt}.json`, log);
        if (attempt === 0) other.write(`copy/${task}.json`, log);
        await other.run();
      }
    }
    const first = written(await one.export());
    const bytes = await allBytes(one, "datasets/");
    expect(first.kind).toBe("written");
    expect(await one.export()).toEqual({ ...first, kind: "unchanged" });
    expect(await allBytes(one, "datasets/")).toEqual(bytes);
    await other.export();
    expect(await allBytes(other, "datasets/")).toEqual(bytes);
  });

  it.each([
    ["name", { name: "other" }],
    ["seed", { split: { train: 0.9, validation: 0.1, test: 0, seed: 43 } }],
    ["filter that leaves the same rows", { minReward: 0 }],
  ])("makes another version of another %s", async (_, request) => {
    const station = makeStation();
    fill(station, { tasks: 2 });
    await station.run();
    const before = written(await station.export());
    const after = written(await station.export(request));
    expect(after.kind).toBe("written");
    expect(after.manifest.version).not.toBe(before.manifest.version);
    expect(await station.keys(before.prefix)).toHaveLength(5);
  });

  it("makes another version when a trajectory comes in or is forgotten", async () => {
    const station = makeStation();
    fill(station, { tasks: 2 });
    await station.run();
    const first = written(await station.export());
    fill(station, { tasks: 3 });
    await station.run();
    const second = written(await station.export());
    expect(second.manifest.rows).toBe(6);
    const [entry] = await station.select({ task: "task-2" });
    const { datasets } = await station.forget(entry?.id ?? "");
    expect(datasets).toMatchObject([{ name: "sft", version: second.manifest.version }]);
    const third = written(await station.export());
    expect(third.manifest.rows).toBe(5);
    expect(new Set([first, second, third].map(({ manifest }) => manifest.version)).size).toBe(3);
  });

  it("has one row for each content, and no more of a task than asked for, the best first", async () => {
    const station = makeStation();
    const log = (attempt: number, model: string): string =>
      chatRow({ task: "t", model, calls: [[`try ${attempt}`, "out"]] });
    // The model is no action: two logs of one content.
    station.write("team/a.jsonl", [log(1, "x"), log(1, "y"), log(2, "x"), log(3, "x")].join("\n"));
    await station.run();
    const all = written(await station.export());
    expect(all.manifest.rows).toBe(3);
    expect(all.manifest.selection.excluded).toEqual({ "same actions and observations as a better one": 1 });
    const capped = written(await station.export({ perTask: 2 }));
    const [rows = []] = (await rowsOf(station, capped)).values();
    expect(rows).toHaveLength(2);
    const best = (await station.select()).slice(0, 1);
    expect(rows[0]?.id).toBe(best[0]?.id);
    expect(rows.map(({ reward }) => reward ?? 0)).toEqual(
      rows.map(({ reward }) => reward ?? 0).toSorted((a, b) => b - a),
    );
  });

  it("selects within a project, and shows a trajectory of two projects to both", async () => {
    const station = makeStation();
    station.write("blue/a.json", chatRow({ task: "both" }));
    station.write("green/a.json", chatRow({ task: "both" }));
    station.write("green/b.json", chatRow({ task: "green" }));
    await station.run();
    const rows = async (project: string): Promise<readonly unknown[]> =>
      [...(await rowsOf(station, written(await station.export({ project })))).values()]
        .flat()
        .map((row) => row.task_id);
    expect(await rows("blue")).toEqual(["both"]);
    expect([...(await rows("green"))].sort()).toEqual(["both", "green"]);
    expect(await station.export({ project: "red" })).toEqual({ kind: "empty", considered: 0, excluded: {} });
  });

  it("writes nothing where nothing is left, and says why", async () => {
    const station = makeStation();
    station.write("team/a.json", chatRow({ success: false }));
    await station.run();
    expect(await station.export()).toEqual({
      kind: "empty",
      considered: 1,
      excluded: { "did not succeed": 1 },
    });
    expect(await station.keys("datasets/")).toEqual([]);
  });

  it("neither writes nor registers a row of which nothing may be learnt", async () => {
    const station = makeStation();
    const masked = chatRow({ task: "masked" }).replaceAll(
      '"role":"assistant"',
      '"train":false,"role":"assistant"',
    );
    station.write("team/masked.json", masked);
    await station.run();
    const [entry] = await station.select();
    const id = entry?.id ?? "";
    const agents = (await station.document(id)).steps.filter(({ source }) => source === "agent");
    expect(agents.every(({ extra }) => extra?.gymline?.trainable === false)).toBe(true);
    const excluded = { "no message may be trained on": 1 };
    expect(await station.export()).toEqual({ kind: "empty", considered: 1, excluded });
    station.write("team/plain.json", chatRow({ task: "plain" }));
    await station.run();
    const { manifest } = written(await station.export());
    expect(manifest.selection).toEqual({ considered: 2, selected: 1, excluded });
    expect(await station.local.catalog.datasetsOf(id)).toEqual([]);
    expect(await station.local.catalog.entry(id)).toMatchObject({ exportCount: 0 });
  });

  it("counts an export once, also when it was killed before it could", async () => {
    const station = makeStation();
    fill(station, { tasks: 1, attempts: 1 });
    await station.run();
    const first = written(await station.export());
    const bytes = await allBytes(station, first.prefix);
    const count = async (): Promise<unknown> => (await station.select())[0]?.exportCount;
    expect(await count()).toBe(1);
    await station.export();
    expect(await count()).toBe(1);
    // As after a kill between the manifest and the catalog: the objects are there, the catalog knows of none.
    const fresh = makeStation();
    for (const [key, text] of Object.entries(bytes)) await fresh.local.store.put(key, Buffer.from(text));
    fill(fresh, { tasks: 1, attempts: 1 });
    await fresh.run();
    expect((await fresh.select())[0]?.exportCount).toBe(0);
    expect(written(await fresh.export()).manifest).toEqual(first.manifest);
    expect((await fresh.select())[0]?.exportCount).toBe(1);
    expect(await allBytes(fresh, first.prefix)).toEqual(bytes);
  });

  it("leaves no half-written file when a document is lost", async () => {
    const station = makeStation();
    fill(station, { tasks: 3 });
    await station.run();
    const [entry] = (await station.select()).slice(-1);
    const [key = ""] = (await station.keys("trajectories/")).filter((name) =>
      name.includes(entry?.id ?? "?"),
    );
    await station.local.store.remove(key);
    await expect(station.export()).rejects.toThrow(key);
    expect(await station.keys("datasets/")).toEqual([]);
  });

  it("names the trajectory whose document is damaged", async () => {
    const station = makeStation();
    fill(station, { tasks: 3 });
    await station.run();
    const [entry] = await station.select();
    const id = entry?.id ?? "";
    await station.local.store.put(trajectoryKey(id), Buffer.from("no gzip"));
    await expect(station.export()).rejects.toMatchObject({ name: "ExportError", id });
    expect(await station.keys("datasets/")).toEqual([]);
  });

  it("takes names of agents and models as they are", async () => {
    const station = makeStation();
    for (const [index, model] of ["__proto__", "constructor", "a|b\n# c", "toString"].entries()) {
      station.write(`team/${index}.json`, chatRow({ task: `t${index}`, model }));
    }
    await station.run();
    const { manifest, prefix } = written(await station.export());
    expect(Object.entries(manifest.statistics.by_model).map(([, count]) => count)).toEqual([1, 1, 1, 1]);
    expect(written(await station.export()).kind).toBe("unchanged");
    expect(
      (await station.text(`${prefix}README.md`)).split("\n").some((line) => line.startsWith("# c")),
    ).toBe(false);
  });
});
