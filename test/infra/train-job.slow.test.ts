import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { runsAgain } from "../../infra/local/batch/retry-strategy.ts";
import { readTemplates } from "../../infra/local/batch/template.ts";
import { deploymentConfigSchema } from "../../shared/contracts/deployment-config.ts";
import { batchTemplate, ofType } from "./synth.ts";

const trainer = resolve(import.meta.dirname, "../../containers/trainer");
const template = batchTemplate({ config: { batch: { training: { gpus: 2, timeoutMinutes: 90 } } } });

function definition(from = template) {
  const found = ofType(from, "AWS::Batch::JobDefinition").find(
    ({ Properties }) => Properties["JobDefinitionName"] === "gymline-train",
  );
  return found?.Properties;
}

describe("the training job", () => {
  it("is there only where the configuration asks for it", () => {
    expect(definition(batchTemplate())).toBeUndefined();
    expect(definition()).toBeDefined();
  });

  it("has GPUs, memory and shared memory as configured, and a process for each GPU", () => {
    expect(definition()).toMatchObject({
      Timeout: { AttemptDurationSeconds: 5400 },
      ContainerProperties: {
        ResourceRequirements: expect.arrayContaining([
          { Type: "GPU", Value: "2" },
          { Type: "VCPU", Value: "4" },
          { Type: "MEMORY", Value: "14336" },
        ]),
        LinuxParameters: { SharedMemorySize: 2048, InitProcessEnabled: true },
        Environment: expect.arrayContaining([{ Name: "GYMLINE_TRAINER_PROCESSES", Value: "2" }]),
        User: "1000:1000",
        ReadonlyRootFilesystem: true,
        MountPoints: [{ ContainerPath: "/tmp" }],
      },
    });
  });

  it("tells the commit that the deployment names, for the model's card", () => {
    const commit = "0123456789abcdef0123456789abcdef01234567";
    const named = batchTemplate({ config: { batch: { training: {} } }, commit });
    const variable = { Name: "GYMLINE_COMMIT", Value: commit };
    expect(definition(named)).toMatchObject({
      ContainerProperties: { Environment: expect.arrayContaining([variable]) },
    });
    expect(JSON.stringify(definition())).not.toContain("GYMLINE_COMMIT");
  });

  it("is tried again after a lost host, a Spot notice and an image that could not be pulled, and not after a fault", () => {
    const { definitions } = readTemplates({
      templates: [{ name: "Batch", body: template.toJSON() }],
      values: {},
      place: { region: "eu-west-1", account: "123456789012" },
    });
    const strategy = definitions.find(({ name }) => name === "gymline-train")?.retryStrategy ?? {};
    expect(strategy.attempts).toBe(10);
    const essential = "Essential container in task exited";
    const cases = [
      [{ statusReason: "Host EC2 (instance i-0123456789abcdef0) terminated." }, true],
      [{ exitCode: 1, statusReason: "Host EC2 (instance i-0123456789abcdef0) terminated." }, true],
      [{ exitCode: 75, statusReason: essential }, true],
      [{ reason: "CannotPullContainerError: context deadline exceeded" }, true],
      [{ exitCode: 1, statusReason: essential }, false],
      [{ exitCode: 2, statusReason: essential }, false],
      [{ exitCode: 137, reason: "OutOfMemoryError: Container killed due to memory usage" }, false],
    ] as const;
    for (const [failed, expected] of cases) {
      expect([failed, runsAgain(strategy, failed, 1)]).toEqual([failed, expected]);
    }
    expect(runsAgain(strategy, { exitCode: 75 }, 10)).toBe(false);
  });

  it("runs on instances that drain on a Spot notice and give containers 110 seconds, in user data that Batch can merge", () => {
    const launch = ofType(template, "AWS::EC2::LaunchTemplate").find(({ id }) =>
      id.startsWith("TrainingLaunchTemplate"),
    );
    const data = z
      .looseObject({ UserData: z.object({ "Fn::Base64": z.string() }) })
      .parse(launch?.Properties["LaunchTemplateData"]);
    expect(data).toMatchObject({
      MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1 },
      BlockDeviceMappings: [{ Ebs: { Encrypted: true, VolumeSize: 200 } }],
    });
    const [head = "", , part = ""] = data.UserData["Fn::Base64"].split("--==gymline==");
    expect(head).toMatch(/^MIME-Version: 1\.0\nContent-Type: multipart\/mixed; boundary="==gymline=="\n\n$/);
    expect(part).toBe("--\n");
    expect(data.UserData["Fn::Base64"]).toContain(
      'Content-Type: text/x-shellscript; charset="us-ascii"\n\n#!/bin/bash\n',
    );
    expect(data.UserData["Fn::Base64"]).toMatch(/^ECS_ENABLE_SPOT_INSTANCE_DRAINING=true$/m);
    expect(data.UserData["Fn::Base64"]).toMatch(/^ECS_CONTAINER_STOP_TIMEOUT=110s$/m);
    for (const { id, Properties } of ofType(template, "AWS::Batch::ComputeEnvironment")) {
      expect([id, JSON.stringify(Properties).includes("TrainingLaunchTemplate")]).toEqual([
        id,
        id.startsWith("Gpu"),
      ]);
    }
  });

  it("may read datasets and models, write models and its own place, and nothing else", () => {
    const policies = ofType(template, "AWS::IAM::Policy").filter(({ id }) => id.startsWith("TrainJobRole"));
    expect(policies).toHaveLength(1);
    const statementSchema = z.array(
      z.object({
        Action: z.union([z.string(), z.array(z.string())]),
        Effect: z.literal("Allow"),
        Resource: z.unknown(),
      }),
    );
    const document = z
      .object({ Statement: statementSchema })
      .parse(policies[0]?.Properties["PolicyDocument"]);
    const rights = document.Statement.map(({ Action, Resource }) => [
      [Action].flat().toSorted(),
      [...new Set(JSON.stringify(Resource).match(/[a-z]+\/\*/g))],
    ]);
    expect(rights).toEqual([
      [["s3:GetObject"], ["datasets/*", "models/*", "trainings/*"]],
      [
        ["s3:AbortMultipartUpload", "s3:PutObject"],
        ["models/*", "trainings/*"],
      ],
      [["s3:DeleteObject"], ["trainings/*"]],
      [["s3:ListBucket"], []],
    ]);
  });

  it("is refused where it could never start", () => {
    const parse = (batch: object) => deploymentConfigSchema.safeParse({ batch }).error?.message ?? "";
    expect(parse({ training: {}, gpu: { maxVcpus: 0 } })).toContain("must be at least training.vcpus (4)");
    expect(parse({ training: { gpu: 1 } })).toContain("gpu");
    expect(parse({ training: {} })).toBe("");
  });
});

