import { BlockDeviceVolume, EbsDeviceVolumeType, LaunchTemplate, UserData } from "aws-cdk-lib/aws-ec2";
import type { Construct } from "constructs";

/** Seconds between SIGTERM and SIGKILL: Spot takes an instance 120 seconds after it says so. */
const STOP_SECONDS = 110;

/**
 * Instances that train: a disk that holds models and checkpoints, and time to save when Spot takes one back. Batch
 * merges its own user data with a template's, which must therefore be MIME with several parts.
 * @see https://docs.aws.amazon.com/batch/latest/userguide/launch-templates.html
 */
export function trainingLaunchTemplate(scope: Construct, diskGiB: number): LaunchTemplate {
  return new LaunchTemplate(scope, "TrainingLaunchTemplate", {
    requireImdsv2: true,
    httpPutResponseHopLimit: 1,
    blockDevices: [
      {
        deviceName: "/dev/xvda",
        volume: BlockDeviceVolume.ebs(diskGiB, { encrypted: true, volumeType: EbsDeviceVolumeType.GP3 }),
      },
    ],
    userData: UserData.custom(agentSettings()),
  });
}

/** On a Spot notice, the agent stops its containers with SIGTERM instead of letting them run into the end. */
function agentSettings(): string {
  const boundary = "==gymline==";
  return [
    "MIME-Version: 1.0",
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    "",
    `--${boundary}`,
    'Content-Type: text/x-shellscript; charset="us-ascii"',
    "",
    "#!/bin/bash",
    "cat >> /etc/ecs/ecs.config <<'END'",
    "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true",
    `ECS_CONTAINER_STOP_TIMEOUT=${STOP_SECONDS}s`,
    "END",
    "",
    `--${boundary}--`,
    "",
  ].join("\n");
}
