import { createHash } from "node:crypto";
import { type JudgeReply, judgementOf, modelScoresOf } from "../../judge/judgement-of.ts";
import { type RepeatConsistency, repeatConsistency } from "../../judge/reliability.ts";
import type { ModelScores } from "../../reward/step-score.ts";
import { Asker } from "./asker.ts";
import { candidateOf, type JudgeCase } from "./judge-case.ts";
import type { JudgePorts } from "./ports.ts";
import { Budget, dayOf } from "./spend.ts";
import { type JudgeReport, JudgeTally } from "./tally.ts";

export interface RepeatRequest {
  readonly ids: readonly string[];
  /** Judgements of each trajectory, at least 2. */
  readonly times: number;
  /** So many trajectories, drawn by the seed. */
  readonly sample: number;
  readonly seed: number;
}

export interface RepeatReport extends JudgeReport {
  readonly trajectories: number;
  readonly times: number;
  readonly seed: number;
  readonly rubrics: readonly RepeatConsistency[];
}

/** Trajectories asked about side by side. */
const SIDE_BY_SIDE = 8;

/**
 * Has a judge judge the same trajectories several times, past the cache, and says how far it agrees with itself. Stores
 * nothing but what was spent. @throws JudgePriceError
 */
export async function judgeRepeats(asked: RepeatRequest, ports: JudgePorts): Promise<RepeatReport> {
  const { times, seed } = asked;
  const tally = new JudgeTally();
  const budget = new Budget(ports.settings.config, ports);
  const asker = new Asker(ports.model, { budget, tally });
  const repeats: (ModelScores | null)[][] = [];
  const rubrics = new Set<string>();
  let trajectories = 0;
  const report = await tally.reportOf(async () => {
    const cases: JudgeCase[] = [];
    for (const id of drawn(asked)) {
      if (cases.length >= asked.sample) break;
      const candidate = await candidateOf(id, ports, { always: true });
      if (candidate.kind === "case") cases.push(candidate.case);
      tally.candidate(candidate);
    }
    for (let from = 0; from < cases.length && tally.stoppedBy === null; from += SIDE_BY_SIDE) {
      const group = cases.slice(from, from + SIDE_BY_SIDE);
      const scored = await Promise.allSettled(
        group.map((each) => repeatCase(each, { times, ports, budget, asker, tally })),
      );
      for (const [n, each] of scored.entries()) {
        if (each.status === "rejected") throw each.reason;
        if (each.value === undefined) continue;
        trajectories += 1;
        repeats.push(...each.value);
        for (const { id } of group[n]?.plan.rubrics ?? []) rubrics.add(id);
      }
      ports.onProgress?.({ done: Math.min(from + SIDE_BY_SIDE, cases.length), total: cases.length });
    }
  });
  return { ...report, trajectories, times, seed, rubrics: repeatConsistency(repeats, [...rubrics]) };
}

/** For each step, the scores it was given each time; undefined where there is not enough money. */
async function repeatCase(
  { id, revision, plan }: JudgeCase,
  run: {
    readonly times: number;
    readonly ports: JudgePorts;
    readonly budget: Budget;
    readonly asker: Asker;
    readonly tally: JudgeTally;
  },
): Promise<(ModelScores | null)[][] | undefined> {
  const { times, ports, budget, asker, tally } = run;
  const place = { id: `${ports.run}/${id.slice(0, 24)}`, run: ports.run, day: dayOf(ports.clock) };
  const mosts = plan.requests.map(({ request }) => budget.mostOf(request, false));
  if ((await budget.reserve(place, [mosts.reduce((sum, most) => sum + most, 0) * times])) === 0) {
    tally.leave([id], "budget");
    return undefined;
  }
  try {
    const rounds = await Promise.all(
      Array.from({ length: times }, async () => {
        const replies = await Promise.all(
          plan.requests.map(async ({ hash, request }, n): Promise<readonly [string, JudgeReply]> => {
            const most = mosts[n] ?? 0;
            const called = await asker.call(() => asker.model.complete(request), {
              place,
              most,
              keep: nothing,
            });
            return [hash, called.kind === "answer" ? { ...called, cached: false } : called];
          }),
        );
        const createdAt = new Date(ports.clock.now()).toISOString();
        const made = { trajectoryId: id, revision, plan, batch: false, createdAt };
        return modelScoresOf(judgementOf({ ...made, replies: new Map(replies) }), plan.coverage.steps);
      }),
    );
    return Array.from({ length: plan.coverage.steps }, (_, step) =>
      rounds.map((round) => round[step] ?? null),
    );
  } finally {
    await budget.release(place);
  }
}

async function nothing(): Promise<void> {}

function drawn({ ids, seed }: RepeatRequest): readonly string[] {
  const rank = (id: string): string =>
    createHash("sha256").update(`gymline.repeat\n${seed}\n${id}`).digest("hex");
  return ids
    .map((id) => ({ id, rank: rank(id) }))
    .sort((left, right) => (left.rank < right.rank ? -1 : 1))
    .map(({ id }) => id);
}
