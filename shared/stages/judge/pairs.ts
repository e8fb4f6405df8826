import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { z } from "zod";
import { trajectoryKey } from "../../contracts/keys.ts";
import type { JudgeConfig } from "../../judge/config.ts";
import {
  combineSwapped,
  type PairVerdict,
  pairwiseRequest,
  parsePairAnswer,
  type SwappedVerdict,
} from "../../judge/pairwise.ts";
import type { ChatRequest } from "../../ports/chat-model.ts";
import { ObjectNotFoundError } from "../../ports/object-store.ts";
import { type Rubric, rubricsOf } from "../../reward/rubrics.ts";
import type { Trajectory } from "../../trajectory/schema.ts";
import { readDocument } from "../compute-tasks.ts";
import { profileFor } from "../score-trajectory.ts";
import { Asker } from "./asker.ts";
import type { JudgePorts } from "./ports.ts";
import { Budget, dayOf, type SpendPlace } from "./spend.ts";
import { type JudgeReport, JudgeTally } from "./tally.ts";

const id = z.string().regex(/^[0-9a-f]{64}$/);

/** Two attempts at one task; rows of other tools with more fields will do. */
const judgedPairSchema = z.object({
  pair_id: z.string().optional(),
  task_id: z.string(),
  left_id: id,
  right_id: id,
});
const sidesSchema = z.looseObject({
  left: z.object({ trajectory_id: z.string() }),
  right: z.object({ trajectory_id: z.string() }),
});

/** A row that names a pair to judge: by ids, or with its two sides as `gymline votes export` writes them. */
export const pairToJudgeSchema = z.preprocess((row) => {
  const { data } = sidesSchema.safeParse(row);
  return data === undefined
    ? row
    : { ...data, left_id: data.left.trajectory_id, right_id: data.right.trajectory_id };
}, judgedPairSchema);
export type JudgedPair = Readonly<z.infer<typeof judgedPairSchema>>;

/**
 * What a judge that was asked twice, the second time with the sides swapped, says of a pair. `inconsistent`: whichever
 * came first won. `failed`: an answer is missing or cannot be read.
 */
export const pairVerdictSchema = judgedPairSchema.extend({
  schema: z.literal("gymline.pair-verdict.v1"),
  verdict: z.enum(["left", "right", "tie", "inconsistent", "failed"]),
  chosen_id: id.nullable(),
  rejected_id: id.nullable(),
  /** Mean of the judge's own words for how sure it is; null without a chosen one. */
  confidence: z.number().min(0).max(1).nullable(),
  /** As shown, and swapped. */
  rationales: z.array(z.string()),
  manipulation: z.boolean(),
  reason: z.string().nullable(),
  /** Hash of all that shapes the verdict. */
  judge: z.string(),
  provider: z.string(),
  model: z.string(),
  judged_at: z.string(),
});
export type PairVerdictRow = Readonly<z.infer<typeof pairVerdictSchema>>;

/** Pairs asked about side by side. */
const SIDE_BY_SIDE = 8;
/** Tokens of a verdict, a model's own thinking aside. */
const ANSWER_TOKENS = 400;

/**
 * Compares pairs, each both ways round, in the order given; `found` gets each verdict as soon as those before it are
 * there. Past the cache: the verdicts are the caller's to keep. @throws JudgePriceError
 */
export async function judgePairs(
  pairs: readonly JudgedPair[],
  ports: JudgePorts,
  found: (row: PairVerdictRow) => Promise<void>,
): Promise<JudgeReport> {
  const tally = new JudgeTally();
  const budget = new Budget(ports.settings.config, ports);
  const judge = new PairJudge(ports, { budget, tally });
  return tally.reportOf(async () => {
    for (let from = 0; from < pairs.length; from += SIDE_BY_SIDE) {
      const rest = pairs.slice(from);
      const group = rest.slice(0, SIDE_BY_SIDE);
      if (tally.stoppedBy !== null || ports.outOfTime?.() === true) {
        tally.leave(rest.map(pairKey), tally.stoppedBy === "budget" ? "budget" : "time");
        return;
      }
      const judged = await Promise.allSettled(group.map((pair) => judge.judge(pair)));
      // What was answered is handed on before anything that went wrong is thrown.
      for (const each of judged) {
        if (each.status === "fulfilled" && each.value !== undefined) await found(each.value);
      }
      for (const each of judged) if (each.status === "rejected") throw each.reason;
      ports.onProgress?.({ done: Math.min(from + SIDE_BY_SIDE, pairs.length), total: pairs.length });
    }
  });
}

export function pairKey({ task_id, left_id, right_id }: JudgedPair): string {
  return `${task_id} ${left_id} ${right_id}`;
}

/** What verdicts come to, without those that failed. */
export function swappedVerdicts(rows: readonly PairVerdictRow[]): readonly SwappedVerdict[] {
  return rows.flatMap(({ verdict, confidence }): readonly SwappedVerdict[] => {
    if (verdict === "failed") return [];
    if (verdict === "tie" || verdict === "inconsistent") return [{ kind: verdict }];
    return [{ kind: "chosen", chosen: verdict === "left" ? "first" : "second", confidence: confidence ?? 0 }];
  });
}

class PairJudge {
  readonly #ports: JudgePorts;
  readonly #budget: Budget;
  readonly #tally: JudgeTally;
  readonly #asker: Asker;

  constructor(ports: JudgePorts, { budget, tally }: { readonly budget: Budget; readonly tally: JudgeTally }) {
    this.#ports = ports;
    this.#budget = budget;
    this.#tally = tally;
    this.#asker = new Asker(ports.model, { budget, tally });
  }

