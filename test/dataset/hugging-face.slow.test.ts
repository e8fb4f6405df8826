import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { PythonEnvironment } from "../../infra/local/python-environment.ts";
import { gymline } from "../cli/program.ts";
import { unevenChats } from "../factories/uneven-chats.ts";
import { trainerEnvironment } from "../trainer/venv.ts";

const root = resolve(import.meta.dirname, "../..");
const samples = join(root, "shared/samples");

const loadedSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("loaded"),
    splits: z.record(
      z.string(),
      z.object({
        lines: z.int(),
        rows: z.int(),
        /** Rows that are not what their line of JSON says. */
        differing: z.array(z.int()),
        tools: z.object({ empty: z.int(), given: z.int() }),
        types: z.record(z.string(), z.string()),
      }),
    ),
  }),
  z.object({ kind: z.literal("failed"), reason: z.string() }),
]);

type Loaded = z.infer<typeof loadedSchema>;

const text = "Value('string')";
const TYPES = {
  tools: text,
  weights: "List(Value('int64'))",
  step_rewards: "List(Value('float64'))",
  reward: "Value('float64')",
  success: "Value('bool')",
  ...Object.fromEntries(
    ["id", "content_id", "task_id", "domain", "agent", "model", "format", "scorer", "tokens"].map((name) => [
      name,
      text,
    ]),
  ),
};

describe("Hugging Face datasets 5.2.0", () => {
  let environment: PythonEnvironment = { kind: "absent", reason: "not looked for yet" };
  let work = "";

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "gymline-datasets-"));
    environment = await trainerEnvironment();
  });
  afterAll(() => rm(work, { recursive: true, force: true }));

  /** Makes a set with the real program; gives its folder and how many rows its manifest counts in each split. */
  async function makeSet(drop: string, more: readonly string[] = []): Promise<MadeSet> {
    const store = await mkdtemp(join(work, "store-"));
    const { code, stderr } = await gymline(["run", drop, "--out", store, "--success", "any", ...more], {
      cwd: work,
    });
    if (code !== 0 && code !== 2) throw new Error(`the run ended with ${code}: ${stderr}`);
    const [version = ""] = await readdir(join(store, "datasets/sft"));
    const folder = join(store, "datasets/sft", version);
    const manifest = manifestSchema.parse(JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")));
    return { folder, rows: Object.fromEntries(manifest.files.map(({ split, rows }) => [split, rows])) };
  }

  async function load(...args: readonly string[]): Promise<Loaded> {
    if (environment.kind === "absent") throw new Error(environment.reason);
    const home = await mkdtemp(join(work, "home-"));
    const env = {
      ...process.env,
      HF_HUB_OFFLINE: "1",
      HF_HOME: home,
      HF_DATASETS_CACHE: join(home, "cache"),
    };
    const script = join(import.meta.dirname, "load_sft.py");
    const { stdout } = await promisify(execFile)(environment.python, [script, ...args], {
      env,
      maxBuffer: 1 << 26,
    });
    return loadedSchema.parse(JSON.parse(stdout));
  }

  /** Every split has the rows of the manifest, each as its line says, in columns of the given types. */
  function expectWhole(loaded: Loaded, rows: Readonly<Record<string, number>>): void {
    if (loaded.kind === "failed") throw new Error(loaded.reason);
    expect(Object.keys(loaded.splits).sort()).toEqual(Object.keys(rows).sort());
    for (const [split, found] of Object.entries(loaded.splits)) {
      expect({ split, ...found }).toMatchObject({ lines: rows[split], rows: rows[split], differing: [] });
      expect(found.types).toEqual(TYPES);
    }
  }

  it("loads the set of the samples as it is, from its folder and from its train file alone", async (context) => {
    if (environment.kind === "absent") context.skip(environment.reason);
    const { folder, rows } = await makeSet(join(samples, "drop"), [
      "--mapping",
      join(samples, "mappings/help-desk.json"),
    ]);
    expect(Object.keys(rows).sort()).toEqual(["train", "validation"]);
    expectWhole(await load("folder", folder), rows);
    expectWhole(await load("file", join(folder, "train.jsonl")), { train: rows["train"] ?? 0 });

    const lines = (await readFile(join(folder, "train.jsonl"), "utf8")).split("\n");
    const altered = lines.findIndex((line) => line.includes('"arguments":{"command":"'));
    lines[altered] = (lines[altered] ?? "").replace('"arguments":{"command":"', '"arguments":{"command":" ');
    const truth = join(work, "altered.jsonl");
    await writeFile(truth, lines.join("\n"));
    const against = await load("file", join(folder, "train.jsonl"), truth);
    expect(against, "a space in one call's arguments is seen").toMatchObject({
      splits: { train: { differing: [altered] } },
    });
  });

  it("loads a set whose first 12 MB have no calls, task ids and models from its folder, but not from the file alone", async (context) => {
    if (environment.kind === "absent") context.skip(environment.reason);
    const drop = join(work, "drop");
    await mkdir(drop);
    await writeFile(join(drop, "chats.jsonl"), unevenChats({ plain: 750, rich: 420 }));
    const { folder, rows } = await makeSet(drop);
    const train = join(folder, "train.jsonl");
    expect((await stat(train)).size).toBeGreaterThan(25e6);
    expect(await bytesBefore(train, /"tool_calls"|"reasoning_content"|"(task_id|model)":"/)).toBeGreaterThan(
      12e6,
    );

    const loaded = await load("folder", folder);
    expectWhole(loaded, rows);
    if (loaded.kind === "loaded") {
      const tools = loaded.splits["train"]?.tools ?? { empty: 0, given: 0 };
      expect(Math.min(tools.empty, tools.given)).toBeGreaterThan(0);
    }
    // The JSON loader takes the columns of a file from its first 10 MB and casts the rest to them. Empty values in
    // their place would not help: a column of nulls gets the type "null". So such a set needs the card's types.
    expect(await load("file", train)).toMatchObject({ kind: "failed" });
  });
});

interface MadeSet {
  readonly folder: string;
  readonly rows: Readonly<Record<string, number>>;
}

const manifestSchema = z.object({ files: z.array(z.object({ split: z.string(), rows: z.int() })) });

/** Where the first line that the pattern is found in starts. */
async function bytesBefore(file: string, pattern: RegExp): Promise<number> {
  let bytes = 0;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (pattern.test(line)) return bytes;
    bytes += Buffer.byteLength(line) + 1;
  }
  throw new Error(`${pattern} is nowhere in the file`);
}
