import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { STAGES } from "../../shared/contracts/deployment-config.ts";

const root = resolve(import.meta.dirname, "../..");
let folder = "";
let synth: ReturnType<typeof cdk>;

/** Runs `cdk` as a user without an AWS account would: no credentials, no region, a home with nothing in it. */
function cdk(args: readonly string[]) {
  const command = [join(root, "node_modules/aws-cdk/bin/cdk"), ...args, "--no-notices", "--ci"];
  return spawnSync(process.execPath, command, {
    cwd: root,
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin", HOME: folder, AWS_EC2_METADATA_DISABLED: "true" },
  });
}

/** The folders of code that the functions are made of. */
function bundles(): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith("asset.") && existsSync(join(folder, name, "index.mjs")))
    .map((name) => join(folder, name));
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gymline-cdk-"));
  synth = cdk(["synth", "--quiet", "--output", folder]);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("cdk synth", () => {
  it("makes both stacks of the functions' own code, without credentials, network or Docker", () => {
    expect(synth.stderr + synth.stdout).not.toMatch(/error|warning/i);
    expect(synth.status).toBe(0);
    expect(readdirSync(folder)).toEqual(
      expect.arrayContaining([
        "Gymline-gymline-Pipeline.template.json",
        "Gymline-gymline-Batch.template.json",
      ]),
    );
    expect(bundles()).toHaveLength(STAGES.length);
  });

  it("bundles code that loads as it lies there, down to what it misses in its environment", () => {
    for (const bundle of bundles()) {
      const run = spawnSync(process.execPath, ["--enable-source-maps", join(bundle, "index.mjs")], {
        encoding: "utf8",
        env: { LAMBDA_TASK_ROOT: bundle },
      });
      expect(run.stderr).toContain("StationError: the environment lacks GYMLINE_DROP_BUCKET");
      expect(run.stderr).toContain("shared/adapters/aws/station.ts");
    }
  });

  it("sends to Docker what the image is built of, and nothing else", () => {
    const images = readdirSync(folder).filter((name) =>
      existsSync(join(folder, name, "containers/gymline/Dockerfile")),
    );
    expect(images).toHaveLength(1);
    const image = join(folder, images[0] ?? "");
    const needed = [
      "containers",
      "package-lock.json",
      "package.json",
      "shared",
      "tsconfig.build.json",
      "tsconfig.json",
    ];
    expect(
      readdirSync(image)
        .filter((name) => !name.startsWith("."))
        .toSorted(),
    ).toEqual(needed);
    expect(existsSync(join(image, "shared/samples"))).toBe(false);
  });

  it("says in one line what is wrong with the configuration", () => {
    const failed = cdk(["synth", "--quiet", "--output", join(folder, "other"), "-c", "config=nowhere.json"]);
    expect(failed.status).not.toBe(0);
    expect(failed.stderr).toMatch(/gymline: .*nowhere\.json cannot be read .*create it/);
    expect(failed.stderr).not.toContain("at loadDeployment");
  });

  it("makes the pipeline alone for a local engine, for the processor at hand", () => {
    const output = join(folder, "local");
    const local = {
      architecture: "x86_64",
      batchEndpoint: "http://127.0.0.1:9/",
      environment: { EXTRA: "1" },
    };
    const made = cdk(["synth", "--quiet", "--output", output, "-c", `local=${JSON.stringify(local)}`]);
    expect(made.status).toBe(0);
    expect(readdirSync(output)).not.toContain("Gymline-gymline-Batch.template.json");
    const text = readFileSync(join(output, "Gymline-gymline-Pipeline.template.json"), "utf8");
    const { Resources } = z.object({ Resources: z.record(z.string(), z.unknown()) }).parse(JSON.parse(text));
    expect(JSON.stringify(Resources)).not.toContain("AWS::Events::Archive");
    const functions = Object.values(Resources).filter((found) =>
      JSON.stringify(found).includes("AWS::Lambda::Function"),
    );
    for (const found of functions.filter((one) => JSON.stringify(one).includes("nodejs24.x"))) {
      expect(found).toMatchObject({
        Properties: {
          Architectures: ["x86_64"],
          Environment: { Variables: { AWS_ENDPOINT_URL_BATCH: local.batchEndpoint, EXTRA: "1" } },
        },
      });
    }
  });
});
