import { Aws } from "aws-cdk-lib";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { CfnSchedule } from "aws-cdk-lib/aws-scheduler";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import type { z } from "zod";
import type { DeploymentConfig } from "../../shared/contracts/deployment-config.ts";
import type {
  exportMessageSchema,
  JudgeQueueMessage,
  LoopSweepMessage,
  sweepMessageSchema,
} from "../../shared/contracts/messages.ts";
import { permit, permitKey } from "./permit.ts";
import type { StageQueues } from "./pipeline.ts";

export interface ScheduleProps {
  readonly config: DeploymentConfig;
  /** The settings have a judge. */
  readonly hasJudge: boolean;
  readonly key?: IKey | undefined;
  readonly queues: StageQueues;
  readonly undelivered: Queue;
}

/** The sweep, looking after the judge's batches, and one schedule per dataset that has one. */
export function schedules(scope: Construct, props: ScheduleProps): void {
  const { config, hasJudge, key, queues, undelivered } = props;
  const judge = hasJudge ? [queues.judge.queue] : [];
  const loop = queues.loop === undefined ? [] : [queues.loop.queue];
  const targets = [queues.sweep.queue, ...judge, queues.export.queue, ...loop, undelivered];
  const role = new Role(scope, "SchedulerRole", {
    // Another account's schedule cannot borrow the role.
    assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
      conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } },
    }),
    description: "Schedules send messages to the queues of the stages",
  });
  permit(role, { actions: ["sqs:SendMessage"], resources: targets.map((queue) => queue.queueArn) });
  permitKey(role, key);

  const sweep: z.input<typeof sweepMessageSchema> = { schema: "gymline.sweep.v1" };
  schedule(scope, {
    id: "SweepSchedule",
    description: "Reconciles store, catalog, queues and jobs",
    expression: config.sweep,
    queue: queues.sweep.queue,
    message: sweep,
    role,
    undelivered,
  });
  for (const queue of judge) {
    schedule(scope, {
      id: "JudgeCollectSchedule",
      description: "Takes in the answers of the judge's batches",
      expression: config.judgeCollect,
      queue,
      message: { schema: "gymline.judge.v1", kind: "collect" } satisfies JudgeQueueMessage,
      role,
      undelivered,
    });
  }
  for (const queue of loop) {
    schedule(scope, {
      id: "LoopSweepSchedule",
      description: "Looks after the loops: lost events, jobs that have ended, versions whose time has come",
      expression: config.sweep,
      queue,
      message: { schema: "gymline.loop-message.v1", kind: "sweep" } satisfies LoopSweepMessage,
      role,
      undelivered,
    });
  }
  for (const { request, schedule: expression } of config.datasets) {
    if (expression === undefined) continue;
    const message: z.input<typeof exportMessageSchema> = {
      schema: "gymline.export.v1",
      dataset: request.name,
      cause: "schedule",
    };
    schedule(scope, {
      id: `Dataset-${request.name}`,
      description: `Exports the dataset ${request.name}`,
      expression,
      queue: queues.export.queue,
      message,
      role,
      undelivered,
    });
  }
}

interface Timed {
  readonly id: string;
  readonly description: string;
  readonly expression: string;
  readonly queue: Queue;
  readonly message: unknown;
  readonly role: Role;
  readonly undelivered: Queue;
}

function schedule(
  scope: Construct,
  { id, description, expression, queue, message, role, undelivered }: Timed,
): void {
  const made = new CfnSchedule(scope, id, {
    description,
    scheduleExpression: expression,
    flexibleTimeWindow: { mode: "OFF" },
    target: {
      arn: queue.queueArn,
      roleArn: role.roleArn,
      input: JSON.stringify(message),
      deadLetterConfig: { arn: undelivered.queueArn },
    },
  });
  // Without its rights in place, the first message would go astray.
  made.node.addDependency(role);
}
