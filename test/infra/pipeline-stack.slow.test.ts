import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { SETTINGS_FILE } from "../../infra/constructs/function-bundle.ts";
import { deployedSettingsSchema } from "../../shared/contracts/deployed-settings.ts";
import { deploymentConfigSchema, STAGES } from "../../shared/contracts/deployment-config.ts";
import { functionEnvironmentSchema } from "../../shared/contracts/function-environment.ts";
import { judgeMessageSchema } from "../../shared/contracts/messages.ts";
import { makeApp, ofType, pipelineTemplate, resourcesOf, type SynthOptions } from "./synth.ts";

const template = pipelineTemplate({
  config: {
    datasets: [{ request: { name: "daily" }, schedule: "rate(1 day)" }, { request: { name: "own" } }],
  },
});
const { functions } = deploymentConfigSchema.parse({});

const FUNCTION = "AWS::Lambda::Function";
const QUEUE = "AWS::SQS::Queue";

function stageFunction(stage: string) {
  const found = ofType(template, FUNCTION).find(
    ({ Properties }) => Properties["FunctionName"] === `gymline-${stage}`,
  );
  if (found === undefined) throw new TypeError(`no function of ${stage}`);
  return found;
}

describe("the pipeline stack", () => {
  it("is made of plain resources: no custom resource, no function besides the stages", () => {
    const types = Object.values(resourcesOf(template)).map(({ Type }) => Type);
    expect(types.filter((type) => type.startsWith("Custom::") || type.includes("CustomResource"))).toEqual(
      [],
    );
    expect(ofType(template, FUNCTION)).toHaveLength(STAGES.length);
  });

  it("gives every function what it reads from its environment", () => {
    for (const stage of STAGES) {
      const { Variables } = z
        .object({ Variables: z.record(z.string(), z.unknown()) })
        .parse(stageFunction(stage).Properties["Environment"]);
      const names = Object.keys(functionEnvironmentSchema.shape);
      expect(Object.keys(Variables)).toEqual(expect.arrayContaining(names));
    }
  });

  it("hides a message for six times as long as its function may take, plus the batch window", () => {
    for (const stage of STAGES) {
      const queue = ofType(template, QUEUE).find(
        ({ Properties }) => Properties["QueueName"] === `gymline-${stage}`,
      );
      expect(queue?.Properties["VisibilityTimeout"]).toBeGreaterThanOrEqual(
        6 * functions[stage].timeoutSeconds,
      );
    }
  });

  it("has a dead-letter queue of 14 days behind every queue", () => {
    const dead = ofType(template, QUEUE).filter(
      ({ Properties }) => Properties["RedrivePolicy"] === undefined,
    );
    expect(dead.map(({ Properties }) => Properties["QueueName"]).toSorted()).toEqual(
      [...STAGES.map((stage) => `gymline-${stage}-dlq`), "gymline-undelivered"].toSorted(),
    );
    for (const { Properties } of dead) expect(Properties["MessageRetentionPeriod"]).toBe(14 * 24 * 3600);
  });

  it("retries single messages and bounds how many functions run", () => {
    for (const stage of STAGES) {
      const source = ofType(template, "AWS::Lambda::EventSourceMapping").find(
        ({ Properties }) =>
          JSON.stringify(Properties["FunctionName"]) === JSON.stringify({ Ref: stageFunction(stage).id }),
      );
      expect(source?.Properties).toMatchObject({
        FunctionResponseTypes: ["ReportBatchItemFailures"],
        ScalingConfig: { MaximumConcurrency: functions[stage].maxConcurrency },
      });
    }
  });

  it("schedules the sweep and the datasets that ask for it, with the messages that the stages read", () => {
    const inputs = ofType(template, "AWS::Scheduler::Schedule").map(({ Properties }) => {
      const { Input } = z.object({ Input: z.string() }).parse(Properties["Target"]);
      return [Properties["ScheduleExpression"], JSON.parse(Input)];
    });
    expect(inputs).toEqual([
      ["rate(15 minutes)", { schema: "gymline.sweep.v1" }],
      ["rate(1 day)", { schema: "gymline.export.v1", dataset: "daily", cause: "schedule" }],
    ]);
  });

  it("looks after the judge's batches where the settings have a judge, and only there", () => {
    const schedules = (options: SynthOptions) =>
      ofType(pipelineTemplate(options), "AWS::Scheduler::Schedule").map(({ Properties }) => {
        const { Input } = z.object({ Input: z.string() }).parse(Properties["Target"]);
        return [Properties["ScheduleExpression"], JSON.parse(Input)];
      });
    const collect = ["rate(10 minutes)", { schema: "gymline.judge.v1", kind: "collect" }];
    expect(schedules({ project: { judge: {} } })).toContainEqual(collect);
    expect(schedules({})).not.toContainEqual(collect);
    expect(judgeMessageSchema.safeParse(collect[1]).success).toBe(true);
  });

  it("gives files that datasets name to the export, and no other function", () => {
    const { app } = makeApp({ files: [{ path: "held-out.txt", content: "dGFzay0xCg==" }] });
    app.synth();
    const files = (stage: string) =>
      deployedSettingsSchema.parse(
        JSON.parse(readFileSync(join(app.outdir, "bundles", stage, SETTINGS_FILE), "utf8")),
      ).files;
    expect(files("export")).toEqual([{ path: "held-out.txt", content: "dGFzay0xCg==" }]);
    for (const stage of STAGES) if (stage !== "export") expect(files(stage)).toEqual([]);
  });

  it("gathers messages to the judge for a minute, so that many make one batch", () => {
    const source = ofType(template, "AWS::Lambda::EventSourceMapping").find(
      ({ Properties }) =>
        JSON.stringify(Properties["FunctionName"]) === JSON.stringify({ Ref: stageFunction("judge").id }),
    );
    expect(source?.Properties).toMatchObject({ BatchSize: 1000, MaximumBatchingWindowInSeconds: 60 });
    const queue = ofType(template, QUEUE).find(
      ({ Properties }) => Properties["QueueName"] === "gymline-judge",
    );
    expect(queue?.Properties["VisibilityTimeout"]).toBe(6 * functions.judge.timeoutSeconds + 60);
  });

  it("tells by its outputs what programs need to find", () => {
    const outputs = Object.keys(z.record(z.string(), z.unknown()).parse(template.toJSON()["Outputs"]));
    const perStage = ["Ingest", "Score", "Judge", "Export", "Sweep"].flatMap((stage) => [
      `${stage}QueueUrl`,
      `${stage}DlqUrl`,
      `${stage}FunctionName`,
    ]);
    expect(outputs).toEqual(
      expect.arrayContaining([
        ...perStage,
        ...["DropBucketName", "StoreBucketName", "TableName", "EventBusName", "DashboardUrl"],
      ]),
    );
  });
});
