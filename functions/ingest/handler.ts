import { awsStation, ingestPorts } from "../../shared/adapters/aws/station.ts";
import { type IngestOrder, ingestOrders } from "../../shared/contracts/s3-event.ts";
import { deadLetter, reportFailure } from "../../shared/stages/ingest-failure.ts";
import { ingestObject } from "../../shared/stages/ingest-object.ts";
import { batchHandler, type MessageRun, Turns } from "../lambda/batch-handler.ts";
import { NoTimeLeftError } from "../lambda/queue-run.ts";
import { count } from "../lambda/telemetry.ts";

const station = await awsStation(process.env);
const ports = await ingestPorts(station);

/** Takes in the dropped objects that messages name: S3's own notifications, or `gymline.ingest.v1`. */
export const handler = batchHandler({
  maxReceives: station.environment.GYMLINE_MAX_RECEIVES,
  queueUrl: station.environment.GYMLINE_INGEST_QUEUE_URL,
  sqs: station.clients.sqs,
  sideBySide: 10,
  handle: async (run) => {
    const orders = ingestOrders(run.body);
    if (orders.every(isSmall)) await station.crowd.join(QUESTIONS, () => takeIn(orders, run));
    else await large.take(() => takeInLarge(orders, run));
  },
});

/** Objects that take memory and time go a few at a time, and nothing waits for them. */
const large = new Turns(4);
const SMALL_BYTES = 1 << 20;

function isSmall({ size }: IngestOrder): boolean {
  return size !== undefined && size <= SMALL_BYTES;
}

async function takeInLarge(orders: readonly IngestOrder[], run: MessageRun): Promise<void> {
  // Begun too late, it would go to a job that it does not need.
  if (run.outOfTime()) throw new NoTimeLeftError();
  await takeIn(orders, run);
}

/** Of an object with one trajectory: its state, what is known of the trajectory and said of it, the transaction. */
const QUESTIONS = 4;

async function takeIn(
  orders: readonly IngestOrder[],
  { lastTry, outOfTime, log }: MessageRun,
): Promise<void> {
  for (const target of orders) {
    const { key } = target;
    try {
      const result = await ingestObject(target, { ...ports, outOfTime });
      if (result.kind !== "read") {
        log.info(`nothing read: ${result.kind}`, { key });
        continue;
      }
      const { counts, records, rejected, scored, items } = result.report;
      log.info("read", {
        key,
        records,
        rejected,
        scored,
        ...counts,
        trajectory_ids: items.map(({ row }) => row.id).slice(0, 20),
      });
      count({
        Ingested: counts.new + counts.revised + counts.superseded,
        Scored: scored,
        Duplicates: counts.duplicate,
        Rejected: rejected,
      });
      await deadLetter(result.report, { queue: ports.deadLetters });
    } catch (error) {
      if (lastTry) await reportFailure({ key, error }, ports);
      throw error;
    }
  }
}
