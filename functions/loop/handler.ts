import { loopStation } from "../../shared/adapters/aws/loop-station.ts";
import { handleLoopMessage } from "../../shared/stages/loop-queue.ts";
import { batchHandler } from "../lambda/batch-handler.ts";
import { count } from "../lambda/telemetry.ts";

const { station, queueUrl, ports } = await loopStation(process.env);

/** Looks after the loops: a dataset was published, a job has ended, a run is to go on, or it is time for a look. */
export const handler = batchHandler({
  maxReceives: station.environment.GYMLINE_MAX_RECEIVES,
  queueUrl,
  sqs: station.clients.sqs,
  sideBySide: 1,
  handle: async ({ body, log }) => {
    const { kind, ...facts } = await handleLoopMessage(body, ports);
    if (kind === "refused") log.warn("loop: not driven again", { ...facts });
    else log.info(`loop: ${kind}`, { ...facts });
    count({ LoopMessages: 1 });
  },
});
