import { estimateRequests, type RequestEstimate } from "../../judge/estimate.ts";
import type { GateDecision } from "../../judge/gate.ts";
import type { PlannedRequest } from "../../judge/plan.ts";
import { priceOf } from "../../judge/prices.ts";
import { askedInBatches, pairName } from "./batch-records.ts";
import { answersOf, type CaseOptions, candidateOf, type LeftOut, openRequests } from "./judge-case.ts";
import type { JudgeReadPorts } from "./ports.ts";
import { mostUsd } from "./spend.ts";
import { JudgeTally } from "./tally.ts";

/** Tokens are estimated; what budgets set aside is `mostUsd`, which allows for estimates that are too low. */
export type CallsForecast = Omit<RequestEstimate, "usdAtMost">;

/** What judging would need. */
export interface JudgeForecast {
  /** To be judged; `fromCache` of them without a call. */
  readonly trajectories: number;
  readonly fromCache: number;
  readonly steps: number;
  readonly leftOut: Readonly<Record<LeftOut, number>>;
  readonly gate: Readonly<Partial<Record<GateDecision["reason"], number>>>;
  readonly waiting: number;
  /** Answers that are in the cache. */
  readonly cached: number;
  /** As it is expected: provider's cache counted for direct calls, a model's own thinking not counted. */
  readonly direct: CallsForecast;
  /** null where the provider takes no batches. */
  readonly batch: CallsForecast | null;
  /** What budgets reserve: the dearest tokens, answers as long as they may be. Null where no price is known. */
  readonly mostUsd: { readonly direct: number | null; readonly batch: number | null };
}

/** Looks at trajectories as judging would, and asks no model. */
export async function forecastJudging(
  asked: CaseOptions & { readonly ids: Iterable<string> | AsyncIterable<string>; readonly limit?: number },
  ports: JudgeReadPorts,
): Promise<JudgeForecast> {
  const { config } = ports.settings;
  const price = priceOf(config.model, config.prices);
  const waitingFor = await askedInBatches(ports);
  const tally = new JudgeTally();
  const seen = new Set<string>();
  const systems = new Set<string>();
  const sums = { direct: NOTHING, batch: NOTHING };
  const most = { direct: 0, batch: 0 };
  const counts = { trajectories: 0, fromCache: 0, steps: 0, waiting: 0, cached: 0 };
  for await (const id of asked.ids) {
    if (counts.trajectories >= (asked.limit ?? Number.POSITIVE_INFINITY)) break;
    const candidate = await candidateOf(id, ports, asked);
    tally.candidate(candidate);
    if (candidate.kind === "left-out") continue;
    const { plan } = candidate.case;
    if (waitingFor.has(pairName({ id, judge: plan.judge }))) {
      counts.waiting += 1;
      continue;
    }
    const answers = await answersOf(plan, ports);
    const needed = openRequests(plan, answers, { following: false });
    const open = needed.filter(({ hash }) => !seen.has(hash));
    for (const { hash } of open) seen.add(hash);
    counts.trajectories += 1;
    counts.steps += plan.coverage.asked;
    counts.cached += plan.requests.length - needed.length;
    if (needed.length === 0) counts.fromCache += 1;
    sums.direct = plus(sums.direct, withPrefixes(open, { systems, price }));
    sums.batch = plus(sums.batch, estimateRequests(open, { price, batch: true, caching: false }));
    for (const { request } of open) {
      if (price === null) break;
      most.direct += mostUsd(request, price, false);
      most.batch += mostUsd(request, price, true);
    }
  }
  const { leftOut, gate } = tally.report();
  const usd = (value: number): number | null => (price === null ? null : value);
  return {
    ...counts,
    leftOut,
    gate,
    direct: { ...sums.direct, usd: price === null ? null : sums.direct.usd },
    batch:
      config.provider === "anthropic" ? { ...sums.batch, usd: price === null ? null : sums.batch.usd } : null,
    mostUsd: { direct: usd(most.direct), batch: usd(most.batch) },
  };
}

const NOTHING: CallsForecast = { requests: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0, usd: 0 };

/** Fixed parts that an earlier trajectory had already are taken to be in the provider's cache. */
function withPrefixes(
  open: readonly PlannedRequest[],
  { systems, price }: { readonly systems: Set<string>; readonly price: ReturnType<typeof priceOf> },
): CallsForecast {
  const known = [...new Set(open.map(({ request }) => request.system))].filter((system) =>
    systems.has(system),
  );
  for (const { request } of open) systems.add(request.system);
  const before = known.map((system) => ({
    request: { system, messages: [], maxTokens: 1 },
    answerTokens: 0,
  }));
  const options = { price, batch: false, caching: true };
  return minus(estimateRequests([...before, ...open], options), estimateRequests(before, options));
}

function plus(left: CallsForecast, right: CallsForecast): CallsForecast {
  return combined(left, right, 1);
}

function minus(left: CallsForecast, right: CallsForecast): CallsForecast {
  return combined(left, right, -1);
}

function combined(left: CallsForecast, right: CallsForecast, sign: 1 | -1): CallsForecast {
  return {
    requests: left.requests + sign * right.requests,
    inputTokens: left.inputTokens + sign * right.inputTokens,
    cachedTokens: left.cachedTokens + sign * right.cachedTokens,
    outputTokens: left.outputTokens + sign * right.outputTokens,
    usd: left.usd === null || right.usd === null ? null : left.usd + sign * right.usd,
  };
}
