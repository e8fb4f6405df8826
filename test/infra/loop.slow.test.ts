import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { SETTINGS_FILE } from "../../infra/constructs/function-bundle.ts";
import { deployedSettingsSchema } from "../../shared/contracts/deployed-settings.ts";
import { deploymentConfigSchema } from "../../shared/contracts/deployment-config.ts";
import { functionEnvironmentSchema } from "../../shared/contracts/function-environment.ts";
import { loopEnvironmentSchema } from "../../shared/contracts/loop-environment.ts";
import { loopMessageSchema } from "../../shared/contracts/messages.ts";
import { batchTemplate, makeApp, ofType, pipelineTemplate, WITH_LOOP } from "./synth.ts";

const template = pipelineTemplate({ config: WITH_LOOP });

const statementSchema = z.looseObject({
  Action: z.union([z.string(), z.array(z.string())]).transform((found) => [found].flat()),
  Resource: z.unknown(),
});
const rightsOf = (action: string) =>
  ofType(template, "AWS::IAM::Policy")
    .filter(({ id }) => id.startsWith("LoopFunctionRole"))
    .flatMap(({ Properties }) =>
      z
        .object({ Statement: z.array(statementSchema) })
        .parse(Properties["PolicyDocument"])
        .Statement.filter(({ Action }) => Action.includes(action)),
    );

const rules = ofType(template, "AWS::Events::Rule").filter(({ id }) => id.startsWith("Loop"));
const ruleOf = (text: string): string =>
  JSON.stringify(rules.find((rule) => JSON.stringify(rule.Properties["EventPattern"]).includes(text)));

