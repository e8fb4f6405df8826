import { createHash } from "node:crypto";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { agentsOf, type EvaluateCommandOptions } from "../../containers/gymline/evaluate-settings.ts";
import { hashOfPath } from "../../containers/gymline/hash-of-path.ts";
import { temporaryFolder } from "../factories/temporary.ts";

const COMMON: EvaluateCommandOptions = {
  ...{
    out: "out",
    metric: "success",
    level: "0.95",
    correction: "holm",
    test: "sign-flip",
    maxFailed: "0.05",
  },
};

/** The folder of a run as far as an agent is concerned. */
function modelFolder(at: string, weights: string): string {
  mkdirSync(join(at, "onnx/onnx"), { recursive: true });
  writeFileSync(join(at, "onnx/config.json"), "{}");
  writeFileSync(join(at, "onnx/onnx/model.onnx"), weights);
  return at;
}

const configuration = (options: Partial<EvaluateCommandOptions>) =>
  agentsOf({ ...COMMON, ...options })[0]?.configuration;

describe("the agents of an evaluation", () => {
  it("know a model that runs here by what its files hold, wherever they lie", () => {
    const folder = temporaryFolder("agents");
    const model = modelFolder(join(folder, "run"), "first");
    const first = configuration({ agent: ["onnx"], model });
    expect(first).toMatchObject({ agent: "onnx", model_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(JSON.stringify(first)).not.toContain(folder);
    // Checkpoints of a run do not act.
    mkdirSync(join(model, "checkpoints"));
    writeFileSync(join(model, "checkpoints/weights"), "x");
    expect(configuration({ agent: ["onnx"], model })).toEqual(first);
    cpSync(join(model, "onnx"), join(folder, "copy"), { recursive: true });
    expect(configuration({ agent: ["onnx"], model: join(folder, "copy") })).toEqual(first);
    modelFolder(model, "other");
    expect(configuration({ agent: ["onnx"], model })).not.toEqual(first);
  });

  it("are looked for from the folder of the file that lists them", () => {
    const folder = temporaryFolder("agents");
    modelFolder(join(folder, "run"), "first");
    const agents = join(folder, "agents.json");
    writeFileSync(agents, JSON.stringify([{ name: "own", agent: "onnx", model: "run" }]));
    const [own] = agentsOf({ ...COMMON, agents });
    expect(own?.options.model).toBe(join(folder, "run"));
    writeFileSync(agents, JSON.stringify([{ name: "theirs", agent: "anthropic", model: "run" }]));
    const [theirs] = agentsOf({ ...COMMON, agents });
    expect([theirs?.options.model, theirs?.configuration]).toEqual([
      "run",
      { agent: "anthropic", model: "run" },
    ]);
  });
});

describe("the hash of a path", () => {
  it("is that of a file's bytes, however large", () => {
    const path = join(temporaryFolder("hash"), "file");
    const bytes = Buffer.alloc(3 * (1 << 20) + 17, "abc");
    writeFileSync(path, bytes);
    expect(hashOfPath(path)).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(() => hashOfPath(`${path}.not`)).toThrow(/there is no/);
  });
});
