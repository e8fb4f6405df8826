import { STAGES, type StageName } from "../../contracts/deployment-config.ts";
import type { StatusPorts } from "../../operations/deployment-status.ts";
import type { Clock } from "../../ports/clock.ts";
import { accountFault } from "./account-fault.ts";
import { BatchJobs } from "./batch-jobs.ts";
import { DynamoCatalog } from "./dynamo-catalog.ts";
import { DynamoLedger } from "./dynamo-ledger.ts";
import type { DeployedResources, StageQueues } from "./find-deployment.ts";
import type { OperatorClients } from "./operator-clients.ts";
import { oldestMessage, queueCounts } from "./queue-figures.ts";
import { S3Store } from "./s3-store.ts";

/** Where the state of a deployment is looked up. */
export async function deployedStatusPorts(
  deployment: DeployedResources,
  { clients, clock }: { readonly clients: OperatorClients; readonly clock: Clock },
): Promise<StatusPorts> {
  const { table, storeBucket, jobQueue: queue, jobDefinition: definition, loop } = deployment;
  const queues = new Map<StageName, StageQueues>(STAGES.map((stage) => [stage, deployment.queues[stage]]));
  if (loop !== undefined) queues.set("loop", loop);
  const dynamo = await clients.dynamoDb();
  const sqs = await clients.sqs();
  return {
    catalog: new DynamoCatalog({ client: dynamo, table, clock }),
    ledger: new DynamoLedger({ client: dynamo, table }),
    store: new S3Store({ client: await clients.s3(), bucket: storeBucket }),
    jobs: new BatchJobs({ client: await clients.batch(), queue, definition }),
    clock,
    stages: [...queues.keys()],
    stage: async (stage) => {
      const found = queues.get(stage);
      if (found === undefined) throw new Error(`${deployment.name} has no queue of ${stage}`);
      const { url, deadLetterUrl } = found;
      const [counts, dead, oldestSeconds] = await Promise.all([
        queueCounts(url, sqs),
        queueCounts(deadLetterUrl, sqs),
        oldest(url, { clients, clock }),
      ]);
      return { ...counts, dead: dead.waiting + dead.inFlight, oldestSeconds };
    },
    jobsFault: (error) => accountFault(error).reason,
  };
}

/** Nice to know: where CloudWatch does not tell, the rest counts all the same. */
async function oldest(
  url: string,
  { clients, clock }: { readonly clients: OperatorClients; readonly clock: Clock },
): Promise<number | null> {
  try {
    return await oldestMessage(url, { client: await clients.cloudWatch(), now: clock.now() });
  } catch {
    return null;
  }
}
