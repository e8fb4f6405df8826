import { awsStation, scorePorts } from "../../shared/adapters/aws/station.ts";
import { scoreMessageSchema } from "../../shared/contracts/messages.ts";
import { scoreStored } from "../../shared/stages/score-stored.ts";
import { batchHandler, type MessageRun } from "../lambda/batch-handler.ts";
import { count } from "../lambda/telemetry.ts";

const station = await awsStation(process.env);
const ports = await scorePorts(station);

/** Scores the trajectories that messages name, and asks for exports whose threshold that reaches. */
export const handler = batchHandler({
  maxReceives: station.environment.GYMLINE_MAX_RECEIVES,
  queueUrl: station.environment.GYMLINE_SCORE_QUEUE_URL,
  sqs: station.clients.sqs,
  sideBySide: 8,
  handle: (run) => station.crowd.join(QUESTIONS, () => scoreOne(run)),
});

/** What was said of the trajectory, its row, the transaction. */
const QUESTIONS = 3;

async function scoreOne({ body, log }: MessageRun): Promise<void> {
  const message = scoreMessageSchema.parse(JSON.parse(body));
  const set = await scoreStored(message, ports);
  log.info("scored", { trajectory_id: message.id, set });
  count({ Scored: set === "first" || set === "again" ? 1 : 0 });
}
