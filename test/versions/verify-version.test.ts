import { describe, expect, it } from "vitest";
import { trajectoryKey } from "../../shared/contracts/keys.ts";
import { manifestSchema } from "../../shared/dataset/manifest.ts";
import type { ExportResult } from "../../shared/stages/export.ts";
import { FileCheck } from "../../shared/versions/file-check.ts";
import { type Verification, verifyVersion } from "../../shared/versions/verify-version.ts";
import { chatRow } from "../factories/logs.ts";
import { makeStation, type Station } from "../factories/station.ts";
import { OTHER, sha256 } from "../stages/ingest-helpers.ts";

interface Made {
  readonly station: Station;
  readonly prefix: string;
  readonly version: string;
  verify(): Promise<Verification>;
  codes(): Promise<readonly string[]>;
  change(path: string, edit: (text: string) => string): Promise<void>;
}

const FIRST = chatRow({ task: "task-0" });

async function made(request: Parameters<Station["export"]>[0] = {}): Promise<Made> {
  const station = makeStation();
  for (let task = 1; task < 5; task += 1)
    station.write(`team/${task}.json`, chatRow({ task: `task-${task}` }));
  station.write("team/0.json", FIRST);
  await station.run();
  const result: ExportResult = await station.export(request);
  if (result.kind === "empty") throw new Error("the dataset is empty");
  const { prefix, manifest } = result;
  const { store } = station.local;
  const verify = (): Promise<Verification> =>
    verifyVersion({ name: manifest.name, version: manifest.version }, station.local);
  return {
    station,
    prefix,
    version: manifest.version,
    verify,
    codes: async () =>
      (await verify()).faults.map(({ code, place }) => `${code} ${place.replace(prefix, "")}`),
    change: async (path, edit) => {
      await store.put(prefix + path, Buffer.from(edit(await station.text(prefix + path))));
    },
  };
}

