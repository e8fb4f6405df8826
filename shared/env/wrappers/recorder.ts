import type { Clock } from "../../ports/clock.ts";
import type { Trajectory } from "../../trajectory/schema.ts";
import { type Action, type AgentEnv, ProtocolError, type ResetOptions, type TimeStep } from "../protocol.ts";
import { EpisodeRecord, type RecordedAgent } from "../rollout/episode-record.ts";
import { type Ending, outcomeOf } from "../rollout/episode-result.ts";
import { EnvWrapper } from "./env-wrapper.ts";

export interface RecorderOptions {
  readonly agent: RecordedAgent;
  readonly clock: Clock;
  readonly run?: string;
  readonly attempt?: number;
}

/**
 * Keeps the episode as a trajectory: each action a step of the agent, its thought the message beside the call. It records
 * what it sees where it stands: outside of `Reward`, that is the new reward. `runEpisode` records by itself, with several
 * calls of a turn in one step; use this where you drive an environment yourself.
 */
export class Recorder extends EnvWrapper {
  readonly #options: RecorderOptions;
  #record: EpisodeRecord | undefined;
  #ending: Ending | undefined;
  #reward = 0;

  constructor(env: AgentEnv, options: RecorderOptions) {
    super(env);
    this.#options = options;
  }

  /**
   * The episode so far, or the last one: a document to be dropped as a file.
   * @throws ProtocolError before the first reset
   */
  getTrajectory(): Trajectory {
    if (this.#record === undefined)
      throw new ProtocolError(`${this.id} has recorded nothing: reset it first`);
    if (this.#ending !== undefined) return this.#record.document(outcomeOf(this.#ending, this.#reward));
    return this.#record.document({ success: null, exit_status: "unfinished" });
  }

  protected override async onReset(options: ResetOptions): Promise<TimeStep> {
    const first = await super.onReset(options);
    const { agent, clock, run, attempt } = this.#options;
    this.#record = new EpisodeRecord({
      env: this.env,
      agent,
      identity: {
        seed: options.seed ?? 0,
        ...(run === undefined ? {} : { run }),
        ...(attempt === undefined ? {} : { attempt }),
      },
      task: options.task ?? {},
      tools: this.env.tools,
      systemPrompt: null,
      observation: first.observation,
      clock,
    });
    this.#ending = undefined;
    this.#reward = 0;
    return first;
  }

  protected override async onStep(action: Action, signal?: AbortSignal): Promise<TimeStep> {
    const record = this.#record;
    const { thought = "", callId = "", tool, params, costUsd } = action;
    const turn = record?.turn({
      message: thought,
      calls: [{ id: callId, tool, params }],
      stop: "calls",
      ...(costUsd === undefined ? {} : { costUsd }),
    });
    try {
      const step = await super.onStep(action, signal);
      this.#reward += step.reward;
      if (turn !== undefined) record?.result(turn, { index: 0, step });
      if (step.done) this.#ending = { kind: "done", info: step.info, terminated: step.terminated };
      return step;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (turn !== undefined) record?.refused(turn, { index: 0, text: message });
      const name = error instanceof Error ? error.name : "Error";
      this.#ending = {
        kind: "failed",
        failure: { kind: "environment", during: "step", error: name, message },
      };
      throw error;
    }
  }
}
