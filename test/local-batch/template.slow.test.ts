import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  App,
  aws_batch as batch,
  aws_ec2 as ec2,
  aws_ecs as ecs,
  aws_iam as iam,
  Size,
  Stack,
  aws_s3 as s3,
} from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Json, jsonSchema } from "../../infra/local/batch/intrinsics.ts";
import { type BatchResources, readTemplates } from "../../infra/local/batch/template.ts";
import { batchTemplate } from "./batch-runner.ts";

const PLACE = { region: "eu-west-1", account: "123456789012" };

function read(body: unknown, values: Readonly<Record<string, Json>> = {}): BatchResources {
  return readTemplates({ templates: [{ name: "Batch.template.json", body }], values, place: PLACE });
}

/** Batch resources as the CDK writes them: of higher and of lower constructs. */
function synthesised(outdir: string): unknown {
  const stack = new Stack(new App({ outdir }), "Batch", {
    env: { region: PLACE.region, account: PLACE.account },
  });
  const bucket = new s3.Bucket(stack, "Store");
  const vpc = ec2.Vpc.fromVpcAttributes(stack, "Network", {
    vpcId: "vpc-0123456789abcdef0",
    availabilityZones: ["eu-west-1a"],
    privateSubnetIds: ["subnet-0123456789abcdef0"],
  });
  const machines = new batch.ManagedEc2EcsComputeEnvironment(stack, "Machines", {
    vpc,
    spot: true,
    maxvCpus: 32,
    computeEnvironmentName: "machines",
  });
  new batch.JobQueue(stack, "Queue", {
    jobQueueName: "rollouts",
    priority: 5,
    computeEnvironments: [{ computeEnvironment: machines, order: 1 }],
  });
  new batch.EcsJobDefinition(stack, "High", {
    jobDefinitionName: "rollout",
    retryAttempts: 3,
    retryStrategies: [batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.SPOT_INSTANCE_RECLAIMED)],
    parameters: { Task: "t" },
    container: new batch.EcsEc2ContainerDefinition(stack, "Container", {
      image: ecs.ContainerImage.fromRegistry("gymline:1"),
      command: ["rollout", "Ref::Task"],
      cpu: 2,
      memory: Size.gibibytes(4),
      environment: { STORE: bucket.bucketName, REGION: stack.region },
      volumes: [
        batch.EcsVolume.host({
          name: "docker",
          hostPath: "/var/run/docker.sock",
          containerPath: "/docker.sock",
        }),
      ],
    }),
  });
  const role = new iam.Role(stack, "Role", {
    assumedBy: new iam.ServicePrincipal("ecs-tasks.amazonaws.com"),
  });
  new batch.CfnJobDefinition(stack, "Train", {
    type: "container",
    timeout: { attemptDurationSeconds: 3600 },
    tags: { Stage: "train" },
    containerProperties: {
      image: `${stack.account}.dkr.ecr.${stack.region}.${stack.urlSuffix}/trainer:abc`,
      jobRoleArn: role.roleArn,
      resourceRequirements: [
        { type: "VCPU", value: "4" },
        { type: "MEMORY", value: "8192" },
        { type: "GPU", value: "1" },
      ],
    },
  });
  return Template.fromStack(stack).toJSON();
}

describe("a template that the CDK synthesised", () => {
  let body: unknown;
  let store = "";
  const folder = mkdtempSync(join(tmpdir(), "gymline-cdk-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeAll(() => {
    body = synthesised(folder);
    store =
      Object.keys(Template.fromJSON(body as Record<string, unknown>).findResources("AWS::S3::Bucket"))[0] ??
      "";
  });

  it("gives its queues, compute environments and definitions, with values for what it cannot know", () => {
    const { definitions, queues, computeEnvironments } = read(body, { [store]: "my-store" });
    const machines = "arn:aws:batch:eu-west-1:123456789012:compute-environment/machines";
    expect(computeEnvironments).toMatchObject([
      { name: "machines", arn: machines, type: "MANAGED", resourceType: "SPOT", maxVcpus: 32 },
    ]);
    expect(queues).toMatchObject([{ name: "rollouts", priority: 5, computeEnvironments: [machines] }]);
    const rollout = definitions.find(({ name }) => name === "rollout");
    expect(rollout).toMatchObject({
      parameters: { Task: "t" },
      retryStrategy: {
        attempts: 3,
        evaluateOnExit: [{ action: "RETRY", onStatusReason: "Host EC2*" }],
      },
      container: {
        image: "gymline:1",
        command: ["rollout", "Ref::Task"],
        mountPoints: [{ sourceVolume: "docker", containerPath: "/docker.sock" }],
        volumes: [{ name: "docker", host: { sourcePath: "/var/run/docker.sock" } }],
      },
    });
    expect(rollout?.container.environment).toContainEqual({ name: "STORE", value: "my-store" });
    expect(rollout?.container.environment).toContainEqual({ name: "REGION", value: "eu-west-1" });
    expect(definitions.find(({ name }) => name === "Train")).toMatchObject({
      timeout: 3600,
      tags: { Stage: "train" },
      container: { image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/trainer:abc" },
    });
  });

  it("is refused by resource, property and missing name where a value is needed", () => {
    expect(() => read(body)).toThrow(
      new RegExp(
        `^Batch\\.template\\.json: High\\w*\\.ContainerProperties\\.Environment\\.\\d+\\.Value: nobody knows ${store}`,
      ),
    );
  });
});

describe("a template", () => {
  it("takes parameters from the values, or their defaults", () => {
    const parsed = jsonSchema.parse(batchTemplate({ container: { Image: { Ref: "Image" } } }));
    const body = {
      ...(parsed as object),
      Parameters: { Image: { Type: "String", Default: "by-default:1" } },
    };
    expect(read(body).definitions[0]?.container.image).toBe("by-default:1");
    expect(read(body, { Image: "given:1" }).definitions[0]?.container.image).toBe("given:1");
  });

  it.each([
    {
      name: "a wrong value",
      facts: { container: { Command: "true" } },
      says: "Work.ContainerProperties.Command",
    },
    {
      name: "a missing image",
      facts: { container: { Image: undefined } },
      says: "Work.ContainerProperties.Image",
    },
    {
      name: "another type of job",
      facts: { properties: { Type: "multinode" } },
      says: "type container only",
    },
    {
      name: "a strategy that AWS refuses",
      facts: { properties: { RetryStrategy: { Attempts: 11 } } },
      says: "Work.RetryStrategy.Attempts",
    },
  ])("is refused with its place for $name", ({ facts, says }) => {
    expect(() => read(JSON.parse(JSON.stringify(batchTemplate(facts))))).toThrow(says);
  });

  it("may not declare a name twice", () => {
    const body = batchTemplate();
    const templates = ["A", "B"].map((name) => ({ name, body }));
    expect(() => readTemplates({ templates, values: {}, place: PLACE })).toThrow(
      "two templates declare the job definition work",
    );
  });
});
