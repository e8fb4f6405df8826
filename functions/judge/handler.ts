import { judgePorts } from "../../shared/adapters/aws/judge-station.ts";
import { awsStation } from "../../shared/adapters/aws/station.ts";
import { handleJudgeQueue } from "../../shared/stages/judge-queue.ts";
import { groupHandler } from "../lambda/group-handler.ts";
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
  handle: async ({ messages, requestId, log, ...run }) => {
    if (portsOf === undefined) {
      log.info("the settings have no judge: nothing done", { messages: messages.length });
      count({ NotJudged: messages.length });
      return messages.map(() => undefined);
    }
    const ports = await portsOf({ ...run, holder: `function ${requestId}` });
    const { errors, submitted, collected, ...facts } = await handleJudgeQueue(
      messages.map(({ body }) => body),
      ports,
    );
    const reports = [submitted, collected].filter((report) => report !== null);
    const sum = (of: (report: (typeof reports)[number]) => number) =>
      reports.reduce((total, report) => total + of(report), 0);
    log.info("judged", { messages: messages.length, submitted, collected, ...facts });
    count({
      Judged: sum(({ judged }) => judged),
      JudgeFailures: sum(({ failures }) => Object.values(failures).reduce((a, b) => a + b, 0)),
      JudgeSpendMicroUsd: Math.round(sum(({ usd }) => usd ?? 0) * 1e6),
      JudgeBudgetReached: reports.some(({ stoppedBy }) => stoppedBy === "budget") ? 1 : 0,
    });
    return errors;
  },
});
