import { Arn, ArnFormat, Stack } from "aws-cdk-lib";
import { BlockDeviceVolume, EbsDeviceVolumeType, LaunchTemplate, type UserData } from "aws-cdk-lib/aws-ec2";
import { type IRole, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import { permit } from "./permit.ts";

/** Disk of an instance in GiB: images, and what jobs put into /tmp. */
const DISK_GIB = 100;

/**
 * Encrypted disk; session tokens for the metadata service, which no container with a network of its own can reach.
 * `userData`: run when an instance starts; Batch wants it in MIME parts.
 */
export function launchTemplate(scope: Construct, userData?: UserData): LaunchTemplate {
  return new LaunchTemplate(scope, "LaunchTemplate", {
    ...(userData === undefined ? {} : { userData }),
    requireImdsv2: true,
    httpPutResponseHopLimit: 1,
    blockDevices: [
      {
        deviceName: "/dev/xvda",
        volume: BlockDeviceVolume.ebs(DISK_GIB, { encrypted: true, volumeType: EbsDeviceVolumeType.GP3 }),
      },
    ],
  });
}

/**
 * What the ECS agent on an instance needs, spelled out: AWS's managed policy for it reaches every cluster of the
 * account. Pulling images and writing logs is added where the job is made.
 */
export function instanceRole(scope: Construct): Role {
  const role = new Role(scope, "InstanceRole", {
    assumedBy: new ServicePrincipal("ec2.amazonaws.com"),
    description: "ECS agent on instances of Batch",
  });
  const stack = Stack.of(scope);
  const arn = (resource: string) =>
    Arn.format(
      { service: "ecs", resource, resourceName: "*", arnFormat: ArnFormat.SLASH_RESOURCE_NAME },
      stack,
    );
  const generated = "Batch makes the cluster and chooses its name.";
  permit(
    role,
    {
      actions: [
        "ecs:DeregisterContainerInstance",
        "ecs:RegisterContainerInstance",
        "ecs:SubmitAttachmentStateChanges",
        "ecs:SubmitContainerStateChange",
        "ecs:SubmitTaskStateChange",
      ],
      resources: [arn("cluster")],
      wildcard: generated,
    },
    {
      actions: ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"],
      resources: [arn("container-instance")],
      wildcard: generated,
    },
    {
      actions: ["ecs:TagResource"],
      resources: [arn("container-instance")],
      conditions: { StringEquals: { "ecs:CreateAction": "RegisterContainerInstance" } },
      wildcard: generated,
    },
    {
      actions: ["ecs:DiscoverPollEndpoint", "ec2:DescribeTags"],
      resources: ["*"],
      wildcard: "These actions know no resources.",
    },
  );
  return role;
}

/** Rights that the pull of an image takes besides those on its repository. */
export function permitRegistryLogin(role: IRole): void {
  permit(role, {
    actions: ["ecr:GetAuthorizationToken"],
    resources: ["*"],
    wildcard: "A login to the registry is for no single repository.",
  });
}
