import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadDeployment } from "../../infra/config.ts";
import { readTokenizerFolder } from "../../shared/adapters/local/tokenizer-folder.ts";
import { deployedReaders } from "../../shared/contracts/deployed-files.ts";
import { deployedSettingsSchema, planOf } from "../../shared/contracts/deployed-settings.ts";
import { DeploymentConfigError } from "../../shared/contracts/deployment-files.ts";
import { readTokenizer } from "../../shared/tokenizer/tokenizer-files.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gymline-deploy-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, content: unknown): void {
  writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
}

function fault(path?: string): string {
  try {
    loadDeployment({ folder, path });
  } catch (error) {
    if (error instanceof DeploymentConfigError) return error.message;
    throw error;
  }
  return "no error";
}

const TOKENIZER = { model: { type: "BPE", vocab: { a: 0 }, merges: [] }, added_tokens: [] };

const MAPPING = {
  name: "desk",
  records: { match: { ticket: "present" } },
};

describe("the configuration of a deployment", () => {
  it("is all defaults where there is no file", () => {
    const { config, settings } = loadDeployment({ folder });
    expect(config.name).toBe("gymline");
    expect(planOf(settings).mappings).toEqual([]);
  });

  it("names the file and the key that it does not know", () => {
    write("gymline.deploy.json", { retention: 3 });
    expect(fault()).toMatch(
      /gymline\.deploy\.json is no valid configuration: .*"retention".*DEPLOYMENT\.md/s,
    );
  });

  it("names the field whose value is wrong", () => {
    write("gymline.deploy.json", { functions: { score: { memoryMiB: 1 } } });
    expect(fault()).toContain("functions.score.memoryMiB:");
  });

  it("carries evaluation sets and tokenizers that datasets name, each file once", async () => {
    const request = { against: ["sets/held-out.txt"], tokenizer: "tokenizers/tiny/" };
    write("gymline.deploy.json", {
      datasets: [{ request: { name: "clean", ...request } }, { request: { name: "raw", ...request } }],
    });
    for (const name of ["sets", "tokenizers", "tokenizers/tiny"]) mkdirSync(join(folder, name));
    write("sets/held-out.txt", "task-1\n");
    write("tokenizers/tiny/tokenizer.json", TOKENIZER);
    write("tokenizers/tiny/chat_template.jinja", "{{ messages | length }}");
    const { settings } = loadDeployment({ folder });
    expect(settings.files.map(({ path }) => path)).toEqual([
      "sets/held-out.txt",
      "tokenizers/tiny/tokenizer.json",
      "tokenizers/tiny/chat_template.jinja",
    ]);
    const { files } = deployedSettingsSchema.parse(JSON.parse(JSON.stringify(settings)));
    const readers = deployedReaders(files);
    expect(Buffer.from(await readers.evaluations("sets/held-out.txt")).toString()).toBe("task-1\n");
    const read = await readers.tokenizers("tokenizers/tiny");
    const own = await readTokenizerFolder(join(folder, "tokenizers/tiny"));
    expect([read.name, readTokenizer(read).sha256]).toEqual(["tiny", readTokenizer(own).sha256]);
    await expect(readers.evaluations("other.txt")).rejects.toThrow(
      /other\.txt is not among the files of this depl/,
    );
    await expect(readers.tokenizers("other")).rejects.toThrow(/other is not among the files .*deploy again/);
  });

  it.each([
    [{ against: ["held-out.txt"] }, /cannot be deployed: .*held-out\.txt/],
    [{ against: ["empty.txt"] }, /cannot be deployed: .*empty\.txt holds no task/],
    [{ tokenizer: "none" }, /cannot be deployed: .*none.tokenizer\.json/],
    [{ tokenizer: "bad" }, /cannot be deployed: tokenizer\.json of the tokenizer bad .*model/],
  ])("misses a file that a dataset names, or that is none of its kind: %j", (request, message) => {
    write("gymline.deploy.json", { datasets: [{ request: { name: "clean", ...request } }] });
    mkdirSync(join(folder, "bad"));
    write("bad/tokenizer.json", "{}");
    write("empty.txt", "");
    expect(fault()).toMatch(message);
  });

  it("refuses more files than go along with a function", () => {
    write("gymline.deploy.json", { datasets: [{ request: { name: "clean", against: ["large.txt"] } }] });
    write("large.txt", "task-1\n".repeat(10_000_000));
    expect(fault()).toMatch(/"clean".* 70000000 bytes.*gymline export/);
  });

  const LOOP = {
    ...{ model: "agent", dataset: "clean", train: { base: "a/model" } },
    evaluate: { env: { id: "e" }, tasks: "held-out.jsonl" },
  };
  const withLoop = (over: object = {}) =>
    write("gymline.deploy.json", {
      batch: { training: {}, rollouts: {} },
      loop: [{ ...LOOP, ...over }],
    });

  it("carries the tasks that loops name, and no loops where there are none", () => {
    withLoop();
    write("held-out.jsonl", '{"id":"a","description":"x"}\n');
    const { settings } = loadDeployment({ folder });
    expect(settings.loops).toMatchObject([
      {
        loop: { model: "agent", evaluate: { attempts: 1, seed: 0, backend: "docker" } },
        tasks: { evaluate: '{"id":"a","description":"x"}\n', collect: null },
      },
    ]);
    expect(deployedSettingsSchema.parse(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
    write("gymline.deploy.json", {});
    expect(Object.keys(loadDeployment({ folder }).settings)).not.toContain("loops");
  });

  it("finds tasks of a loop that no job could attempt before anything is made", () => {
    withLoop();
    expect(fault()).toMatch(/tasks of the loop of agent cannot be deployed: .*held-out\.jsonl/);
    write("held-out.jsonl", "{}\n{");
    expect(fault()).toMatch(/held-out\.jsonl:1: the task is empty/);
    write("held-out.jsonl", '{"id":"a","description":"x","sandbox":{"repo":"clones/x"}}\n');
    expect(fault()).toMatch(/a begins from a repository, which does not go along/);
  });

  it("says what to do about a file that is not there", () => {
    expect(fault("other.json")).toMatch(/other\.json cannot be read .*: create it, or correct the path/);
  });

  it("does not quote a file that is no JSON, since it may hold secrets", () => {
    write("gymline.deploy.json", '{"alarms": "sk-secret-value"');
    expect(fault()).toMatch(/gymline\.deploy\.json is no valid JSON: correct its syntax/);
    expect(fault()).not.toContain("sk-secret-value");
  });

  it("finds a wrong setting of the project in the project's own file", () => {
    write("gymline.deploy.json", { settings: "gymline.json" });
    write("gymline.json", { redaction: { allow: 7 } });
    expect(fault()).toMatch(/gymline\.json is no valid configuration: redaction\.allow/);
  });

  it("refuses plugins, which are modules on one machine", () => {
    write("gymline.deploy.json", { settings: "gymline.json" });
    write("gymline.json", { plugins: ["./format.ts"] });
    expect(fault()).toMatch(/gymline\.json cannot be deployed: plugins .* mapping file instead/);
  });

  it("refuses a mapping file that the functions could not use", () => {
    write("gymline.deploy.json", { settings: "gymline.json" });
    write("gymline.json", { mappings: ["desk.json"] });
    write("desk.json", MAPPING);
    expect(fault()).toMatch(/cannot be deployed: .*desk\.json/s);
  });

  it("refuses a judge whose model has no known price while money is limited", () => {
    const judge = { provider: "openai-compatible", model: "own", baseUrl: "http://127.0.0.1:8000" };
    write("gymline.deploy.json", { settings: "gymline.json" });
    write("gymline.json", { judge });
    expect(fault()).toMatch(/gymline\.json cannot be deployed: what own costs is not known.*judge\.prices/s);
    write("gymline.json", { judge: { ...judge, budgets: { usdPerDay: null } } });
    expect(loadDeployment({ folder }).settings.config.judge?.model).toBe("own");
  });

  it("misses a profile file that the domain names", () => {
    write("gymline.deploy.json", { settings: "gymline.json" });
    write("gymline.json", { domain: "ours.json" });
    expect(fault()).toMatch(/ours\.json cannot be read/);
  });

  it("carries profile and datasets to the functions, under the names that the files have", () => {
    write("gymline.deploy.json", { settings: "gymline.json", datasets: [{ request: { name: "daily" } }] });
    write("gymline.json", { domain: "ours.json" });
    write("ours.json", { domain: "ours" });
    const { settings } = loadDeployment({ folder });
    expect(settings.profile?.name).toBe("ours.json");
    expect(settings.datasets.map(({ request }) => request.name)).toEqual(["daily"]);
  });

  it("gives the functions the same plan after its way through JSON", () => {
    write("gymline.deploy.json", { settings: "gymline.json", datasets: [{ request: { name: "daily" } }] });
    write("gymline.json", {
      domain: "coding",
      reward: { composition: "compatible" },
      redaction: { redactLoopback: true },
    });
    const { settings } = loadDeployment({ folder });
    const read = deployedSettingsSchema.parse(JSON.parse(JSON.stringify(settings)));
    expect(read).toEqual(settings);
    expect(planOf(read)).toEqual(planOf(settings));
  });
});
