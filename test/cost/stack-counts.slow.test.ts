import { describe, expect, it } from "vitest";
import { deploymentConfigSchema } from "../../shared/contracts/deployment-config.ts";
import { costOf, DEFAULT_WORKLOAD } from "../../shared/cost/cost-model.ts";
import { deploymentShape } from "../../shared/cost/deployment-shape.ts";
import { ofType, pipelineTemplate } from "../infra/synth.ts";

describe("the cost model", () => {
  it("counts what the stack makes", () => {
    const template = pipelineTemplate({ config: { kms: true } });
    const count = (type: string): number => ofType(template, type).length;
    const made = deploymentShape(deploymentConfigSchema.parse({ kms: true }), { hasJudge: false });
    const quantity = (what: string): number | undefined =>
      costOf(DEFAULT_WORKLOAD, made).idle.find((line) => line.what === what)?.quantity;
    expect([made.alarms, made.queues]).toEqual([
      count("AWS::CloudWatch::Alarm"),
      count("AWS::Lambda::EventSourceMapping"),
    ]);
    expect([quantity("dashboard"), quantity("secret for model providers"), quantity("key")]).toEqual([
      count("AWS::CloudWatch::Dashboard"),
      count("AWS::SecretsManager::Secret"),
      count("AWS::KMS::Key"),
    ]);
  });
});
