import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rolloutEnvironmentSchema, rolloutRoomSchema } from "../../shared/contracts/rollout-environment.ts";
import { DEFAULT_IMAGE, DEFAULT_LIMITS } from "../../shared/sandbox/sandbox-limits.ts";
import { batchTemplate, ofType, pipelineTemplate, WITH_LOOP } from "./synth.ts";

const template = batchTemplate({
  config: {
    batch: {
      rollouts: { images: ["registry.example.com/swe:1"], gpu: { model: "Qwen/Qwen3-8B", gpus: 2 } },
    },
  },
});

const containerSchema = z.looseObject({
  Command: z.array(z.string()).default([]),
  Environment: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
  ResourceRequirements: z.array(z.object({ Type: z.string(), Value: z.string() })),
});
const definitionSchema = z.looseObject({
  ContainerProperties: containerSchema.optional(),
  EcsProperties: z
    .object({ TaskProperties: z.array(z.looseObject({ Containers: z.array(containerSchema) })) })
    .optional(),
});

function definition(name: string) {
  const found = ofType(template, "AWS::Batch::JobDefinition").find(
    ({ Properties }) => Properties["JobDefinitionName"] === name,
  );
  return definitionSchema.parse(found?.Properties);
}

const cpu = () => containerSchema.parse(definition("gymline-rollout-cpu").ContainerProperties);
const task = () => definition("gymline-rollout-gpu").EcsProperties?.TaskProperties[0];

const orderSchema = z.array(
  z.object({ ComputeEnvironment: z.object({ "Fn::GetAtt": z.array(z.string()) }) }),
);

/** Logical ids of the compute environments of a queue. */
function environmentsOf(queue: string): readonly string[] {
  const found = ofType(template, "AWS::Batch::JobQueue").find(
    ({ Properties }) => Properties["JobQueueName"] === queue,
  );
  const order = orderSchema.parse(found?.Properties["ComputeEnvironmentOrder"]);
  return order.map(({ ComputeEnvironment }) => ComputeEnvironment["Fn::GetAtt"][0] ?? "");
}

