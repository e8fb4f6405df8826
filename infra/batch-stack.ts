import { Fn, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { Deployment } from "../shared/contracts/deployment-files.ts";
import {
  batchStackName,
  jobDefinitionName,
  jobQueueName,
  trainingJobDefinitionName,
} from "../shared/contracts/names.ts";
import { instanceRole, launchTemplate } from "./constructs/batch-instances.ts";
import { batchNetwork } from "./constructs/batch-network.ts";
import { cpuQueue, gpuQueue } from "./constructs/compute-environments.ts";
import { type JobImage, jobDefinition } from "./constructs/job-definition.ts";
import { jobRole } from "./constructs/job-role.ts";
import { logGroup } from "./constructs/log-group.ts";
import { output } from "./constructs/output.ts";
import type { BuiltImage } from "./constructs/program-container.ts";
import { rollouts } from "./constructs/rollouts.ts";
import { TrainJob } from "./constructs/train-job.ts";
import { trainingLaunchTemplate } from "./constructs/training-instances.ts";

export interface BatchStackProps extends StackProps {
  readonly deployment: Deployment;
  readonly image: JobImage;
  readonly trainerImage: BuiltImage;
}

/** AWS Batch: queues for work that is too large for a function, and for GPUs. Costs nothing while no job runs. */
export class BatchStack extends Stack {
  constructor(scope: Construct, { deployment, image, trainerImage, ...props }: BatchStackProps) {
    const { config } = deployment;
    super(scope, batchStackName(config.name), {
      description: `Gymline ${config.name}: job queues, instances and job definition`,
      ...props,
    });
    const network = batchNetwork(this, config);
    const role = instanceRole(this);
    const fleet = { config, network, launchTemplate: launchTemplate(this), instanceRole: role };
    cpuQueue(this, fleet);
    const { training } = config.batch;
    const gpu = gpuQueue(
      this,
      training === undefined
        ? fleet
        : { ...fleet, launchTemplate: trainingLaunchTemplate(this, training.diskGiB) },
    );
    jobDefinition(this, {
      deployment,
      image,
      logs: logGroup(this, { name: `/gymline/${config.name}/jobs`, config }),
      jobRole: jobRole(this, config),
      instanceRole: role,
    });
    if (training !== undefined) {
      new TrainJob(this, "Train", { config, training, image: trainerImage, instanceRole: role });
      output(this, "TrainingJobDefinitionName", trainingJobDefinitionName(config.name));
    }
    rollouts(this, { deployment, image, network });
    output(this, "JobQueueName", jobQueueName(config.name, "cpu"));
    if (gpu !== undefined) output(this, "GpuJobQueueName", jobQueueName(config.name, "gpu"));
    output(this, "JobDefinitionName", jobDefinitionName(config.name));
  }

  /** The first two of the region, whichever those are: no look-up, and every region has two. */
  override get availabilityZones(): string[] {
    const zones = Fn.getAzs();
    return [Fn.select(0, zones), Fn.select(1, zones)];
  }
}
