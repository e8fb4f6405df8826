import { loopEnvironmentSchema } from "../../contracts/loop-environment.ts";
import { BatchWorks } from "../../loop/batch-works.ts";
import type { LoopsPorts } from "../../stages/loop.ts";
import { systemClock as clock } from "../local/system-clock.ts";
import { BatchJobs } from "./batch-jobs.ts";
import { EventBridgeEvents } from "./event-bridge-events.ts";
import { type AwsStation, awsStation, StationError, storePorts } from "./station.ts";

export interface LoopStation {
  readonly station: AwsStation;
  readonly queueUrl: string;
  readonly ports: LoopsPorts;
}

/**
 * The loops of a deployment, as their function sees them.
 * @throws StationError where the environment or the settings have no loop, and what `awsStation` throws
 */
export async function loopStation(
  variables: Readonly<Record<string, string | undefined>>,
): Promise<LoopStation> {
  const parsed = loopEnvironmentSchema.safeParse(variables);
  if (!parsed.success) {
    const names = parsed.error.issues.map(({ path }) => path.join(".")).join(", ");
    throw new StationError(`the environment lacks ${names}: the stack sets them where there is a loop`);
  }
  const station = await awsStation(variables);
  const { clients, settings, environment } = station;
  const own = parsed.data;
  const client = await clients.batch();
  const trainings = new BatchJobs({
    ...{ client, queue: own.GYMLINE_TRAINING_QUEUE, definition: own.GYMLINE_TRAINING_DEFINITION },
  });
  const rollouts = new BatchJobs({
    ...{ client, queue: own.GYMLINE_ROLLOUT_QUEUE, definition: own.GYMLINE_ROLLOUT_DEFINITION },
  });
  const { store, catalog, ledger } = await storePorts(station);
  const loops = settings.loops ?? [];
  const storeBucket = environment.GYMLINE_STORE_BUCKET;
  const works = new BatchWorks({ loops, store, ledger, clock, trainings, rollouts, storeBucket });
  const bus = environment.GYMLINE_EVENT_BUS;
  const events = new EventBridgeEvents({ client: await clients.eventBridge(), bus });
  return {
    station,
    queueUrl: own.GYMLINE_LOOP_QUEUE_URL,
    ports: {
      ...{ store, catalog, ledger, clock, events, works },
      // Ids of jobs are of no queue.
      jobs: trainings,
      policies: loops.map(({ loop }) => loop),
    },
  };
}