describe("verifying a version", () => {
  it.each([["jsonl"], ["parquet"]] as const)(
    "finds nothing wrong with a sound one of %s files",
    async (files) => {
      const { verify, version } = await made({ files, shardRows: 2 });
      expect(await verify()).toMatchObject({
        ...{ name: "sft", version, faults: [], files: 6, inputs: 5, revised: 0, rescored: 0 },
      });
    },
  );

  it("names every file that is damaged, gone or strange, and what is wrong with it", async () => {
    const { station, prefix, change, verify } = await made({ target: "llama-factory", files: "jsonl" });
    const { store } = station.local;
    await change("train.jsonl", (text) => text.replace(/[^\n]+\n/, ""));
    await change("dataset_info.json", (text) => text.replace("{", "["));
    await store.remove(`${prefix}README.md`);
    await store.put(`${prefix}notes.txt`, Buffer.from("mine"));
    const { faults } = await verify();
    expect(faults.map(({ code, place, reason }) => [code, place.replace(prefix, ""), reason])).toEqual([
      ["bad-file", "train.jsonl", expect.stringMatching(/^it has \d+ bytes, the manifest says \d+$/)],
      ["bad-file", "train.jsonl", expect.stringContaining("SHA-256")],
      ["bad-file", "train.jsonl", "it has 4 rows, the manifest says 5"],
      ["bad-file", "dataset_info.json", expect.stringContaining("SHA-256")],
      ["missing-file", "README.md", "the manifest lists it, but it is not there"],
      ["unlisted-file", "notes.txt", "the manifest does not list it"],
    ]);
    expect(faults.every(({ remedy }) => remedy !== "")).toBe(true);
  });

  it("names a list of inputs that is damaged once, and goes on", async () => {
    const { change, codes } = await made();
    await change("inputs.jsonl", (text) => text.replace("{", "("));
    expect(new Set(await codes())).toEqual(new Set(["bad-file inputs.jsonl"]));
  });

  it("says what is wrong with a manifest, and that an export heals what is lost", async () => {
    const { station, prefix, change, codes, verify } = await made();
    const key = `${prefix}manifest.json`;
    const before = await station.text(key);
    for (const [edit, reason] of [
      [(text: string) => text.slice(1), "it is no JSON"],
      [(text: string) => text.replace('"rows": 5', '"rows": "5"'), /^rows: /],
      [(text: string) => text.replace('"name": "sft"', '"name": "other"'), /^it is that of other\//],
      [
        (text: string) => text.replace("dataset.v2", "dataset.v1"),
        /another version of gymline \(gymline\.dataset\.v1/,
      ],
    ] as const) {
      await change("manifest.json", edit);
      const { faults } = await verify();
      expect(faults).toMatchObject([{ code: "bad-manifest", place: key }]);
      expect(faults[0]?.reason).toMatch(reason);
      await expect(station.export()).rejects.toMatchObject({ name: "ManifestError" });
      await change("manifest.json", () => before);
    }
    await station.local.store.remove(key);
    expect(await codes()).toEqual(["no-manifest manifest.json"]);
    expect(await station.export()).toMatchObject({ kind: "written" });
    expect(await station.text(key)).toBe(before);
    expect(await codes()).toEqual([]);
  });

  it("holds a manifest's counts against each other", async () => {
    const { station, prefix, change, verify } = await made();
    const manifest = manifestSchema.parse(JSON.parse(await station.text(`${prefix}manifest.json`)));
    const selection = { ...manifest.selection, selected: 4 };
    await change("manifest.json", () => JSON.stringify({ ...manifest, rows: 6, selection }));
    expect((await verify()).faults.map(({ code, reason }) => `${code}: ${reason}`)).toEqual([
      "bad-counts: it says 6 rows, its files have 5",
      "bad-counts: it says 4 selected trajectories, its inputs have 5",
    ]);
  });

  it("names inputs that were forgotten, whose documents are gone, or which have other content", async () => {
    const { station, change, prefix, codes } = await made();
    const [one, two] = (await station.select()).filter(({ id }) => id !== sha256(FIRST));
    await station.forget(sha256(FIRST));
    await station.local.store.remove(trajectoryKey(one?.id ?? ""));
    await change("inputs.jsonl", (text) => text.replace(two?.contentId ?? "?", "f".repeat(64)));
    const found = await codes();
    expect(found.filter((code) => !code.startsWith("bad-file")).sort()).toEqual(
      [
        `forgotten ${sha256(FIRST)}`,
        `missing-document ${trajectoryKey(one?.id ?? "")}`,
        `other-content ${two?.id}`,
      ].sort(),
    );
    // Once the folder is gone, it holds nothing any more.
    for (const key of await station.keys(prefix)) await station.local.store.remove(key);
    expect(await codes()).toEqual([expect.stringContaining("no-manifest")]);
  });

  it("counts what was revised or scored anew since, which is no fault", async () => {
    const { station, verify } = await made();
    await station.run(OTHER, { force: true });
    expect(await verify()).toMatchObject({ faults: [], revised: 5 });
  });

  it("knows an input that no catalog has ever heard of", async () => {
    const { station, prefix } = await made();
    const other = makeStation();
    for (const key of await station.keys(prefix)) {
      await other.local.store.put(key, await station.local.store.read(key));
    }
    const [, name = "", version = ""] = prefix.split("/");
    const { faults } = await verifyVersion({ name, version }, other.local);
    expect(faults.map(({ code }) => code)).toEqual(Array.from({ length: 5 }, () => "missing-input"));
  });
});

describe("checking a Parquet file", () => {
  it("counts its rows from its last bytes, however it comes in pieces", async () => {
    const { station, prefix } = await made({ files: "parquet" });
    const bytes = await station.local.store.read(`${prefix}train.parquet`);
    const said = { path: "x.parquet", bytes: bytes.length, sha256: sha256(Buffer.from(bytes)), rows: 5 };
    for (const size of [1, 7, 1000, bytes.length]) {
      const check = new FileCheck(said);
      for (let at = 0; at < bytes.length; at += size) check.add(bytes.subarray(at, at + size));
      expect(check.faults()).toEqual([]);
    }
    const cut = new FileCheck(said);
    cut.add(bytes.subarray(0, -10));
    expect(cut.faults()).toContain("its rows cannot be counted: it is no whole Parquet file");
    const other = new FileCheck({ ...said, rows: 6 });
    other.add(bytes);
    expect(other.faults()).toEqual(["it has 5 rows, the manifest says 6"]);
  });
});
