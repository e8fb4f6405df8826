import type { Clock } from "../ports/clock.ts";
import type { Repositories } from "../ports/repositories.ts";
import {
  type Sandbox,
  SandboxError,
  type Sandboxes,
  type SandboxLimits,
  type SandboxSpec,
} from "../ports/sandbox.ts";
import { AllowListError, beyond, normalised } from "../sandbox/allow-list.ts";
import { DEFAULT_LIMITS, sandboxSpec } from "../sandbox/sandbox-limits.ts";
import {
  type Action,
  type AgentEnv,
  EnvTaskError,
  ProtocolError,
  type ResetOptions,
  type TimeStep,
  type ToolDefinition,
  type Verdict,
} from "./protocol.ts";
import { gradeWork } from "./sandbox-grade.ts";
import { prepareSandbox } from "./sandbox-prepare.ts";
import { type SandboxTask, sandboxTask } from "./sandbox-task.ts";
import { runSandboxTool, SANDBOX_TOOLS, type ToolContext } from "./sandbox-tools.ts";
import type { EnvTask } from "./task.ts";
import { cutOff, judged, timeStep } from "./time-step.ts";
import { checkAction, toolDefinition } from "./tool-schema.ts";

export interface SandboxEnvOptions {
  readonly sandboxes: Sandboxes;
  /** For tasks that begin from a repository; without it they are refused. */
  readonly repositories?: Repositories;
  /** Without one an episode's time is that of its commands, not that of the agent's thinking. */
  readonly clock?: Clock;
  /** Image, limits and surroundings where the task says nothing else. */
  readonly spec?: Partial<Omit<SandboxSpec, "limits">> & { readonly limits?: Partial<SandboxLimits> };
  /** Of one command of the agent; a task or call may set less. */
  readonly commandTimeoutMs?: number;
  readonly episodeTimeoutMs?: number;
  /** Of each setup command. */
  readonly setupTimeoutMs?: number;
  readonly testTimeoutMs?: number;
  /** Of stdout and of stderr, each, as the agent sees them. */
  readonly maxOutputBytes?: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** Of an episode where neither task nor options say it. */
export const EPISODE_TIMEOUT_MS = 30 * MINUTE;
/** For what takes no time of its own above: setup that has no limit set, files put in, a log read. */
const MARGIN_MS = 15 * MINUTE;

interface Episode {
  readonly task: SandboxTask;
  readonly sandbox: Sandbox;
  /** Of the clock, at the end of reset. */
  readonly startedAt: number;
  /** Milliseconds that commands took. */
  spentMs: number;
  state: "running" | "interrupted" | "done";
}

/**
 * A workspace in a sandbox, with tools to change it and tests to judge it by: `submit` runs them, and only if they
 * pass the reward is 1 and the episode a success. Each reset makes a new sandbox, so nothing of one task is left in
 * the next. Register it as `gymline/sandbox-v1`.
 */
export class SandboxEnv implements AgentEnv {
  readonly id = "gymline/sandbox-v1";
  readonly domain = "coding";
  readonly tools: readonly ToolDefinition[] = SANDBOX_TOOLS.map(toolDefinition);
  readonly #options: SandboxEnvOptions;
  #episode: Episode | undefined;
  #busy = false;
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: SandboxEnvOptions) {
    this.#options = options;
  }

  get unwrapped(): AgentEnv {
    return this;
  }

  /** @throws EnvTaskError, SandboxError, and the signal's reason */
  async reset({ task: given = {}, signal }: ResetOptions = {}): Promise<TimeStep> {
    this.#open("reset");
    const task = sandboxTask(given);
    return this.#alone(async () => {
      await this.#endEpisode();
      const { sandboxes, repositories, setupTimeoutMs = 5 * MINUTE } = this.#options;
      const sandbox = await sandboxes.create(this.#specOf(task, given), signal);
      try {
        const commit = await prepareSandbox({ sandbox, task, given, repositories, setupTimeoutMs, signal });
        signal?.throwIfAborted();
        // Closed meanwhile: nobody else would close this one.
        if (this.#closed) throw new ProtocolError("the environment was closed while it was reset");
        const startedAt = this.#options.clock?.now() ?? 0;
        this.#episode = { task, sandbox, startedAt, spentMs: 0, state: "running" };
        const info = { sandboxId: sandbox.id, ...(commit === undefined ? {} : { commit }) };
        return timeStep({ observation: firstObservation(given, task, sandbox), info });
      } catch (error) {
        await sandbox.close();
        throw error;
      }
    });
  }

