import { Aws } from "aws-cdk-lib";
import { EcsMachineImageType, type JobQueue } from "aws-cdk-lib/aws-batch";
import { InstanceType, MultipartBody, MultipartUserData, UserData } from "aws-cdk-lib/aws-ec2";
import type { DockerImageAsset } from "aws-cdk-lib/aws-ecr-assets";
import type { Construct } from "constructs";
import type { RolloutsConfig } from "../../shared/contracts/deployment-config.ts";
import { type RolloutMachine, rolloutQueueName } from "../../shared/contracts/names.ts";
import { instanceRole, launchTemplate } from "./batch-instances.ts";
import { CPU_CLASSES, environment, type FleetProps, type Machines, queueOf } from "./compute-environments.ts";
import { title } from "./output.ts";

/** As programs here name the image of sandboxes where a task names none (shared/sandbox/sandbox-limits.ts). */
const SANDBOX_IMAGE = "gymline/sandbox:1";

/** What an instance of rollouts starts with, and may do. */
export function rolloutInstances(
  scope: Construct,
  { config, sandbox }: { readonly config: RolloutsConfig; readonly sandbox: DockerImageAsset },
): Pick<FleetProps, "launchTemplate" | "instanceRole"> {
  const role = instanceRole(scope);
  sandbox.repository.grantPull(role);
  return { instanceRole: role, launchTemplate: launchTemplate(scope, userData(config, sandbox)) };
}

/**
 * Spot gives two minutes' notice: ECS then ends the job with SIGTERM and waits. Sandboxes are made of images that are
 * on the machine and never pulled by a job: what is on it is chosen here, with the deployment.
 */
function userData({ images }: RolloutsConfig, sandbox: DockerImageAsset): UserData {
  const registry = `${Aws.ACCOUNT_ID}.dkr.ecr.${Aws.REGION}.${Aws.URL_SUFFIX}`;
  const script = UserData.forLinux();
  script.addCommands(
    "cat >> /etc/ecs/ecs.config <<'END'",
    "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true",
    "ECS_CONTAINER_STOP_TIMEOUT=110s",
    "END",
    "systemctl start docker",
    // The registry may be busy when many instances start at a time.
    'again() { for try in 1 2 3 4 5; do "$@" && return 0; sleep $((try * 5)); done; return 1; }',
    `login() { aws ecr get-login-password --region ${Aws.REGION} | docker login --username AWS --password-stdin ${registry}; }`,
    "again login",
    `again docker pull ${sandbox.imageUri} && docker tag ${sandbox.imageUri} ${SANDBOX_IMAGE}`,
    `docker logout ${registry}`,
    ...images.map((image) => `again docker pull ${image}`),
  );
  const parts = new MultipartUserData();
  parts.addPart(MultipartBody.fromUserData(script, MultipartBody.SHELL_SCRIPT));
  return parts;
}

/** A queue with instances that no other queue uses. */
export function rolloutQueue(
  scope: Construct,
  { machine, ...fleet }: FleetProps & { readonly machine: RolloutMachine },
): JobQueue | undefined {
  const { rollouts } = fleet.config.batch;
  const chosen = machine === "cpu" ? rollouts : rollouts?.gpu;
  if (rollouts === undefined || chosen === undefined) return undefined;
  const machines: Machines = {
    ...("instanceTypes" in chosen
      ? {
          instanceTypes: chosen.instanceTypes.map((name) => new InstanceType(name)),
          images: [{ imageType: EcsMachineImageType.ECS_AL2023_NVIDIA }],
        }
      : { instanceClasses: CPU_CLASSES, images: [{ imageType: EcsMachineImageType.ECS_AL2023 }] }),
    useOptimalInstanceClasses: false,
    maxvCpus: chosen.maxVcpus,
  };
  const id = title(machine);
  const environments = [
    ...(chosen.spot ? [environment(scope, { ...fleet, id: `${id}Spot`, spot: true, machines })] : []),
    environment(scope, { ...fleet, id: `${id}OnDemand`, spot: false, machines }),
  ];
  return queueOf(scope, {
    id: `${id}Queue`,
    name: rolloutQueueName(fleet.config.name, machine),
    environments,
  });
}
