import { describe, expect, it } from "vitest";
import { z } from "zod";
import { functionEnvironmentSchema } from "../../shared/contracts/function-environment.ts";
import { batchTemplate, ofType, resourcesOf } from "./synth.ts";

const template = batchTemplate();

const containerSchema = z.looseObject({
  Environment: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
});

function container(from = template) {
  const [definition] = ofType(from, "AWS::Batch::JobDefinition");
  return containerSchema.parse(definition?.Properties["ContainerProperties"]);
}

describe("the Batch stack", () => {
  it("costs nothing while no job runs: no NAT gateway, no instance, no custom resource", () => {
    const types = Object.values(resourcesOf(template)).map(({ Type }) => Type);
    expect(types).not.toContain("AWS::EC2::NatGateway");
    expect(types).not.toContain("AWS::EC2::EIP");
    expect(types.filter((type) => type.startsWith("Custom::") || type === "AWS::Lambda::Function")).toEqual(
      [],
    );
    for (const { Properties } of ofType(template, "AWS::Batch::ComputeEnvironment")) {
      expect(Properties["ComputeResources"]).toMatchObject({ MinvCpus: 0 });
    }
  });

  it("lets nothing in from the network and reaches S3 and DynamoDB without leaving it", () => {
    const groups = ofType(template, "AWS::EC2::SecurityGroup");
    expect(groups).toHaveLength(1);
    for (const { Properties } of groups) expect(Properties).not.toHaveProperty("SecurityGroupIngress");
    expect(ofType(template, "AWS::EC2::SecurityGroupIngress")).toEqual([]);
    expect(ofType(template, "AWS::EC2::VPCEndpoint")).toHaveLength(2);
  });

  it("stands in the network that the configuration names, making none of its own", () => {
    const subnetIds = [0, 1, 2].map((last) => `subnet-0123456789abcdef${last}`);
    const existing = batchTemplate({
      config: {
        batch: {
          network: {
            kind: "existing",
            vpcId: "vpc-0123456789abcdef0",
            subnetIds,
            availabilityZones: ["eu-west-1a", "eu-west-1b"],
            securityGroupIds: ["sg-0123456789abcdef0"],
          },
        },
      },
    });
    expect(ofType(existing, "AWS::EC2::VPC")).toEqual([]);
    expect(ofType(existing, "AWS::EC2::SecurityGroup")).toEqual([]);
    for (const { Properties } of ofType(existing, "AWS::Batch::ComputeEnvironment")) {
      expect(Properties["ComputeResources"]).toMatchObject({
        Subnets: subnetIds,
        SecurityGroupIds: ["sg-0123456789abcdef0"],
      });
    }
  });

  it("tries Spot before on-demand instances", () => {
    const types = Object.fromEntries(
      ofType(template, "AWS::Batch::ComputeEnvironment").map(({ id, Properties }) => [
        id,
        z.looseObject({ Type: z.string() }).parse(Properties["ComputeResources"]).Type,
      ]),
    );
    const orderSchema = z.array(
      z.object({ ComputeEnvironment: z.object({ "Fn::GetAtt": z.tuple([z.string(), z.string()]) }) }),
    );
    const queues = ofType(template, "AWS::Batch::JobQueue");
    expect(queues.map(({ Properties }) => Properties["JobQueueName"])).toEqual([
      "gymline-cpu",
      "gymline-gpu",
    ]);
    for (const { Properties } of queues) {
      const order = orderSchema.parse(Properties["ComputeEnvironmentOrder"]);
      expect(order.map(({ ComputeEnvironment }) => types[ComputeEnvironment["Fn::GetAtt"][0]])).toEqual([
        "SPOT",
        "EC2",
      ]);
    }
  });

  it("has no GPU queue where the configuration allows no GPU", () => {
    const without = batchTemplate({ config: { batch: { gpu: { maxVcpus: 0 } } } });
    expect(ofType(without, "AWS::Batch::JobQueue")).toHaveLength(1);
  });

  it("encrypts disks, asks for session tokens and keeps containers from the metadata service", () => {
    const [launch] = ofType(template, "AWS::EC2::LaunchTemplate");
    expect(launch?.Properties["LaunchTemplateData"]).toMatchObject({
      MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1 },
      BlockDeviceMappings: [{ Ebs: { Encrypted: true, VolumeType: "gp3" } }],
    });
  });

  it("moves to a changed launch template", () => {
    for (const { Properties } of ofType(template, "AWS::Batch::ComputeEnvironment")) {
      expect(JSON.stringify(Properties)).toContain("LatestVersionNumber");
    }
  });

  it("runs jobs without root, on a read-only file system with a /tmp of their own", () => {
    expect(container()).toMatchObject({
      User: "1000:1000",
      ReadonlyRootFilesystem: true,
      MountPoints: [{ ContainerPath: "/tmp" }],
      LinuxParameters: { InitProcessEnabled: true },
      Command: ["--help"],
    });
    expect(container()).not.toHaveProperty("Privileged");
  });

  it("gives jobs what functions have in their environment, with settings that they may read", () => {
    const names = container().Environment.map(({ Name }) => Name);
    expect(names.toSorted()).toEqual(
      ["AWS_REGION", ...Object.keys(functionEnvironmentSchema.shape)].toSorted(),
    );
    const settings = container().Environment.find(({ Name }) => Name === "GYMLINE_SETTINGS");
    const key = /\/([0-9a-f]{64}\.json)"/.exec(JSON.stringify(settings?.Value))?.[1];
    expect(key).toBeDefined();
    const policies = ofType(template, "AWS::IAM::Policy").filter(({ id }) => id.startsWith("JobRole"));
    expect(JSON.stringify(policies)).toContain(key);
  });

  it("tries a job again when its host is taken away, and not when it ran out of memory", () => {
    const [definition] = ofType(template, "AWS::Batch::JobDefinition");
    expect(definition?.Properties).toMatchObject({
      RetryStrategy: {
        Attempts: 3,
        EvaluateOnExit: expect.arrayContaining([
          { Action: "RETRY", OnStatusReason: "Host EC2*" },
          { Action: "EXIT", OnReason: "OutOfMemoryError*" },
        ]),
      },
      Timeout: { AttemptDurationSeconds: 6 * 3600 },
    });
  });
});
