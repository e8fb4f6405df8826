import { type CloudFormationClient, DescribeStacksCommand, type Stack } from "@aws-sdk/client-cloudformation";
import { z } from "zod";
import type { Stage } from "../../contracts/deployment-config.ts";
import { jobDefinitionName, jobQueueName, pipelineStackName } from "../../contracts/names.ts";
import { AwsAccessError, accountFault } from "./account-fault.ts";

export interface StageQueues {
  readonly url: string;
  readonly deadLetterUrl: string;
}

/** What a deployment made, as programs outside of it find it. */
export interface DeployedResources {
  readonly name: string;
  readonly dropBucket: string;
  readonly storeBucket: string;
  readonly table: string;
  readonly eventBus: string;
  readonly queues: Readonly<Record<Stage, StageQueues>>;
  /** Of the loops' function; absent where the deployment has none. */
  readonly loop?: StageQueues;
  readonly jobQueue: string;
  readonly jobDefinition: string;
}

/** There is no such deployment, or none that can be used. The message says what to do. */
export class DeploymentError extends Error {
  override readonly name = "DeploymentError";
}

const url = z.url();
const outputsSchema = z.object({
  DropBucketName: z.string().min(1),
  StoreBucketName: z.string().min(1),
  TableName: z.string().min(1),
  EventBusName: z.string().min(1),
  IngestQueueUrl: url,
  IngestDlqUrl: url,
  ScoreQueueUrl: url,
  ScoreDlqUrl: url,
  JudgeQueueUrl: url,
  ExportQueueUrl: url,
  JudgeDlqUrl: url,
  ExportDlqUrl: url,
  SweepQueueUrl: url,
  SweepDlqUrl: url,
  LoopQueueUrl: url.optional(),
  LoopDlqUrl: url.optional(),
});

/**
 * Finds a deployment by the outputs of its stack.
 * @throws DeploymentError, AwsAccessError
 */
export async function findDeployment(name: string, client: CloudFormationClient): Promise<DeployedResources> {
  const stackName = pipelineStackName(name);
  const stack = await describeStack(stackName, client);
  if (stack === undefined) {
    const region = await client.config.region();
    throw new DeploymentError(
      `there is no deployment "${name}" here: no stack ${stackName} in the region ${region}. Deploy it, or give its name with --deployment and its region in AWS_REGION`,
    );
  }
  const status = stack.StackStatus ?? "unknown";
  const trouble = troubleOf(status);
  if (trouble !== undefined) throw new DeploymentError(`the stack ${stackName} ${trouble} (${status})`);
  const outputs = (stack.Outputs ?? []).map(({ OutputKey = "", OutputValue }) => [OutputKey, OutputValue]);
  const parsed = outputsSchema.safeParse(Object.fromEntries(outputs));
  if (parsed.success) return resourcesOf(name, parsed.data);
  const missing = parsed.error.issues.map(({ path }) => path.join("."));
  throw new DeploymentError(
    `the stack ${stackName} has no usable output ${missing.join(", ")}: it was deployed by another version of gymline; deploy it again with this one`,
  );
}

/** A stack by its name; undefined: there is none. @throws AwsAccessError */
export async function describeStack(
  stackName: string,
  client: CloudFormationClient,
): Promise<Stack | undefined> {
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
    return Stacks?.[0];
  } catch (error) {
    // CloudFormation has no error of its own for it.
    if (error instanceof Error && /does not exist/i.test(error.message)) return undefined;
    throw new AwsAccessError(`the stack ${stackName} cannot be looked up`, accountFault(error), error);
  }
}

/** An update may be under way, or have been rolled back: what was there before is still there. */
function troubleOf(status: string): string | undefined {
  if (status === "CREATE_IN_PROGRESS" || status === "REVIEW_IN_PROGRESS") {
    return "is still being made: wait until `cdk deploy` has ended";
  }
  if (status.startsWith("DELETE_")) return "is being deleted, or was left half deleted: deploy it again";
  if (status === "CREATE_FAILED" || status.startsWith("ROLLBACK_")) {
    return "could not be made: its events in the CloudFormation console say why; delete it and deploy again";
  }
  return undefined;
}

function resourcesOf(name: string, outputs: z.infer<typeof outputsSchema>): DeployedResources {
  const { LoopQueueUrl: loopUrl, LoopDlqUrl: loopDlqUrl } = outputs;
  return {
    name,
    dropBucket: outputs.DropBucketName,
    storeBucket: outputs.StoreBucketName,
    table: outputs.TableName,
    eventBus: outputs.EventBusName,
    queues: {
      ingest: { url: outputs.IngestQueueUrl, deadLetterUrl: outputs.IngestDlqUrl },
      score: { url: outputs.ScoreQueueUrl, deadLetterUrl: outputs.ScoreDlqUrl },
      judge: { url: outputs.JudgeQueueUrl, deadLetterUrl: outputs.JudgeDlqUrl },
      export: { url: outputs.ExportQueueUrl, deadLetterUrl: outputs.ExportDlqUrl },
      sweep: { url: outputs.SweepQueueUrl, deadLetterUrl: outputs.SweepDlqUrl },
    },
    ...(loopUrl === undefined || loopDlqUrl === undefined
      ? {}
      : { loop: { url: loopUrl, deadLetterUrl: loopDlqUrl } }),
    // Of the Batch stack, which may come later or not at all.
    jobQueue: jobQueueName(name, "cpu"),
    jobDefinition: jobDefinitionName(name),
  };
}
