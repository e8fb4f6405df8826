import { randomUUID } from "node:crypto";
import type { ScoreQueueMessage } from "../../contracts/messages.ts";
import type { JudgeConfig } from "../../judge/config.ts";
import type { ChatModel } from "../../ports/chat-model.ts";
import { dayOf } from "../../stages/judge/spend.ts";
import type { JudgeQueuePorts } from "../../stages/judge-queue.ts";
import { systemClock as clock } from "../local/system-clock.ts";
import { modelOf } from "../models/model-of.ts";
import { ModelSettingsError } from "../models/model-settings-error.ts";
import { ModelSecretError, type ModelVariables, modelVariables } from "./model-variables.ts";
import { SqsQueue } from "./sqs-queue.ts";
import { type AwsStation, queueOf, storePorts } from "./station.ts";

/** One invocation of the judge's function. */
export interface JudgeRun {
  readonly holder: string;
  readonly outOfTime: () => boolean;
  /** Milliseconds until it is stopped. */
  readonly remainingMs: () => number;
}

/** So long keys count as known: who fills in or changes one need not start anything anew. */
const KEYS_MS = 5 * 60_000;
/** Until messages that have to wait come again. */
const LATER_SECONDS = 60;

/**
 * What the judge's function works with, for each run anew; undefined where the settings have no judge. The keys of
 * providers are read when they are first needed.
 */
export async function judgePorts(
  station: AwsStation,
): Promise<((run: JudgeRun) => Promise<JudgeQueuePorts>) | undefined> {
  const { plan, environment, clients } = station;
  if (plan.judge === undefined) return undefined;
  const config = ofTheDay(plan.judge);
  const common = await storePorts(station);
  const scoreQueue = await queueOf(station, environment.GYMLINE_SCORE_QUEUE_URL);
  const own = { client: await clients.sqs(), url: environment.GYMLINE_JUDGE_QUEUE_URL };
  const queue = new SqsQueue(own);
  const later = new SqsQueue({ ...own, delaySeconds: LATER_SECONDS });
  const keys = knownKeys(station);
  return async ({ holder, outOfTime, remainingMs }) => ({
    ...common,
    clock,
    settings: {
      config,
      ...(plan.profile === undefined ? {} : { profile: plan.profile }),
      ...(plan.rubrics === undefined ? {} : { rubrics: plan.rubrics }),
    },
    model: await chosenModel(config, {
      keys,
      secret: environment.GYMLINE_MODEL_SECRET,
      left: remainingMs(),
    }),
    run: `functions-${dayOf(clock)}`,
    newId: () => randomUUID().replaceAll("-", ""),
    scored: async (ids) => {
      const message = (id: string): ScoreQueueMessage => ({ schema: "gymline.score.v1", id });
      await scoreQueue.send(ids.map((id) => JSON.stringify(message(id))));
    },
    holder,
    outOfTime,
    queue,
    later,
  });
}

/** How many invocations a day's work takes says nothing: only the limit of the day holds. */
function ofTheDay(config: JudgeConfig): JudgeConfig {
  return { ...config, budgets: { ...config.budgets, usdPerRun: null } };
}

interface Keys {
  get(): Promise<ModelVariables>;
  forget(): void;
}

function knownKeys({ clients, environment }: AwsStation): Keys {
  let known: { readonly keys: ModelVariables; readonly at: number } | undefined;
  return {
    get: async () => {
      if (known === undefined || clock.now() - known.at > KEYS_MS) {
        const keys = await modelVariables(environment.GYMLINE_MODEL_SECRET, await clients.secretsManager());
        known = { keys, at: clock.now() };
      }
      return known.keys;
    },
    forget: () => {
      known = undefined;
    },
  };
}

/** One call may take a third of the time that is left, its retries half of it. @throws ModelSecretError */
async function chosenModel(
  { provider, model, baseUrl }: JudgeConfig,
  of: { readonly keys: Keys; readonly secret: string; readonly left: number },
): Promise<ChatModel> {
  const { keys, secret, left } = of;
  const limits = { timeoutMs: Math.round(left / 3), deadlineMs: Math.round(left / 2) };
  try {
    return await modelOf({ provider, model, baseUrl, ...limits }, await keys.get());
  } catch (cause) {
    if (!(cause instanceof ModelSettingsError)) throw cause;
    // Somebody may be filling it in.
    keys.forget();
    throw new ModelSecretError(secret, `does not do for ${provider} ${model} (${cause.message})`, { cause });
  }
}