  async step(action: Action, signal?: AbortSignal): Promise<TimeStep> {
    if (this.#busy) throw new ProtocolError("step while another call is under way; await each call");
    const episode = this.#running("step");
    return this.#alone(async () => {
      try {
        const step = await this.#act(episode, action, signal);
        if (!step.done) return step;
        episode.state = "done";
        return await withRefused(step, episode.sandbox);
      } catch (error) {
        // What it had done by then nobody knows.
        episode.state = "interrupted";
        if (!(error instanceof SandboxError) || error.reason !== "lost") throw error;
        episode.state = "done";
        // Nothing is left that could be tested: no verdict, rather than a wrong one.
        const info = { error: error.message, exitCode: 1, success: null, score: null };
        return timeStep({
          observation: "The sandbox is gone; the episode ends here.",
          truncated: true,
          info,
        });
      }
    });
  }

  /** Runs the task's tests on the workspace as it stands. @throws ProtocolError, SandboxError */
  async verdict(signal?: AbortSignal): Promise<Verdict> {
    const episode = this.#begun("verdict");
    return this.#alone(() => this.#judge(episode, signal));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#endEpisode();
  }

  /** The state of the workspace under an id, to `restore` or to `branch` from. @throws ProtocolError, SandboxError */
  snapshot(): Promise<string> {
    return this.#begun("snapshot").sandbox.snapshot();
  }

  /** The workspace as it was; an episode that has ended goes on. @throws ProtocolError, SandboxError */
  async restore(snapshot: string): Promise<void> {
    const episode = this.#begun("restore");
    await this.#alone(() => episode.sandbox.restore(snapshot));
    episode.state = "running";
  }

  /** A second environment in the same episode, as it was at the snapshot: for another way to go on. */
  async branch(snapshot: string): Promise<SandboxEnv> {
    const { task, sandbox, startedAt, spentMs } = this.#begun("branch");
    const env = new SandboxEnv(this.#options);
    const branch = await sandbox.branch(snapshot);
    env.#episode = { task, sandbox: branch, startedAt, spentMs, state: "running" };
    return env;
  }

  async #act(episode: Episode, action: Action, signal: AbortSignal | undefined): Promise<TimeStep> {
    signal?.throwIfAborted();
    const checked = checkAction(action, SANDBOX_TOOLS);
    if (!checked.valid) {
      const info = { exitCode: 1, error: checked.error };
      return this.#next(episode, timeStep({ observation: `Error: ${checked.error}`, info }), signal);
    }
    const { tool, params } = checked;
    if (tool.name === "submit") {
      // The verdict stays out of what the agent sees: models that learn from it must not learn to read it there.
      const submitted = timeStep({ observation: "Submitted.", terminated: true, info: { exitCode: 0 } });
      return judged(submitted, await this.#judge(episode, signal));
    }
    const { text, ...info } = await runSandboxTool(tool.name, params, this.#context(episode, signal));
    return this.#next(episode, timeStep({ observation: text, info }), signal);
  }

  async #next(episode: Episode, step: TimeStep, signal: AbortSignal | undefined): Promise<TimeStep> {
    if (this.#left(episode) > 0) return step;
    const observation = `${step.observation}\n[the time of the episode is over]`;
    const verdict = await this.#judge(episode, signal);
    return cutOff({ ...step, observation }, { verdict, info: { timeout: true } });
  }

  async #judge(episode: Episode, signal: AbortSignal | undefined): Promise<Verdict> {
    // A fresh time of their own: the tests must not suffer for how long the agent took.
    const timeoutMs = this.#testTime(episode.task);
    return gradeWork(episode.task, { ...this.#context(episode, signal), timeoutMs });
  }

  #left({ task, startedAt, spentMs }: Episode): number {
    const { clock } = this.#options;
    return this.#episodeTime(task) - (clock === undefined ? spentMs : clock.now() - startedAt);
  }

  #context(episode: Episode, signal: AbortSignal | undefined): ToolContext {
    const { task, sandbox } = episode;
    const command = seconds(task.command_timeout_s) ?? this.#options.commandTimeoutMs ?? 2 * MINUTE;
    return {
      sandbox,
      env: task.env,
      timeoutMs: Math.max(1, Math.min(command, this.#left(episode))),
      maxOutputBytes: this.#options.maxOutputBytes ?? 16_384,
      ...(signal === undefined ? {} : { signal }),
      spent: (durationMs) => {
        episode.spentMs += durationMs;
      },
    };
  }

  #specOf(task: SandboxTask, given: EnvTask): SandboxSpec {
    const { spec } = this.#options;
    const { memory_bytes, cpus, pids, disk_bytes, lifetime_s } = task.limits;
    return sandboxSpec({
      ...spec,
      network: networkOf(task, { given, permitted: spec?.network ?? "none" }),
      ...(task.image === undefined ? {} : { image: task.image }),
      labels: { ...spec?.labels, ...(given.id === undefined ? {} : { task: given.id }) },
      limits: {
        lifetimeMs: this.#lifetime(task),
        ...spec?.limits,
        ...(memory_bytes === undefined ? {} : { memoryBytes: memory_bytes }),
        ...(cpus === undefined ? {} : { cpus }),
        ...(pids === undefined ? {} : { pids }),
        ...(disk_bytes === undefined ? {} : { diskBytes: disk_bytes }),
        ...(lifetime_s === undefined ? {} : { lifetimeMs: lifetime_s * SECOND }),
      },
    });
  }

  /** Where nobody has set one: as long as setup, episode and tests may take, and at least the usual. */
  #lifetime(task: SandboxTask): number {
    const setup = seconds(task.setup_timeout_s) ?? this.#options.setupTimeoutMs ?? 0;
    const all = task.setup.length * setup + this.#episodeTime(task) + this.#testTime(task) + MARGIN_MS;
    return Math.max(DEFAULT_LIMITS.lifetimeMs, all);
  }

  #episodeTime(task: SandboxTask): number {
    return seconds(task.episode_timeout_s) ?? this.#options.episodeTimeoutMs ?? EPISODE_TIMEOUT_MS;
  }

  #testTime(task: SandboxTask): number {
    return seconds(task.test_timeout_s) ?? this.#options.testTimeoutMs ?? 10 * MINUTE;
  }

  /** Whoever was interrupted may come back before what was interrupted has come to its end: then it waits. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#work;
    const own = Promise.withResolvers<void>();
    this.#work = own.promise;
    this.#busy = true;
    try {
      await before;
      return await work();
    } finally {
      if (this.#work === own.promise) this.#busy = false;
      own.resolve();
    }
  }

  /** @throws ProtocolError */
  #open(what: string): void {
    if (this.#closed) throw new ProtocolError(`${what} after close; make a new environment`);
  }

  #begun(what: string): Episode {
    this.#open(what);
    if (this.#episode === undefined) throw new ProtocolError(`${what} before reset`);
    return this.#episode;
  }

  #running(what: string): Episode {
    const episode = this.#begun(what);
    if (episode.state === "running") return episode;
    const why = episode.state === "done" ? "the episode has ended" : "a step was interrupted";
    throw new ProtocolError(`${what} after ${why}; reset first`);
  }

  async #endEpisode(): Promise<void> {
    const episode = this.#episode;
    this.#episode = undefined;
    await episode?.sandbox.close();
  }
}

