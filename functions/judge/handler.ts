import { judgePorts } from "../../shared/adapters/aws/judge-station.ts";
import { awsStation } from "../../shared/adapters/aws/station.ts";
import { handleJudgeQueue } from "../../shared/stages/judge-queue.ts";
import { type GroupRun, groupHandler } from "../lambda/group-handler.ts";
import { count } from "../lambda/telemetry.ts";

const station = await awsStation(process.env);
const portsOf = await judgePorts(station);

/** Of calls that are under way when time runs out: they are let end. */
const RESERVE_MS = 60_000;

/** Judges the trajectories that messages name, in one batch, and takes in the answers of batches that have ended. */
export const handler = groupHandler({
  maxReceives: station.environment.GYMLINE_MAX_RECEIVES,
  queueUrl: station.environment.GYMLINE_JUDGE_QUEUE_URL,
  sqs: station.clients.sqs,
  reserveMs: RESERVE_MS,
  handle: async (run) => {
    try {
      return await judge(run);
    } catch (error) {
      count({ JudgeFaults: 1 });
      throw error;
    }
  },
});

async function judge({ messages, requestId, log, ...run }: GroupRun): Promise<readonly unknown[]> {
  if (portsOf === undefined) {
    log.info("the settings have no judge: nothing done", { messages: messages.length });
    count({ NotJudged: messages.length });
    return messages.map(() => undefined);
  }
  const ports = await portsOf({ ...run, holder: `function ${requestId}` });
  const bodies = messages.map(({ body }) => body);
  const { errors, submitted, collected, ...facts } = await handleJudgeQueue(bodies, ports);
  log.info("judged", { messages: messages.length, submitted, collected, ...facts });
  const reports = [submitted, collected].filter((report) => report !== null);
  for (const { judged, failures, usd, stoppedBy } of reports) {
    count({
      Judged: judged,
      JudgeFailures: Object.values(failures).reduce((sum, windows) => sum + windows, 0),
      JudgeSpendMicroUsd: Math.round((usd ?? 0) * 1e6),
      JudgeFaults: stoppedBy === "fault" ? 1 : 0,
    });
  }
  count({ JudgeBudgetReached: facts.postponed });
  return errors;
}
