import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { manifestSchema } from "../../shared/dataset/manifest.ts";
import { qualityReportSchema } from "../../shared/dataset/quality/quality-report.ts";
import { hubServer } from "../factories/hub-server/hub-server.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { goodLogs, gymline } from "./program.ts";

async function makeStore(): Promise<string> {
  const store = join(temporaryFolder("cli"), "out");
  expect((await gymline(["run", goodLogs(), "--out", store, "--no-export"])).code).toBe(0);
  return store;
}

async function withDataset(): Promise<{
  readonly store: string;
  readonly version: string;
  readonly folder: string;
}> {
  const store = await makeStore();
  const exported = await gymline(["export", "--store", store, "--json"]);
  const { version } = manifestSchema.parse(JSON.parse(exported.stdout).manifest);
  return { store, version, folder: join(store, "datasets/sft", version) };
}

describe("gymline export", () => {
  it("fails loudly where a check does, leaves no dataset, and says how to let it pass", async () => {
    const store = await makeStore();
    const failed = await gymline(["export", "--store", store, "--row-tokens", "10"]);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toBe("");
    expect(failed.stderr).toMatch(
      /over-length: 3 \(rows .*train row 1 \([0-9a-f]{12}: \d+ tokens\); train row 2/,
    );
    expect(failed.stderr).toContain("--allow over-length");
    expect(failed.stderr).not.toContain("    at ");
    const left = readdirSync(join(store, "datasets"), { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => entry.isFile())).toEqual([]);
    const passed = await gymline([
      "export",
      "--store",
      store,
      "--row-tokens",
      "10",
      "--allow",
      "over-length",
    ]);
    expect(passed.code).toBe(0);
    expect(passed.stdout).toMatch(/3 trajectories, 21 messages, reward .*, 2 redacted places/);
    expect(passed.stdout).toMatch(/! allowed over-length: 3 \(rows/);
    const wrong = await gymline(["export", "--store", store, "--allow", "over-size"]);
    expect(wrong.stderr).toMatch(/there is no check "over-size"; the known ones are/);
  });

  it("draws the plots of the card", async () => {
    const { folder } = await withDataset();
    expect(readdirSync(join(folder, "plots"))).toEqual(
      ["domain", "length", "outcome", "reward", "tools"].map((name) => `${name}.svg`),
    );
    expect(readFileSync(join(folder, "README.md"), "utf8")).toContain("](plots/length.svg)");
  });
});

describe("gymline quality", () => {
  it("shows what is in a version and checks its files anew; exit code 2 where a check fails", async () => {
    const { store, version, folder } = await withDataset();
    const shown = await gymline(["quality", "sft", "--store", store]);
    expect([shown.code, shown.stderr]).toEqual([0, ""]);
    expect(shown.stdout).toMatch(/3 rows \(train 3\) of 3 trajectories/);
    expect(shown.stdout).toMatch(/Checks +\d+ passed/);
    const json = await gymline(["quality", `sft/${version.slice(0, 6)}`, "--store", store, "--json"]);
    expect(qualityReportSchema.parse(JSON.parse(json.stdout)).version).toBe(version);
    const long = await gymline(["quality", "sft", "--store", store, "--row-tokens", "10"]);
    expect(long.code).toBe(2);
    expect(long.stdout).toMatch(/failed\n +over-length: 3 \(rows/);
    appendFileSync(join(folder, "train.jsonl"), '{"messages":[],"tools":"[]","id":"x","note":1}\n');
    const changed = await gymline(["quality", "sft", "--store", store]);
    expect(changed.code).toBe(2);
    for (const id of ["unknown-columns", "empty-prompt", "empty-assistant"])
      expect(changed.stdout).toMatch(new RegExp(`${id}: 1 .*train row 4`));
    appendFileSync(join(folder, "train.jsonl"), "{");
    const damaged = await gymline(["quality", "sft", "--store", store]);
    expect(damaged.code).toBe(1);
    expect(damaged.stderr).toMatch(/train\.jsonl:5 is no JSON; gymline datasets verify/);
  });
});

describe("gymline publish", () => {
  const publish = (
    store: string,
    url: string,
    more: readonly string[] = [],
    env: object = { HF_TOKEN: "hf_testtoken" },
  ) =>
    gymline(["publish", "sft", "--store", store, "--repo", "team/agent-sft", "--hub-url", url, ...more], {
      env: { HF_TOKEN: undefined, ...env },
    });

  it("brings a version onto the Hub as it is, once", async () => {
    const { store, version, folder } = await withDataset();
    const server = await hubServer({ largeFrom: 4000 });
    const published = await publish(store, server.url, ["--private"]);
    expect([published.code, published.stderr]).toEqual([0, ""]);
    const commit = server.commits("team/agent-sft").at(-1)?.id;
    expect(published.stdout).toContain(
      `sft/${version} is published at ${server.url}/datasets/team/agent-sft`,
    );
    expect(published.stdout).toContain(`commit ${commit}`);
    expect(server.repo("team/agent-sft")?.isPrivate).toBe(true);
    for (const [path, bytes] of server.files("team/agent-sft")) {
      if (path !== ".gitattributes") expect(bytes.equals(readFileSync(join(folder, path))), path).toBe(true);
    }
    const again = await publish(store, server.url, ["--private", "--json"]);
    expect(JSON.parse(again.stdout)).toMatchObject({
      schema: "gymline.publication.v1",
      kind: "unchanged",
      commit,
    });
    expect(server.commits("team/agent-sft")).toHaveLength(2);
  });

  it("refuses a version whose files are not what they were, and one that holds what was forgotten", async () => {
    const server = await hubServer();
    const { store, folder } = await withDataset();
    const [line = ""] = readFileSync(join(folder, "inputs.jsonl"), "utf8").split("\n");
    const card = readFileSync(join(folder, "README.md"));
    appendFileSync(join(folder, "README.md"), "more");
    const changed = await publish(store, server.url);
    expect(changed.code).toBe(1);
    expect(changed.stderr).toMatch(/is not published: .*README\.md/);
    writeFileSync(join(folder, "README.md"), card);
    const { id } = JSON.parse(line);
    expect((await gymline(["forget", id, "--store", store])).code).toBe(0);
    const forgotten = await publish(store, server.url);
    expect(forgotten.code).toBe(1);
    expect(forgotten.stderr).toMatch(new RegExp(`is not published: ${id}: it was forgotten`));
    expect(server.requests).toEqual([]);
  });

  it("says what is wrong with a token and with what it is told, and never shows the token", async () => {
    const server = await hubServer();
    const { store } = await withDataset();
    const none = await publish(store, server.url, [], {});
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringMatching(/the variable HF_TOKEN holds no token/),
    ]);
    const file = join(temporaryFolder("cli"), "token");
    writeFileSync(file, "secret-of-another-kind\n");
    const odd = await publish(store, server.url, ["--token-file", file]);
    expect(odd.stderr).toMatch(/they begin with hf_/);
    expect(odd.stderr).not.toContain("secret-of");
    writeFileSync(file, "hf_testtoken\n");
    expect((await publish(store, server.url, ["--token-file", file], {})).code).toBe(0);
    const bad = await publish(store, server.url, [], { HF_TOKEN: "hf_other" });
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringMatching(/the Hub answered 401/)]);
    expect(bad.stderr).not.toContain("hf_other");
    const repo = await publish(store, server.url, ["--repo", "nobody"]);
    expect(repo.stderr).toMatch(/--repo takes <owner>\/<name>/);
    const version = await gymline(["publish", "coding", "--store", store, "--repo", "team/x"], {
      env: { HF_TOKEN: "hf_x" },
    });
    expect(version.stderr).toMatch(/no dataset "coding"/);
  });
});