  /** undefined: there is not enough money. */
  async judge(pair: JudgedPair): Promise<PairVerdictRow | undefined> {
    const { settings, run, clock } = this.#ports;
    const [left, right] = [await this.#document(pair.left_id), await this.#document(pair.right_id)];
    if (left === undefined || right === undefined) {
      return this.#failed(pair, { judge: "", reason: "a trajectory is not in the store" });
    }
    const rubrics = rubricsOf(profileFor(left, settings.profile), settings.rubrics);
    const requests = [
      requestOf({ left, right, rubrics, config: settings.config }),
      requestOf({ left: right, right: left, rubrics, config: settings.config }),
    ] as const;
    const judge = pairJudgeId(requests[0], settings.config);
    const mosts = requests.map((request) => this.#budget.mostOf(request, false));
    const name = createHash("sha256").update(pairKey(pair)).digest("hex").slice(0, 24);
    const place = { id: `${run}/${name}`, run, day: dayOf(clock) };
    if ((await this.#budget.reserve(place, [mosts.reduce((sum, most) => sum + most, 0)])) === 0) {
      this.#tally.leave([pairKey(pair)], "budget");
      return undefined;
    }
    try {
      const [first, swapped] = await Promise.all([
        this.#ask(requests[0], { place, most: mosts[0] ?? 0 }),
        this.#ask(requests[1], { place, most: mosts[1] ?? 0 }),
      ]);
      if (typeof first === "string") return this.#failed(pair, { judge, reason: first });
      if (typeof swapped === "string") return this.#failed(pair, { judge, reason: swapped });
      return this.#row(pair, { judge, first, swapped });
    } finally {
      await this.#budget.release(place);
    }
  }

  async #document(trajectory: string): Promise<Trajectory | undefined> {
    const { catalog, store } = this.#ports;
    if ((await catalog.entry(trajectory)) === undefined) return undefined;
    try {
      return readDocument(await store.read(trajectoryKey(trajectory)));
    } catch (error) {
      if (error instanceof ObjectNotFoundError) return undefined;
      throw error;
    }
  }

  /** A verdict, or why there is none. */
  async #ask(
    request: ChatRequest,
    of: { readonly place: SpendPlace; readonly most: number },
  ): Promise<PairVerdict | string> {
    const called = await this.#asker.call(() => this.#asker.model.complete(request), {
      ...of,
      keep: nothing,
    });
    if (called.kind === "failed") return called.reason;
    const evidence = request.messages.map(({ content }) => content).join("\n");
    const parsed = parsePairAnswer(called.answer.text, { stop: called.answer.stop, evidence });
    if (parsed.kind === "verdict") return parsed.verdict;
    this.#tally.failure(parsed.kind);
    return parsed.kind;
  }

  #row(
    pair: JudgedPair,
    made: { readonly judge: string; readonly first: PairVerdict; readonly swapped: PairVerdict },
  ): PairVerdictRow {
    const { judge, first, swapped } = made;
    const combined = combineSwapped(first, swapped);
    const chosen = combined.kind === "chosen" ? combined.chosen : null;
    const { left_id, right_id } = pair;
    return {
      ...this.#base(pair, judge),
      verdict: combined.kind === "chosen" ? (chosen === "first" ? "left" : "right") : combined.kind,
      chosen_id: chosen === null ? null : chosen === "first" ? left_id : right_id,
      rejected_id: chosen === null ? null : chosen === "first" ? right_id : left_id,
      confidence: combined.kind === "chosen" ? combined.confidence : null,
      rationales: [first.rationale, swapped.rationale],
      manipulation: first.manipulation === true || swapped.manipulation === true,
      reason: null,
    };
  }

  #failed(
    pair: JudgedPair,
    { judge, reason }: { readonly judge: string; readonly reason: string },
  ): PairVerdictRow {
    return {
      ...this.#base(pair, judge),
      verdict: "failed",
      chosen_id: null,
      rejected_id: null,
      confidence: null,
      rationales: [],
      manipulation: false,
      reason,
    };
  }

  #base(
    { pair_id, task_id, left_id, right_id }: JudgedPair,
    judge: string,
  ): Pick<PairVerdictRow, keyof JudgedPair | "schema" | "judge" | "provider" | "model" | "judged_at"> {
    const { provider, model } = this.#ports.settings.config;
    return {
      schema: "gymline.pair-verdict.v1",
      ...(pair_id === undefined ? {} : { pair_id }),
      ...{ task_id, left_id, right_id, judge, provider, model },
      judged_at: new Date(this.#ports.clock.now()).toISOString(),
    };
  }
}

async function nothing(): Promise<void> {}

function requestOf(asked: {
  readonly left: Trajectory;
  readonly right: Trajectory;
  readonly rubrics: readonly Rubric[];
  readonly config: JudgeConfig;
}): ChatRequest {
  const { left, right, rubrics, config } = asked;
  const { temperature, window, thinkingTokens } = config;
  return pairwiseRequest({
    ...{ left, right, rubrics },
    fields: window.fields,
    maxCharacters: window.maxCharacters,
    maxTokens: ANSWER_TOKENS + thinkingTokens,
    ...(temperature === undefined ? {} : { temperature }),
  });
}

/** Hash of all that shapes verdicts; the words of the prompt are part of it. */
function pairJudgeId({ system }: ChatRequest, config: JudgeConfig): string {
  const { provider, model, window } = config;
  const temperature = config.temperature ?? null;
  const text = canonicalize({ system, provider, model, window, temperature });
  return createHash("sha256")
    .update(text ?? "")
    .digest("hex")
    .slice(0, 16);
}
