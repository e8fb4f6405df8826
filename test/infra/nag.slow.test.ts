import { Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { describe, expect, it } from "vitest";
import { makeApp, type SynthOptions, WITH_LOOP } from "./synth.ts";

/** What cdk-nag finds, as `rule at construct`. */
function nagFindings(options: SynthOptions): readonly string[] {
  const { app } = makeApp(options);
  const checks = new AwsSolutionsChecks(app);
  Validations.of(app).addPlugins(checks);
  return checks
    .validateScope(app)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
    );
}

const CONFIGURATIONS: Readonly<Record<string, SynthOptions>> = {
  "all defaults": {},
  "a key of its own": { config: { kms: true } },
  "a network that was there before": {
    config: {
      batch: {
        network: {
          kind: "existing",
          vpcId: "vpc-0123456789abcdef0",
          subnetIds: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1", "subnet-0123456789abcdef2"],
          availabilityZones: ["eu-west-1a", "eu-west-1b"],
        },
      },
    },
  },
  "training jobs and a key of its own": { config: { kms: true, batch: { training: {} } } },
  "rollouts, on GPUs too": { config: { kms: true, batch: { rollouts: { gpu: { model: "m" } } } } },
  "a loop and a key of its own": { config: { ...WITH_LOOP, kms: true } },
  "a judge": { project: { judge: {} }, config: { kms: true } },
  "datasets, subscribers and everything deleted with the stack": {
    config: {
      datasets: [{ request: { name: "daily" }, schedule: "rate(1 day)" }],
      alarms: { email: "team@example.com", webhook: "https://example.com/alarms" },
      onDelete: "destroy",
    },
  },
};

describe("the AwsSolutions rules of cdk-nag", () => {
  it.each(Object.entries(CONFIGURATIONS))("find nothing in a deployment with %s", (_name, options) => {
    expect(nagFindings(options)).toEqual([]);
  });
});
