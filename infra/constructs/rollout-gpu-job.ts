import { Aws } from "aws-cdk-lib";
import { CfnJobDefinition } from "aws-cdk-lib/aws-batch";
import type { Construct } from "constructs";
import type { RolloutsConfig } from "../../shared/contracts/deployment-config.ts";
import { ROLLOUT_AGENT_CONTAINER, rolloutDefinitionName } from "../../shared/contracts/names.ts";
import {
  DOCKER_SOCKET,
  RETRY_CONDITIONS,
  type RolloutJobProps,
  rolloutEnvironment,
  rolloutSize,
  SOCKET_USER,
} from "./rollout-job.ts";

const PORT = 8000;
/** Workers of the server exchange tensors in shared memory; Docker's 64 MiB are too few. */
const SHARED_MIB = 4096;

/**
 * `gymline job rollout` with a model's server beside it. Both containers share the host's network, as all containers of
 * Batch on EC2 do, so the server listens on loopback. Batch knows no order by health: the agent waits by itself. When
 * the agent ends, so does the job; that the server ended makes its episodes fail.
 */
export function gpuRolloutJob(
  scope: Construct,
  props: RolloutJobProps & { readonly gpu: NonNullable<RolloutsConfig["gpu"]> },
): CfnJobDefinition {
  const { deployment, rollouts, gpu, asset, logs, jobRole, executionRole } = props;
  const { job } = rollouts;
  const size = rolloutSize(rollouts);
  const log = (prefix: string): CfnJobDefinition.LogConfigurationProperty => ({
    logDriver: "awslogs",
    options: {
      "awslogs-group": logs.logGroupName,
      "awslogs-region": Aws.REGION,
      "awslogs-stream-prefix": prefix,
    },
  });
  const needs = (of: { readonly vcpus: number; readonly memoryMiB: number }) => [
    { type: "VCPU", value: String(of.vcpus) },
    { type: "MEMORY", value: String(of.memoryMiB) },
  ];
  const server: CfnJobDefinition.TaskContainerPropertiesProperty = {
    name: "server",
    image: gpu.image,
    command: [
      ...["--model", gpu.model, "--served-model-name", gpu.model],
      ...["--host", "127.0.0.1", "--port", String(PORT), "--tensor-parallel-size", String(gpu.gpus)],
      ...gpu.args,
    ],
    essential: false,
    environment: [{ name: "HF_HOME", value: "/models" }],
    mountPoints: [{ sourceVolume: "models", containerPath: "/models" }],
    resourceRequirements: [...needs(gpu), { type: "GPU", value: String(gpu.gpus) }],
    linuxParameters: { sharedMemorySize: SHARED_MIB, initProcessEnabled: true },
    logConfiguration: log("server"),
  };
  const agent: CfnJobDefinition.TaskContainerPropertiesProperty = {
    name: ROLLOUT_AGENT_CONTAINER,
    image: asset.imageUri,
    command: ["--help"],
    essential: true,
    dependsOn: [{ containerName: "server", condition: "START" }],
    environment: Object.entries({
      ...rolloutEnvironment(props),
      GYMLINE_MODEL_SERVER: `http://127.0.0.1:${PORT}`,
    }).map(([name, value]) => ({ name, value })),
    user: SOCKET_USER,
    readonlyRootFilesystem: true,
    mountPoints: [
      { sourceVolume: "tmp", containerPath: "/tmp" },
      { sourceVolume: "docker", containerPath: DOCKER_SOCKET },
    ],
    resourceRequirements: needs(size),
    linuxParameters: { initProcessEnabled: true },
    logConfiguration: log("rollout"),
  };
  return new CfnJobDefinition(scope, "GpuJobDefinition", {
    jobDefinitionName: rolloutDefinitionName(deployment.config.name, "gpu"),
    type: "container",
    platformCapabilities: ["EC2"],
    propagateTags: true,
    timeout: { attemptDurationSeconds: job.timeoutMinutes * 60 },
    retryStrategy: { attempts: job.attempts, evaluateOnExit: [...RETRY_CONDITIONS] },
    ecsProperties: {
      taskProperties: [
        {
          taskRoleArn: jobRole.roleArn,
          executionRoleArn: executionRole.roleArn,
          containers: [server, agent],
          volumes: [
            { name: "tmp", host: {} },
            // Of the host, so that the weights are there for the next job.
            { name: "models", host: { sourcePath: "/var/lib/gymline/models" } },
            { name: "docker", host: { sourcePath: DOCKER_SOCKET } },
          ],
        },
      ],
    },
  });
}
