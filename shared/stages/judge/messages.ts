import { type JudgeQueueMessage, judgeMessageSchema } from "../../contracts/messages.ts";
import { Lease } from "../lease.ts";
import { type CollectReport, judgeCollect } from "./collect.ts";
import type { JudgePorts } from "./ports.ts";
import { judgeSubmit } from "./submit.ts";
import { type JudgeReport, JudgeTally } from "./tally.ts";

/**
 * What became of one message. `later`: it is to come again: another process is at it (`busy`), time or money ran out,
 * or the provider is in trouble (`fault`). `invalid`: no judge message; it will never be one.
 */
export type JudgeMessageOutcome =
  | { readonly kind: "done" }
  | { readonly kind: "later"; readonly because: "busy" | "time" | "budget" | "fault" }
  | { readonly kind: "invalid"; readonly reason: string };

export interface JudgeMessagesResult {
  /** One for each body, in their order. */
  readonly outcomes: readonly JudgeMessageOutcome[];
  readonly submitted: JudgeReport | null;
  readonly collected: CollectReport | null;
  /**
   * Trajectories of batches that have ended, which would need another call for which money or time is missing. No
   * message stands for them any more: send one later.
   */
  readonly leftOver: readonly string[];
}

/** Longer than any run of the caller: 16 minutes. */
const LEASE_MS = 16 * 60_000;
const LEASE = "judge/lease/messages";

/**
 * Handles messages of the judge's queue together: all `submit` of them make one batch (where provider and settings
 * allow; direct calls else), and any number of `collect` one look at the open batches, which comes first. Any message
 * may come twice. Only one process at a time does this, so that no trajectory is asked about twice; the others are
 * told `busy`. A caller must end within 15 minutes: give `outOfTime`, and see to it that it fits one direct call.
 * @throws JudgePriceError; faults of store, catalog and ledger: all messages are to come again
 */
export async function handleJudgeMessages(
  bodies: readonly string[],
  ports: JudgePorts & { /** Names the caller, for people who look at the lease. */ readonly holder: string },
): Promise<JudgeMessagesResult> {
  const parsed = bodies.map(parse);
  const ids = parsed.flatMap((each) => (each.kind === "submit" ? [each.id] : []));
  const collects = parsed.some(({ kind }) => kind === "collect");
  const outcomes = (valid: (message: JudgeQueueMessage) => JudgeMessageOutcome): JudgeMessageOutcome[] =>
    parsed.map((each) => (each.kind === "invalid" ? each : valid(each)));
  const nothing = { submitted: null, collected: null, leftOver: [] };
  if (ids.length === 0 && !collects) return { ...nothing, outcomes: outcomes(() => DONE) };
  const { ledger, clock, holder } = ports;
  const lease = await Lease.acquire(LEASE, { ledger, clock, holder, ttl: LEASE_MS });
  if (lease === undefined) {
    return { ...nothing, outcomes: outcomes(() => ({ kind: "later", because: "busy" })) };
  }
  try {
    const followed = new JudgeTally();
    const collected = collects ? await judgeCollect(ports, followed) : null;
    const tally = new JudgeTally();
    const by = ports.settings.config.batch && ports.model.batches !== undefined ? "batch" : "direct";
    const submitted = ids.length === 0 ? null : await judgeSubmit({ ids: new Set(ids), by }, ports, tally);
    return {
      submitted,
      collected,
      leftOver: [...followed.leftIds],
      outcomes: outcomes((message) => {
        const report = message.kind === "collect" ? collected : submitted;
        if (report?.stoppedBy === "fault") return { kind: "later", because: "fault" };
        if (message.kind === "submit" && tally.leftIds.has(message.id)) {
          return { kind: "later", because: report?.stoppedBy ?? "time" };
        }
        if (message.kind === "collect" && report?.stoppedBy === "time")
          return { kind: "later", because: "time" };
        return DONE;
      }),
    };
  } finally {
    await lease.release();
  }
}

const DONE: JudgeMessageOutcome = { kind: "done" };

function parse(body: string): JudgeQueueMessage | { readonly kind: "invalid"; readonly reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { kind: "invalid", reason: "no JSON" };
  }
  const result = judgeMessageSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return {
    kind: "invalid",
    reason: `${issue?.path.join(".") || "$"}: ${issue?.message ?? "no judge message"}`,
  };
}