/** The environment `gymline/sandbox-v1` over an engine of sandboxes. */
export function sandboxEnv(options: SandboxEnvOptions): SandboxEnv {
  return new SandboxEnv(options);
}

function seconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value * SECOND;
}

function firstObservation(given: EnvTask, task: SandboxTask, sandbox: Sandbox): string {
  const { workspace, network } = sandbox.spec;
  const parts = [
    given.description ?? "",
    given.success_criteria ?? "",
    `You work in ${workspace}, ${networkText(network)}. Call submit when the work is done.`,
    task.test_command === undefined || Object.keys(task.hidden_tests).length > 0
      ? ""
      : `It will be tested with: ${task.test_command}`,
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** What of the permitted network the task has. @throws EnvTaskError where it asks for more */
function networkOf(
  { network }: SandboxTask,
  { given, permitted }: { readonly given: EnvTask; readonly permitted: SandboxSpec["network"] },
): SandboxSpec["network"] {
  if (network === undefined) return permitted;
  if (network === "none") return network;
  const refuse = (what: string): EnvTaskError => {
    const id = given.id ?? null;
    const message = `task ${id ?? "without an id"} asks for a network to ${what}, which this run does not allow: name it in the environment's option "allow" (gymline sandbox: --allow), or take it out of the task's sandbox.network`;
    return new EnvTaskError(message, id);
  };
  if (permitted === "none") throw refuse(network.allow.join(", "));
  let more: string | undefined;
  try {
    more = beyond(network.allow, permitted.allow);
  } catch (cause) {
    if (!(cause instanceof AllowListError)) throw cause;
    throw new EnvTaskError(`task ${given.id ?? "without an id"}: ${cause.message}`, given.id ?? null, {
      cause,
    });
  }
  if (more !== undefined) throw refuse(more);
  return { ...permitted, allow: network.allow };
}

function networkText(network: SandboxSpec["network"]): string {
  if (network === "none") return "without a network";
  const hosts = normalised(network.allow).join(", ");
  return `with an HTTP proxy (HTTP_PROXY, HTTPS_PROXY) by which you reach ${hosts} and nothing else`;
}

/** Targets that the record of an episode names; the count is of all. */
const MOST_TARGETS = 20;

/** What the allow-list did not let through, beside the rest that is known of an episode at its end. */
async function withRefused(step: TimeStep, sandbox: Sandbox): Promise<TimeStep> {
  if (sandbox.spec.network === "none") return step;
  const targets = await sandbox.refusedTargets().catch((error: unknown) => {
    // The verdict stands, whether or not that can be told.
    if (error instanceof SandboxError) return undefined;
    throw error;
  });
  if (targets === undefined) return step;
  const count = targets.reduce((sum, each) => sum + each.count, 0);
  const refusedTargets = { count, targets: targets.slice(0, MOST_TARGETS) };
  return { ...step, info: { ...step.info, refusedTargets } };
}
