import { InlineCompute } from "../../../shared/adapters/local/compute-inline.ts";
import { taskSettings } from "../../../shared/adapters/local/task-settings.ts";
import { modelOf } from "../../../shared/adapters/models/model-of.ts";
import type { Judgement } from "../../../shared/contracts/judgement.ts";
import { judgementSchema } from "../../../shared/contracts/judgement.ts";
import { judgementPrefix, scoreKey, trajectoryKey } from "../../../shared/contracts/keys.ts";
import { type JudgeConfigInput, parseJudgeConfig } from "../../../shared/judge/config.ts";
import type { ChatModel } from "../../../shared/ports/chat-model.ts";
import { type CollectReport, judgeCollect } from "../../../shared/stages/judge/collect.ts";
import type { JudgePorts } from "../../../shared/stages/judge/ports.ts";
import { type JudgeRequest, judgeSubmit, selectedIds } from "../../../shared/stages/judge/submit.ts";
import type { JudgeReport } from "../../../shared/stages/judge/tally.ts";
import { score } from "../../../shared/stages/score.ts";
import { type StoredScore, storedScoreSchema } from "../../../shared/stages/score-trajectory.ts";
import { chatRow } from "../../factories/logs.ts";
import type { Asked } from "../../factories/model-server/asked.ts";
import type { ModelServer } from "../../factories/model-server/model-server.ts";
import type { AnswerReply } from "../../factories/model-server/replies.ts";
import { answer } from "../../factories/model-server/replies.ts";
import type { Fault } from "../../factories/pipeline.ts";
import { makePlan } from "../../factories/plan.ts";
import { makeStation, type Station } from "../../factories/station.ts";

export const RUBRICS = ["goal_progress", "tool_choice", "param_correctness"];

/** Numbers of the steps that a window asks about. */
export function stepsAsked({ text }: Pick<Asked, "text">): readonly number[] {
  const line = text.split("\n").at(-1) ?? "";
  return [...line.matchAll(/(\d+)(?: to (\d+))?/g)].flatMap(([, first, last]) => {
    const from = Number(first);
    const to = last === undefined ? from : Number(last);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/** A judge that gives every step the same score. */
export function scores(
  value: number,
  options: Parameters<typeof answer>[1] = {},
): (asked: Asked) => AnswerReply {
  return (asked) => answer(judged(asked, value), options);
}

export function judged(asked: Asked, value: number): unknown {
  const rubrics = Object.fromEntries(RUBRICS.map((id) => [id, value]));
  return {
    steps: stepsAsked(asked).map((index) => ({ index, rationale: `Step ${index} is so.`, scores: rubrics })),
    manipulation: false,
  };
}

export interface Desk {
  readonly station: Station;
  readonly ids: readonly string[];
  readonly told: string[];
  now: number;
  ports(more?: Partial<JudgePorts>): JudgePorts;
  direct(asked?: Partial<JudgeRequest>, more?: Partial<JudgePorts>): Promise<JudgeReport>;
  batch(asked?: Partial<JudgeRequest>, more?: Partial<JudgePorts>): Promise<JudgeReport>;
  collect(more?: Partial<JudgePorts>): Promise<CollectReport>;
  judgements(): Promise<readonly Judgement[]>;
  score(id: string): Promise<StoredScore>;
}

const FAST = { baseDelayMs: 5, longestDelayMs: 20, timeoutMs: 2000, deadlineMs: 20_000 };

export async function judgeModel(
  server: ModelServer,
  options: {
    readonly provider?: "anthropic" | "openai-compatible";
    readonly model?: string;
    readonly timeoutMs?: number;
  } = {},
): Promise<ChatModel> {
  const { provider = "anthropic", model = "claude-haiku-5-5", timeoutMs = FAST.timeoutMs } = options;
  return modelOf(
    {
      provider,
      model,
      baseUrl: provider === "anthropic" ? server.url : server.openaiUrl,
      ...FAST,
      timeoutMs,
    },
    { ANTHROPIC_API_KEY: "key" },
  );
}

/** A store with some trajectories, and the judge over the scripted server. `fault` may throw at each port's call. */
export async function makeDesk(
  server: ModelServer,
  options: {
    readonly logs?: readonly string[];
    readonly config?: JudgeConfigInput;
    readonly fault?: Fault;
    readonly model?: ChatModel;
  } = {},
): Promise<Desk> {
  const { logs = [chatRow({ task: "one" })], fault = () => undefined } = options;
  const station = makeStation();
  for (const [n, log] of logs.entries()) station.write(`blue/${n}.json`, log);
  await station.run();
  const ids = (await station.select()).map(({ id }) => id);
  const config = parseJudgeConfig(options.config);
  const compute = new InlineCompute(await taskSettings(makePlan()));
  const { local } = station;
  const model = options.model ?? (await judgeModel(server, config));
  const store = faulty("store", local.store, fault);
  const catalog = faulty("catalog", local.catalog, fault);
  const ledger = faulty("ledger", local.ledger, fault);
  let made = 0;
  const next = (): number => {
    made += 1;
    return made;
  };
  const desk: Desk = {
    station,
    ids,
    told: [],
    now: Date.now(),
    ports: (more = {}) => ({
      store,
      catalog,
      ledger,
      settings: { config },
      clock: { now: () => desk.now },
      model: faultyModel(model, fault),
      run: `run${next()}`,
      newId: () => `sub${String(next()).padStart(9, "0")}`,
      scored: async (list) => {
        fault("scored", "send");
        for (const id of list) {
          desk.told.push(id);
          await score({ id, key: trajectoryKey(id) }, { ...local, compute });
        }
        fault("scored", "sent");
      },
      ...more,
    }),
    direct: (asked = {}, more = {}) =>
      judgeSubmit({ ids: selectedIds({}, local), by: "direct", ...asked }, desk.ports(more)),
    batch: (asked = {}, more = {}) =>
      judgeSubmit({ ids: selectedIds({}, local), by: "batch", ...asked }, desk.ports(more)),
    collect: (more = {}) => judgeCollect(desk.ports(more)),
    judgements: async () => {
      const found: Judgement[] = [];
      for (const id of ids) {
        for (const key of await station.keys(judgementPrefix(id))) {
          if (!key.endsWith(".state.json"))
            found.push(judgementSchema.parse(JSON.parse(await station.text(key))));
        }
      }
      return found;
    },
    score: async (id) => {
      const entry = await local.catalog.entry(id);
      return storedScoreSchema.parse(JSON.parse(await station.text(scoreKey(id, entry?.scorer ?? ""))));
    },
  };
  return desk;
}

function faultyModel(model: ChatModel, fault: Fault): ChatModel {
  const { batches } = model;
  return {
    ...model,
    complete: async (request, signal) => {
      fault("model", "complete");
      const answered = await model.complete(request, signal);
      fault("model", "completed");
      return answered;
    },
    ...(batches === undefined ? {} : { batches: faulty("batches", batches, fault) }),
  };
}

/** The same object, but `fault` may throw before or after each of its calls. */
function faulty<T extends object>(port: string, target: T, fault: Fault): T {
  return new Proxy(target, {
    get: (object, name) => {
      const value: unknown = Reflect.get(object, name, object);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const call = (): unknown => Reflect.apply(value, object, args);
        const iterable = name === "list" || name === "results" || name === "select";
        if (iterable) {
          fault(port, String(name));
          return call();
        }
        fault(port, String(name));
        const result = call();
        if (!(result instanceof Promise)) return result;
        return result.then((given: unknown) => {
          fault(port, `${String(name)} done`);
          return given;
        });
      };
    },
  });
}