describe("rollouts in the Batch stack", () => {
  it("are not there unless the configuration asks for them", () => {
    const without = batchTemplate();
    expect(JSON.stringify(without.toJSON())).not.toContain("rollout");
    expect(JSON.stringify(without.toJSON())).not.toContain("docker.sock");
  });

  it("have queues on instances that no other queue uses, Spot first", () => {
    const all = ["gymline-cpu", "gymline-gpu", "gymline-rollout-cpu", "gymline-rollout-gpu"].flatMap(
      environmentsOf,
    );
    expect(new Set(all).size).toBe(all.length);
    const types = environmentsOf("gymline-rollout-cpu").map((id) => {
      const found = ofType(template, "AWS::Batch::ComputeEnvironment").find((each) => each.id === id);
      return z.looseObject({ Type: z.string() }).parse(found?.Properties["ComputeResources"]).Type;
    });
    expect(types).toEqual(["SPOT", "EC2"]);
  });

  it("take on-demand instances alone where Spot is not wanted", () => {
    const steady = batchTemplate({ config: { batch: { rollouts: { spot: false } } } });
    const types = ofType(steady, "AWS::Batch::ComputeEnvironment")
      .filter(({ id }) => id.startsWith("Rollouts"))
      .map(({ Properties }) => Properties["ComputeResources"]);
    expect(types).toEqual([expect.objectContaining({ Type: "EC2" })]);
  });

  it("mount the Docker socket into their own jobs and into no other", () => {
    expect(cpu()).toMatchObject({
      User: "0:0",
      ReadonlyRootFilesystem: true,
      Volumes: expect.arrayContaining([{ Name: "docker", Host: { SourcePath: "/var/run/docker.sock" } }]),
      MountPoints: expect.arrayContaining([
        expect.objectContaining({ ContainerPath: "/var/run/docker.sock", SourceVolume: "docker" }),
      ]),
    });
    expect(cpu()).not.toHaveProperty("Privileged", true);
    const other = definition("gymline-job");
    expect(JSON.stringify(other)).not.toContain("docker.sock");
  });

  it("reserve the room of the sandboxes that stand beside the job", () => {
    expect(cpu().ResourceRequirements).toEqual(
      expect.arrayContaining([
        { Type: "VCPU", Value: "5" },
        { Type: "MEMORY", Value: String(2048 + 4 * 1024) },
      ]),
    );
    const { memoryBytes, diskBytes, cpus } = DEFAULT_LIMITS;
    const room = Object.fromEntries(cpu().Environment.map(({ Name, Value }) => [Name, Value]));
    expect(Number(room["GYMLINE_SANDBOX_MEMORY_MIB"]) * 2 ** 20).toBe(memoryBytes + 2 * diskBytes);
    expect(Number(room["GYMLINE_SANDBOX_VCPUS"])).toBe(cpus);
  });

  it("tell jobs what the program reads, and no more", () => {
    const known = [...Object.keys(rolloutEnvironmentSchema.shape), ...Object.keys(rolloutRoomSchema.shape)];
    const names = cpu().Environment.map(({ Name }) => Name);
    expect([...names, "GYMLINE_MODEL_SERVER"].toSorted()).toEqual(["AWS_REGION", ...known].toSorted());
  });

  it("are tried again where the host or the registry was at fault, and not where episodes failed", () => {
    for (const name of ["gymline-rollout-cpu", "gymline-rollout-gpu"]) {
      expect(definition(name)).toMatchObject({
        RetryStrategy: {
          Attempts: 5,
          EvaluateOnExit: [
            { Action: "RETRY", OnStatusReason: "Host EC2*" },
            { Action: "RETRY", OnReason: "CannotPullContainerError:*" },
            { Action: "RETRY", OnExitCode: "75" },
            { Action: "EXIT", OnReason: "OutOfMemoryError*" },
            { Action: "EXIT", OnExitCode: "2" },
          ],
        },
        Timeout: { AttemptDurationSeconds: 720 * 60 },
      });
    }
  });

  it("start instances that drain before Spot takes them, with the images of sandboxes on them", () => {
    const [launch] = ofType(template, "AWS::EC2::LaunchTemplate").filter(({ id }) =>
      id.startsWith("Rollouts"),
    );
    expect(launch?.Properties["LaunchTemplateData"]).toMatchObject({
      MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1 },
      BlockDeviceMappings: [{ Ebs: { Encrypted: true } }],
    });
    const text = JSON.stringify(launch?.Properties["LaunchTemplateData"]);
    expect(text).toMatch(/Content-Type: multipart\/mixed; boundary=/);
    expect(text).toContain("Content-Type: text/x-shellscript");
    expect(text).toContain("ECS_ENABLE_SPOT_INSTANCE_DRAINING=true\\nECS_CONTAINER_STOP_TIMEOUT=110s");
    expect(text).toContain(` ${DEFAULT_IMAGE}`);
    expect(text).toContain("docker pull registry.example.com/swe:1");
  });

  it("reach of store and drop bucket what rollouts put there, and nothing else of the deployment", () => {
    const policies = ofType(template, "AWS::IAM::Policy").filter(({ id }) =>
      id.startsWith("RolloutsJobRole"),
    );
    const text = JSON.stringify(policies);
    for (const service of ["dynamodb:", "sqs:", "events:", "batch:", "ecs:", "ec2:"]) {
      expect(text).not.toContain(service);
    }
    const objects = [...text.matchAll(/"(\/[^"]*\*)"/g)].map(([, place]) => place);
    expect(new Set(objects)).toEqual(new Set(["/rollouts/*", "/*/rollouts/*"]));
  });

  it("reach models too where agents may be models of one's own, or a loop evaluates them", () => {
    for (const config of [{ batch: { rollouts: { models: true } } }, WITH_LOOP]) {
      const policies = ofType(batchTemplate({ config }), "AWS::IAM::Policy").filter(({ id }) =>
        id.startsWith("RolloutsJobRole"),
      );
      const objects = [...JSON.stringify(policies).matchAll(/"(\/[^"]*\*)"/g)].map(([, place]) => place);
      expect(new Set(objects)).toEqual(new Set(["/rollouts/*", "/*/rollouts/*", "/models/*"]));
    }
  });

  it("give instances the rights of the ECS agent, of pulling and of logs alone", () => {
    const policies = ofType(template, "AWS::IAM::Policy").filter(({ id }) =>
      id.startsWith("RolloutsInstanceRole"),
    );
    const statements = z
      .object({ Statement: z.array(z.looseObject({ Action: z.union([z.string(), z.array(z.string())]) })) })
      .parse(policies[0]?.Properties["PolicyDocument"]).Statement;
    const services = new Set(
      statements.flatMap(({ Action }) => [Action].flat()).map((name) => name.split(":")[0]),
    );
    expect([...services].toSorted()).toEqual(["ec2", "ecr", "ecs", "logs"]);
    expect(JSON.stringify(statements)).not.toMatch(/ec2:(?!DescribeTags)/);
  });

  it("put a model's server on the GPUs beside the agent, on loopback, which ends with the agent", () => {
    const [server, agent] = task()?.Containers ?? [];
    expect(server).toMatchObject({ Name: "server", Essential: false, Image: "vllm/vllm-openai:v0.11.0" });
    expect(server?.Command.join(" ")).toContain("--model Qwen/Qwen3-8B");
    expect(server?.Command.join(" ")).toContain("--host 127.0.0.1 --port 8000");
    expect(server?.ResourceRequirements).toContainEqual({ Type: "GPU", Value: "2" });
    expect(JSON.stringify(server)).not.toContain("docker");
    expect(agent).toMatchObject({
      Name: "agent",
      Essential: true,
      DependsOn: [{ ContainerName: "server", Condition: "START" }],
    });
    expect(agent?.Environment).toContainEqual({
      Name: "GYMLINE_MODEL_SERVER",
      Value: "http://127.0.0.1:8000",
    });
    expect(agent?.ResourceRequirements.map(({ Type }) => Type)).not.toContain("GPU");
  });

  it("are among the jobs whose failure is told", () => {
    const rules = (config: Parameters<typeof pipelineTemplate>[0]) =>
      JSON.stringify(ofType(pipelineTemplate(config), "AWS::Events::Rule"));
    expect(rules({ config: { batch: { rollouts: { gpu: { model: "m" } } } } })).toMatch(
      /gymline-rollout-cpu.*gymline-rollout-gpu/,
    );
    expect(rules({})).not.toContain("rollout");
  });
});
