import { z } from "zod";
import type { Clock } from "../ports/clock.ts";
import { type Checkout, type Repositories, RepositoryError } from "../ports/repositories.ts";
import {
  type Sandbox,
  SandboxError,
  type Sandboxes,
  type SandboxLimits,
  type SandboxSpec,
} from "../ports/sandbox.ts";
import { sandboxSpec } from "../sandbox/sandbox-limits.ts";
import {
  type Action,
  type AgentEnv,
  EnvTaskError,
  ProtocolError,
  type ResetOptions,
  type StepInfo,
  type TimeStep,
  type ToolDefinition,
  type Verdict,
} from "./protocol.ts";
import { gradeWork } from "./sandbox-grade.ts";
import { filesOf, type SandboxTask, sandboxTask } from "./sandbox-task.ts";
import { commandText } from "./sandbox-text.ts";
import { execute, runSandboxTool, SANDBOX_TOOLS, shellCommand, type ToolContext } from "./sandbox-tools.ts";
import type { EnvTask } from "./task.ts";

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

interface Episode {
  readonly task: SandboxTask;
  readonly sandbox: Sandbox;
  /** Of the clock, at the end of reset. */
  readonly startedAt: number;
  /** Milliseconds that commands took. */
  spentMs: number;
  done: boolean;
}

/**
 * A workspace in a sandbox, with tools to change it and tests to judge it by: `submit` runs them, and only if they
 * pass the reward is 1 and the episode a success. Each reset makes a new sandbox, so nothing of one task is left in
 * the next. Register it as `gymline/sandbox-v1`.
 */
export class SandboxEnv implements AgentEnv {
  readonly id = "gymline/sandbox-v1";
  readonly domain = "coding";
  readonly tools: readonly ToolDefinition[] = SANDBOX_TOOLS.map(({ name, description, params }) => ({
    name,
    description,
    parameters: z.toJSONSchema(params),
  }));
  readonly #options: SandboxEnvOptions;
  #episode: Episode | undefined;
  #closed = false;

  constructor(options: SandboxEnvOptions) {
    this.#options = options;
  }

  get unwrapped(): AgentEnv {
    return this;
  }

