import type { Selection } from "../../ports/catalog.ts";
import { askedInBatches, pairName } from "./batch-records.ts";
import { BatchSubmitter } from "./batch-submitter.ts";
import { DirectJudge } from "./direct.ts";
import type { Finished } from "./finish.ts";
import { type CaseOptions, candidateOf, type JudgeCase } from "./judge-case.ts";
import type { JudgePorts, JudgeReadPorts } from "./ports.ts";
import { Budget } from "./spend.ts";
import { type JudgeReport, JudgeTally } from "./tally.ts";

export interface JudgeRequest extends CaseOptions {
  readonly ids: Iterable<string> | AsyncIterable<string>;
  /** Begins at most so many trajectories. */
  readonly limit?: number;
  /** `direct`: the answers are there when it ends. `batch`: they come within a day, at a lower price. */
  readonly by: "direct" | "batch";
}

/** Trajectories under way at a time; how many calls that makes is the adapter's affair. */
const SIDE_BY_SIDE = 16;

/** Ids of what a selection finds. */
export async function* selectedIds(
  selection: Selection,
  { catalog }: Pick<JudgeReadPorts, "catalog">,
): AsyncGenerator<string> {
  for await (const { id } of catalog.select(selection)) yield id;
}

/**
 * Judges trajectories that need it, or hands them to the provider as batches. Whatever stops it, what was answered is
 * kept, and the next call goes on from there at no cost.
 * A fault of the provider or of the settings ends it early and stands in the report.
 * @throws JudgePriceError
 */
export async function judgeSubmit(
  asked: JudgeRequest,
  ports: JudgePorts,
  tally = new JudgeTally(),
): Promise<JudgeReport> {
  const budget = new Budget(ports.settings.config, ports);
  return tally.reportOf(async () => {
    if (asked.by === "batch") await new BatchSubmitter(ports, { budget, tally }).submit(asked);
    else await judgeDirectly(asked, ports, { budget, tally });
  });
}

async function judgeDirectly(
  asked: JudgeRequest,
  ports: JudgePorts,
  { budget, tally }: { readonly budget: Budget; readonly tally: JudgeTally },
): Promise<void> {
  const judge = new DirectJudge(ports, { budget, tally });
  const ids: string[] = [];
  for await (const id of asked.ids) ids.push(id);
  const waiting = await askedInBatches(ports);
  const running = new Set<Promise<void>>();
  const faults: unknown[] = [];
  let begun = 0;
  let done = 0;
  const begin = (admitted: NonNullable<Awaited<ReturnType<DirectJudge["admit"]>>>): void => {
    const work = judge
      .judge(admitted)
      .then((finished) => {
        if (finished.kind === "left") tally.leave([admitted.judged.id], "budget");
        else tallyFinished(finished, tally);
      })
      .catch((error: unknown) => void faults.push(error))
      .finally(() => {
        running.delete(work);
        done += 1;
        ports.onProgress?.({ done, total: ids.length });
      });
    running.add(work);
  };
  /** Others under way may need less than they reserved. */
  const admit = async (judged: JudgeCase): ReturnType<DirectJudge["admit"]> => {
    for (;;) {
      const admitted = await judge.admit(judged, { mayPay: tally.stoppedBy !== "budget" });
      if (admitted !== undefined || running.size === 0 || tally.stoppedBy === "budget") return admitted;
      await Promise.race(running);
    }
  };
  try {
    for (const [position, id] of ids.entries()) {
      if (faults.length > 0 || begun >= (asked.limit ?? Number.POSITIVE_INFINITY)) break;
      if (ports.outOfTime?.() === true) {
        tally.leave(ids.slice(position), "time");
        break;
      }
      const candidate = await candidateOf(id, ports, asked);
      tally.candidate(candidate);
      if (candidate.kind === "case" && waiting.has(pairName({ id, judge: candidate.case.plan.judge }))) {
        tally.waiting += 1;
        continue;
      }
      const admitted = candidate.kind === "left-out" ? undefined : await admit(candidate.case);
      if (admitted === undefined) {
        // What is in the cache costs nothing, so the others are looked at all the same.
        if (candidate.kind === "case") tally.leave([id], "budget");
        done += 1;
        ports.onProgress?.({ done, total: ids.length });
        continue;
      }
      begun += 1;
      begin(admitted);
      while (running.size >= SIDE_BY_SIDE) await Promise.race(running);
    }
  } finally {
    while (running.size > 0) await Promise.race(running);
  }
  if (faults.length > 0) throw faults[0];
}

export function tallyFinished(finished: Finished, tally: JudgeTally): void {
  if (finished.kind === "judged") tally.judgement(finished.judgement);
  else if (finished.kind === "dropped") tally.dropped += 1;
  else tally.unanswered += 1;
}