describe("the trainer's Dockerfile", () => {
  const text = readFileSync(join(trainer, "Dockerfile"), "utf8");
  const ignore = readFileSync(join(trainer, ".dockerignore"), "utf8").trim().split("\n");

  it("copies only what is there and what .dockerignore lets through", () => {
    const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = ""]) =>
      sources.split(" "),
    );
    expect(copied.toSorted()).toEqual([
      "*.py",
      "configs",
      "gymline_trainer",
      "pyproject.toml",
      "pyproject.toml",
    ]);
    const present = readdirSync(trainer);
    for (const source of copied.filter((name) => name !== "*.py")) expect(present).toContain(source);
    expect(ignore[0]).toBe("*");
    for (const source of copied) expect(ignore).toContain(`!${source}`);
    for (const script of ["job.py", "sft.py", "dpo.py", "grpo.py", "prm.py"])
      expect(present).toContain(script);
    expect(ignore).toContain("critic.py");
  });

  it("installs what pyproject.toml pins for training and names no package of its own", () => {
    const install = /^RUN .*pip install (.+)$/m.exec(text)?.[1];
    expect(install).toBe("--no-cache-dir --only-binary :all: -r requirements.txt");
    expect(text).toContain("project['optional-dependencies']['train']");
    const project = readFileSync(join(trainer, "pyproject.toml"), "utf8");
    const [, train = ""] = /^train = \[([^\]]+)\]/m.exec(project) ?? [];
    const pins = [...train.matchAll(/"([^"]+)"/g)].map(([, pin = ""]) => pin);
    expect(pins.length).toBeGreaterThan(8);
    for (const pin of pins) expect(pin).toMatch(/^[a-z0-9-]+==[\d.]+$/);
  });

  it("names its base by version, writes to /tmp alone and is nobody special", () => {
    expect(text).toMatch(/^ARG BASE=nvidia\/cuda:\d+\.\d+\.\d+-base-ubuntu\d+\.\d+$/m);
    expect(text).toMatch(/^USER 1000:1000$/m);
    expect(text).toMatch(/^ENTRYPOINT \["python", "job\.py"\]$/m);
    for (const name of ["HOME", "HF_HOME", "GYMLINE_TRAINER_CACHE"]) {
      expect(text).toMatch(new RegExp(`^ +${name}=/tmp`, "m"));
    }
  });
});