  /** @throws EnvTaskError, SandboxError, and the signal's reason */
  async reset({ task: given = {}, signal }: ResetOptions = {}): Promise<TimeStep> {
    if (this.#closed) throw new ProtocolError("reset after close; make a new environment");
    const task = sandboxTask(given);
    await this.#endEpisode();
    const sandbox = await this.#options.sandboxes.create(this.#specOf(task, given), signal);
    try {
      const commit = await this.#prepare({
        sandbox,
        task,
        given,
        ...(signal === undefined ? {} : { signal }),
      });
      const startedAt = this.#options.clock?.now() ?? 0;
      this.#episode = { task, sandbox, startedAt, spentMs: 0, done: false };
      const info = { sandboxId: sandbox.id, ...(commit === undefined ? {} : { commit }) };
      return timeStep(firstObservation(given, task, sandbox), info);
    } catch (error) {
      await sandbox.close();
      throw error;
    }
  }

  async step(action: Action, signal?: AbortSignal): Promise<TimeStep> {
    const episode = this.#running("step");
    const tool = SANDBOX_TOOLS.find(({ name }) => name === action.tool);
    if (tool === undefined) {
      const known = SANDBOX_TOOLS.map(({ name }) => name).join(", ");
      return this.#next(
        episode,
        refusal(`There is no tool ${JSON.stringify(action.tool)}; the tools are ${known}.`),
      );
    }
    const params = tool.params.safeParse(action.params);
    if (!params.success) {
      const why = z.prettifyError(params.error);
      return this.#next(episode, refusal(`The arguments of ${tool.name} are not valid:\n${why}`));
    }
    const context = this.#context(episode, signal);
    try {
      if (tool.name === "submit") return await this.#submit(episode, context);
      const { text, exitCode, error } = await runSandboxTool(tool.name, params.data, context);
      return this.#next(episode, { text, info: { exitCode, ...(error === undefined ? {} : { error }) } });
    } catch (error) {
      if (!(error instanceof SandboxError) || error.reason !== "lost") throw error;
      episode.done = true;
      // Nothing is left that could be tested: no verdict, rather than a wrong one.
      const info = { error: "the sandbox is gone", exitCode: 1, success: null, score: null };
      return {
        ...timeStep("The sandbox is gone; the episode ends here.", info),
        truncated: true,
        done: true,
      };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#endEpisode();
  }

  /** The state of the workspace under an id, to `restore` or to `branch` from. @throws ProtocolError, SandboxError */
  snapshot(): Promise<string> {
    return this.#running("snapshot").sandbox.snapshot();
  }

  /** The workspace as it was; an episode that has ended goes on. @throws ProtocolError, SandboxError */
  async restore(snapshot: string): Promise<void> {
    const episode = this.#begun("restore");
    await episode.sandbox.restore(snapshot);
    episode.done = false;
  }

  /** A second environment in the same episode, as it was at the snapshot: for another way to go on. */
  async branch(snapshot: string): Promise<SandboxEnv> {
    const { task, sandbox, startedAt, spentMs } = this.#begun("branch");
    const env = new SandboxEnv(this.#options);
    env.#episode = { task, sandbox: await sandbox.branch(snapshot), startedAt, spentMs, done: false };
    return env;
  }

  /** Judges the workspace as it stands; nothing that the agent left running sees the tests. @throws SandboxError */
  async verdict(signal?: AbortSignal): Promise<Verdict> {
    const episode = this.#begun("verdict");
    episode.done = true;
    const { verdict } = await this.#judge(episode, this.#context(episode, signal));
    return verdict;
  }

  async #submit(episode: Episode, context: ToolContext): Promise<TimeStep> {
    const { verdict, testExitCode, testOutput } = await this.#judge(episode, context);
    const { reward = 0, ...facts } = verdict;
    episode.done = true;
    const info = { exitCode: 0, ...facts, testExitCode, testOutput };
    // The verdict stays out of what the agent sees: models that learn from it must not learn to read it there.
    return { ...timeStep("Submitted.", info), reward, terminated: true, done: true };
  }

  async #judge(
    { task }: Episode,
    context: ToolContext,
  ): Promise<{
    readonly verdict: Verdict;
    readonly testExitCode: number | null;
    readonly testOutput: string;
  }> {
    const limit = seconds(task.test_timeout_s) ?? this.#options.testTimeoutMs ?? 10 * MINUTE;
    // A fresh time of their own: the tests must not suffer for how long the agent took.
    const grade = await gradeWork(task, { ...context, timeoutMs: limit });
    const { success, score, testsPassed: passed, testsFailed: failed, exitCode, output } = grade;
    const tests = passed === undefined || failed === undefined ? {} : { tests: { passed, failed } };
    return {
      verdict: { success, score, reward: success === true ? 1 : 0, ...tests },
      testExitCode: exitCode ?? null,
      testOutput: output,
    };
  }

  #next(episode: Episode, { text, info }: { readonly text: string; readonly info: StepInfo }): TimeStep {
    if (this.#left(episode) > 0) return timeStep(text, info);
    episode.done = true;
    const hasTests = episode.task.test_command !== undefined;
    const verdict = { success: hasTests ? false : null, score: hasTests ? 0 : null, timeout: true };
    const observation = `${text}\n[the time of the episode is over]`;
    return { ...timeStep(observation, { ...info, ...verdict }), truncated: true, done: true };
  }

  #left({ task, startedAt, spentMs }: Episode): number {
    const limit = seconds(task.episode_timeout_s) ?? this.#options.episodeTimeoutMs ?? 30 * MINUTE;
    const { clock } = this.#options;
    return limit - (clock === undefined ? spentMs : clock.now() - startedAt);
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
      ...(task.image === undefined ? {} : { image: task.image }),
      labels: { ...spec?.labels, ...(given.id === undefined ? {} : { task: given.id }) },
      limits: {
        ...spec?.limits,
        ...(memory_bytes === undefined ? {} : { memoryBytes: memory_bytes }),
        ...(cpus === undefined ? {} : { cpus }),
        ...(pids === undefined ? {} : { pids }),
        ...(disk_bytes === undefined ? {} : { diskBytes: disk_bytes }),
        ...(lifetime_s === undefined ? {} : { lifetimeMs: lifetime_s * SECOND }),
      },
    });
  }

  /** Brings in what the task begins with. Gives the commit, where there is one. */
  async #prepare(request: {
    readonly sandbox: Sandbox;
    readonly task: SandboxTask;
    readonly given: EnvTask;
    readonly signal?: AbortSignal;
  }): Promise<string | undefined> {
    const { sandbox, task, given, signal } = request;
    const id = given.id ?? null;
    const commit = await this.#putRepository(request);
    try {
      await sandbox.put(filesOf(task.files));
    } catch (cause) {
      if (!(cause instanceof SandboxError) || cause.reason !== "refused") throw cause;
      throw new EnvTaskError(`the files of task ${id ?? "without an id"}: ${cause.message}`, id, { cause });
    }
    const timeoutMs = seconds(task.setup_timeout_s) ?? this.#options.setupTimeoutMs ?? 5 * MINUTE;
    for (const [index, line] of task.setup.entries()) {
      const context: ToolContext = {
        sandbox,
        env: task.env,
        timeoutMs,
        maxOutputBytes: 2000,
        spent: () => undefined,
        ...(signal === undefined ? {} : { signal }),
      };
      const { result } = await execute({ command: shellCommand(line) }, context);
      const { text, exitCode } = commandText(result, timeoutMs);
      if (exitCode === 0) continue;
      const message = `setup command ${index + 1} of task ${id ?? "without an id"} fails: ${text}`;
      throw new EnvTaskError(message, id);
    }
    return commit;
  }

  async #putRepository(request: {
    readonly sandbox: Sandbox;
    readonly task: SandboxTask;
    readonly given: EnvTask;
    readonly signal?: AbortSignal;
  }): Promise<string | undefined> {
    const { sandbox, task, given, signal } = request;
    if (task.repo === undefined) return undefined;
    const id = given.id ?? null;
    const { repositories } = this.#options;
    if (repositories === undefined) {
      throw new EnvTaskError(
        `task ${id ?? "without an id"} needs a repository, and this environment has none`,
        id,
      );
    }
    const { repo, base_commit: commit, hide_git_history: hideHistory } = task;
    const checkout = { repo, hideHistory, ...(commit === undefined ? {} : { commit }) };
    const bringIn = async ({ archive, commit: hash }: Checkout): Promise<string> => {
      await sandbox.unpack(archive);
      return hash;
    };
    try {
      return await repositories.checkout(checkout, bringIn, signal);
    } catch (cause) {
      if (!(cause instanceof RepositoryError)) throw cause;
      throw new EnvTaskError(`task ${id ?? "without an id"}: ${cause.message}`, id, { cause });
    }
  }

  #begun(what: string): Episode {
    if (this.#closed) throw new ProtocolError(`${what} after close; make a new environment`);
    if (this.#episode === undefined) throw new ProtocolError(`${what} before reset`);
    return this.#episode;
  }

  #running(what: string): Episode {
    const episode = this.#begun(what);
    if (episode.done) throw new ProtocolError(`${what} after the episode has ended; reset first`);
    return episode;
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

function refusal(text: string): { readonly text: string; readonly info: StepInfo } {
  return { text, info: { exitCode: 1, error: text } };
}

function timeStep(observation: string, info: StepInfo): TimeStep {
  return { observation, reward: 0, terminated: false, truncated: false, done: false, info };
}

function seconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value * SECOND;
}

function firstObservation(given: EnvTask, task: SandboxTask, sandbox: Sandbox): string {
  const { workspace } = sandbox.spec;
  const parts = [
    given.description ?? "",
    given.success_criteria ?? "",
    `You work in ${workspace}, without a network. Call submit when the work is done.`,
    task.test_command === undefined || Object.keys(task.hidden_tests).length > 0
      ? ""
      : `It will be tested with: ${task.test_command}`,
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}