describe("the loop in the stacks", () => {
  it("is not there unless the configuration names a model", () => {
    const without = JSON.stringify(pipelineTemplate({ config: { batch: WITH_LOOP.batch } }).toJSON());
    expect(without).not.toMatch(/gymline-loop|LoopQueue|loop\.stopped/);
  });

  it("is refused without jobs that train and jobs that evaluate, and twice for one model", () => {
    const fault = (over: object) =>
      deploymentConfigSchema.safeParse({ ...WITH_LOOP, ...over }).error?.message ?? "";
    expect(fault({ batch: {} })).toMatch(/give batch\.training[\s\S]*give batch\.rollouts/);
    expect(fault({ loop: [...WITH_LOOP.loop, ...WITH_LOOP.loop] })).toContain(
      "two loops have the same model",
    );
    const [loop] = WITH_LOOP.loop;
    const train = { base: "a/model", options: { export: "none" } };
    expect(fault({ loop: [{ ...loop, train }] })).toContain("export, out, checkpoints, resume itself");
    expect(fault({ loop: [{ ...loop, train: { base: "../model" } }] })).toContain("give a model of the hub");
  });

  it("has one more queue with dead letters, one more function and the five alarms of a stage", () => {
    const names = ofType(template, "AWS::SQS::Queue").map(({ Properties }) => Properties["QueueName"]);
    expect(names).toEqual(expect.arrayContaining(["gymline-loop", "gymline-loop-dlq"]));
    const alarms = ofType(template, "AWS::CloudWatch::Alarm").map(
      ({ Properties }) => Properties["AlarmName"],
    );
    const kinds = ["dead-letters", "oldest-message", "errors", "throttles", "duration"];
    expect(alarms).toEqual(expect.arrayContaining(kinds.map((kind) => `gymline-loop-${kind}`)));
    const outputs = Object.keys(template.findOutputs("*"));
    expect(outputs).toEqual(expect.arrayContaining(["LoopQueueUrl", "LoopDlqUrl", "LoopFunctionName"]));
  });

  it("gives the function what it reads from its environment, with the names that the Batch stack gives", () => {
    const found = ofType(template, "AWS::Lambda::Function").find(
      ({ Properties }) => Properties["FunctionName"] === "gymline-loop",
    );
    const { Variables } = z
      .object({ Variables: z.record(z.string(), z.unknown()) })
      .parse(found?.Properties["Environment"]);
    const names = [
      ...Object.keys(functionEnvironmentSchema.shape),
      ...Object.keys(loopEnvironmentSchema.shape),
    ];
    expect(Object.keys(Variables)).toEqual(expect.arrayContaining(names));
    const batch = batchTemplate({ config: WITH_LOOP });
    const queues = ofType(batch, "AWS::Batch::JobQueue").map(({ Properties }) => Properties["JobQueueName"]);
    const definitions = ofType(batch, "AWS::Batch::JobDefinition").map(
      ({ Properties }) => Properties["JobDefinitionName"],
    );
    expect(queues).toContain(Variables["GYMLINE_TRAINING_QUEUE"]);
    expect(queues).toContain(Variables["GYMLINE_ROLLOUT_QUEUE"]);
    expect(definitions).toContain(Variables["GYMLINE_TRAINING_DEFINITION"]);
    expect(definitions).toContain(Variables["GYMLINE_ROLLOUT_DEFINITION"]);
  });

  it("is told of the datasets that it trains on, of jobs that ended but no children, and by a schedule", () => {
    expect(ruleOf("dataset.published")).toContain('"detail":{"name":["coding"]}');
    const ended = ruleOf("aws.batch");
    expect(ended).toContain('"source":["aws.batch"]');
    const local = pipelineTemplate({ config: WITH_LOOP, local: { architecture: "x86_64", environment: {} } });
    // Of a local Batch runner, events may come under a name of their own.
    expect(JSON.stringify(ofType(local, "AWS::Events::Rule"))).toContain('["aws.batch","gymline.batch"]');
    expect(ended).toContain('"status":["SUCCEEDED","FAILED"]');
    expect(ended).toContain('"arrayProperties":{"index":[{"exists":false}]}');
    expect(ended).toMatch(/:job-queue\/gymline-gpu".*:job-queue\/gymline-rollout-cpu"/);
    for (const rule of [ruleOf("dataset.published"), ended]) {
      expect(rule).toMatch(/"Arn":\{"Fn::GetAtt":\["LoopQueue/);
      expect(rule).toContain("DeadLetterConfig");
    }
    const [schedule] = ofType(template, "AWS::Scheduler::Schedule").filter(({ id }) =>
      id.startsWith("LoopSweep"),
    );
    const { Target } = z.object({ Target: z.object({ Input: z.string() }) }).parse(schedule?.Properties);
    expect(loopMessageSchema.parse(JSON.parse(Target.Input))).toMatchObject({ kind: "sweep" });
  });

  it("tells the alarm topic of a run that stands still, with a runbook", () => {
    const rule = ruleOf("loop.stopped");
    expect(rule).toContain("AlarmTopic");
    expect(rule).toContain("docs/OPERATIONS.md#stopped-loops");
    const runbooks = readFileSync(join(import.meta.dirname, "../../docs/OPERATIONS.md"), "utf8");
    expect(runbooks).toContain("\n## Stopped loops\n");
  });

  it("may submit trainings and rollouts, and no other job, and reach no trajectory", () => {
    const submits = JSON.stringify(rightsOf("batch:SubmitJob"));
    const reached = [...submits.matchAll(/:(job-(?:queue|definition)\/[^"]+)"/g)].map(([, name]) => name);
    expect(reached.toSorted()).toEqual([
      "job-definition/gymline-rollout-cpu",
      "job-definition/gymline-rollout-cpu:*",
      "job-definition/gymline-train",
      "job-definition/gymline-train:*",
      "job-queue/gymline-gpu",
      "job-queue/gymline-rollout-cpu",
    ]);
    for (const action of ["s3:GetObject", "s3:PutObject"]) {
      expect(JSON.stringify(rightsOf(action))).not.toMatch(/trajectories|drop/i);
    }
    expect(rightsOf("s3:DeleteObject")).toEqual([]);
  });

  it("hands the tasks of loops to their function alone", () => {
    const { directory } = makeApp({ config: WITH_LOOP }).app.synth();
    const loopsOf = (stage: string) =>
      deployedSettingsSchema.parse(
        JSON.parse(readFileSync(join(directory, "bundles", stage, SETTINGS_FILE), "utf8")),
      ).loops;
    expect(loopsOf("loop")).toHaveLength(1);
    for (const stage of ["ingest", "export", "sweep"]) expect(loopsOf(stage)).toBeUndefined();
  });
});
