import { awsStation, sweepPorts } from "../../shared/adapters/aws/station.ts";
import { sweepMessageSchema } from "../../shared/contracts/messages.ts";
import { sweep } from "../../shared/stages/sweep.ts";
import { batchHandler } from "../lambda/batch-handler.ts";
import { count } from "../lambda/telemetry.ts";

const station = await awsStation(process.env);
const ports = await sweepPorts(station);

/** Sets going again what a lost message, a killed process or an outage left undone; a schedule sends the message. */
export const handler = batchHandler({
  maxReceives: station.environment.GYMLINE_MAX_RECEIVES,
  queueUrl: station.environment.GYMLINE_SWEEP_QUEUE_URL,
  sqs: station.clients.sqs,
  sideBySide: 1,
  handle: async ({ body, log, outOfTime }) => {
    sweepMessageSchema.parse(JSON.parse(body));
    const report = await sweep({ ...ports, outOfTime });
    const { missed, unscored, uncollected, strays, missing } = report;
    const undone = missed + unscored + uncollected + strays.length + missing.length;
    if (undone > 0) log.warn("swept: something had been left undone", { ...report });
    else log.info("swept", { ...report });
    count({ Missed: missed, Unscored: unscored, Strays: strays.length, MissingDocuments: missing.length });
  },
});
