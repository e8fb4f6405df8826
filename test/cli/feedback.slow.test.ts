import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { chatRow } from "../factories/logs.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { makeTokenizer, PLAIN_TEMPLATE } from "../factories/tokenizer.ts";
import { gymline } from "./program.ts";

const listedSchema = z.object({
  id: z.string(),
  feedback: z.number().nullable(),
  gdi: z.number(),
  gdi_parts: z.object({
    intrinsic: z.number(),
    utility: z.number(),
    feedback: z.number(),
    freshness: z.number(),
  }),
});

async function makeStore(): Promise<string> {
  const logs = temporaryFolder("cli");
  const rows = ["a", "b", "c"].map((task) =>
    chatRow({ task, prompt: `Mend ${task}.`, more: { repo: "o/r" } }),
  );
  writeFileSync(join(logs, "runs.jsonl"), rows.map((row) => `${row}\n`).join(""));
  const store = join(temporaryFolder("cli"), "out");
  expect((await gymline(["run", logs, "--out", store, "--no-export"])).code).toBe(0);
  return store;
}

async function listed(store: string, ...more: readonly string[]) {
  const { stdout } = await gymline(["list", "--store", store, "--json", ...more]);
  const lines = stdout.trimEnd().split("\n");
  return lines.map((line) => listedSchema.parse(JSON.parse(line)));
}

describe("gymline feedback", () => {
  it("is given to a trajectory by several sources, shown, listed and taken back", async () => {
    const store = await makeStore();
    const [, second, third] = await listed(store);
    const id = third?.id ?? "";
    const give = (...options: readonly string[]) =>
      gymline(["feedback", id.slice(0, 8), "--store", store, ...options]);
    expect((await give()).stderr).toContain("nobody said anything yet");
    expect((await give("--source", "review:ann", "--score", "1")).code).toBe(0);
    const shown = await give("--source", "review:bob", "--score", "0.5");
    expect(shown.stdout).toContain("review:ann");
    expect(shown.stdout).toContain("mean 0.750 of 2 sources");
    expect(shown.stdout).toMatch(
      /GDI 0\.\d+ \(reward 0\.\d+, use 0\.000, feedback 0\.750, freshness 1\.000\)/,
    );
    const [best] = await listed(store, "--sort", "gdi");
    expect(best).toMatchObject({
      id,
      feedback: 0.75,
      gdi_parts: { feedback: 0.75, utility: 0, freshness: 1 },
    });
    const table = await gymline(["list", "--store", store, "--sort", "gdi"]);
    expect(table.stdout.split("\n")[0]).toMatch(/gdi\s+use\s+feedback\s+fresh/);
    expect((await gymline(["show", id, "--store", store])).stdout).toContain("feedback 0.750");
    const withdrawn = await give("--source", "review:ann", "--withdraw", "--json");
    expect(JSON.parse(withdrawn.stdout)).toMatchObject({
      schema: "gymline.feedback.v1",
      mean: 0.5,
      feedback: [{ source: "review:bob", score: 0.5 }],
    });
    expect(second?.feedback).toBeNull();
  });

  it("is given to all trajectories of a dataset version", async () => {
    const store = await makeStore();
    expect((await gymline(["export", "--store", store, "--limit", "2"])).code).toBe(0);
    const { stdout } = await gymline(["datasets", "list", "--store", store, "--json"]);
    const { version } = z.object({ version: z.string() }).parse(JSON.parse(stdout));
    const name = `sft/${version.slice(0, 6)}`;
    const give = () => gymline(["feedback", name, "--score", "0.9", "--source", "model-7", "--store", store]);
    expect((await give()).stdout).toBe(`sft/${version}: feedback of 2 trajectories\n`);
    expect((await give()).stdout).toBe(`sft/${version}: feedback of 0 trajectories, 2 as before\n`);
    expect((await listed(store)).map(({ feedback }) => feedback).sort()).toEqual([0.9, 0.9, null]);
  });

  it.each([
    [["--score", "2", "--source", "x"], /--score: /],
    [["--score", "1"], /give --source/],
    [["--source", "x"], /--score, or takes it back with --withdraw/],
    [["--score", "1", "--withdraw", "--source", "x"], /exclude each other/],
  ])("says what is wrong with %j", async (options, message) => {
    const { code, stderr } = await gymline(["feedback", "abcdef", ...options]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

describe("gymline export", () => {
  it("counts tokens by a tokenizer's folder, named by an option or by the settings", async () => {
    const store = await makeStore();
    const folder = temporaryFolder("cli");
    const { tokenizer, template = new Uint8Array() } = makeTokenizer({ template: PLAIN_TEMPLATE });
    mkdirSync(join(folder, "tiny"));
    writeFileSync(join(folder, "tiny/tokenizer.json"), tokenizer);
    writeFileSync(join(folder, "tiny/chat_template.jinja"), template);
    writeFileSync(
      join(folder, "gymline.json"),
      JSON.stringify({ dataset: { tokenizer: "tiny", split: { train: 1, validation: 0 } } }),
    );
    const byOption = ["--tokenizer", join(folder, "tiny"), "--split", "1"];
    const bySettings = ["--config", join(folder, "gymline.json")];
    const written = await gymline(["export", "--store", store, ...byOption]);
    expect(written.stdout).toMatch(
      /\d+ tokens, \d+ in the longest \(by tiny [0-9a-f]{8}, with its chat template\)/,
    );
    expect((await gymline(["export", "--store", store, ...bySettings])).stdout).toContain("(unchanged)");
    const none = await gymline(["export", "--store", store, ...bySettings, "--max-tokens", "3"]);
    expect([none.code, none.stdout]).toEqual([2, expect.stringContaining("3 too many tokens")]);
    const missing = await gymline(["export", "--store", store, "--tokenizer", join(folder, "none")]);
    expect([missing.code, missing.stderr]).toEqual([
      1,
      expect.stringMatching(/tokenizer .*none cannot be read/),
    ]);
  });

  it("balances, and keeps the tasks of a repository in one split", async () => {
    const store = await makeStore();
    const export_ = (...options: readonly string[]) =>
      gymline(["export", "--store", store, "--json", ...options]);
    const { stdout } = await export_("--split", "0.5/0.25/0.25", "--split-by", "repository");
    const { manifest } = z
      .object({
        manifest: z.object({ files: z.array(z.object({ rows: z.int() })), settings: z.looseObject({}) }),
      })
      .parse(JSON.parse(stdout));
    expect(manifest.files.map(({ rows }) => rows)).toEqual([3]);
    const balanced = await export_("--balance", "difficulty", "--shares", "easy=1,hard=1", "--limit", "2");
    expect(JSON.parse(balanced.stdout)).toMatchObject({
      manifest: {
        rows: 2,
        curation: {
          mix: {
            balance: "difficulty",
            groups: [
              { group: "easy", weight: 1, available: 3, taken: 2 },
              { group: "hard", weight: 1, available: 0, taken: 0 },
            ],
          },
        },
      },
    });
  });

  it.each([
    [["--split", "0.8/0.3"], /must add up to 1; they add up to 1\.1/],
    [["--split-by", "agent"], /--split-by takes task or repository/],
    [["--shares", "coding"], /--shares takes names with weights/],
    [["--shares", "coding=1"], /shares of what\?/],
    [["--min-tokens", "9", "--max-tokens", "3"], /minTokens is above maxTokens/],
  ])("refuses %j", async (options, message) => {
    const store = join(temporaryFolder("cli"), "out");
    const { code, stderr } = await gymline(["export", "--store", store, ...options]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});
