import type { z } from "zod";
import type { EnvTask } from "./task.ts";

/*
 * The Markov decision process between an agent and what it acts on, after Gymnasium's contract
 * (https://gymnasium.farama.org/api/env/): reset begins an episode, each step answers one action, and nothing may be
 * stepped before reset or after done. Everything is async, since an environment may be a container.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** What an environment answers to `reset` and `step`. `done` is `terminated || truncated`. */
export interface TimeStep {
  /** What the agent sees: text, as a tool's result or a user's message. */
  readonly observation: string;
  /** Reward of this step alone; 0 where the environment gives none. */
  readonly reward: number;
  /** The task has ended, well or badly. */
  readonly terminated: boolean;
  /** The episode was cut off (steps, time, cost) before the task ended. */
  readonly truncated: boolean;
  readonly done: boolean;
  readonly info: StepInfo;
}

/** Facts beside the observation. Environments and wrappers may add their own. */
export interface StepInfo {
  /** Of a command or tool; 0 is success. */
  readonly exitCode?: number;
  /** Why an action was not carried out: invalid arguments, unknown tool, a tool that threw, a time-out. */
  readonly error?: string;
  /** Why the action is unsafe or forbidden here, whether it was carried out or refused. */
  readonly violation?: string;
  /** On the last step: whether the task's criteria hold; null where it has none. */
  readonly success?: boolean | null;
  /** On the last step: a graded result in [0, 1]. */
  readonly score?: number | null;
  /** On the last step: what speaks against success. */
  readonly unmet?: readonly string[];
  /** On the last step: counts of the tests that judged the task. */
  readonly tests?: { readonly passed: number; readonly failed: number };
  /** What a simulated user says next; the observation holds it too. */
  readonly userMessage?: string;
  /** US dollars that this step cost the environment: a simulated user's model, a paid tool. */
  readonly costUsd?: number;
  readonly [name: string]: unknown;
}

/** One tool call. `thought` and `callId` are for the record; environments do not look at them. */
export interface Action {
  readonly tool: string;
  readonly params: JsonObject;
  readonly thought?: string;
  readonly callId?: string;
  /** US dollars that the agent's turn cost, on the first of its calls; for limits on costs. */
  readonly costUsd?: number;
}

/** How the task stands: `success` is null where it has no criteria, `score` where nothing grades it; else in [0, 1]. */
export interface Verdict {
  readonly success: boolean | null;
  readonly score: number | null;
  /** What speaks against success, each in a few words: criteria that do not hold, tests that failed. */
  readonly unmet?: readonly string[];
  /** What the last step earns by it, beside its own reward. */
  readonly reward?: number;
  readonly tests?: { readonly passed: number; readonly failed: number };
}

/** A tool as an agent is told of it; `parameters` is a JSON Schema of an object. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
}

/** A tool as an environment has it: the schema that params are checked against. */
export interface EnvTool {
  readonly name: string;
  readonly description: string;
  readonly params: z.ZodObject;
}

export interface ResetOptions {
  readonly task?: EnvTask;
  /** Reaches every random choice of the environment; the same seed and actions give the same episode. */
  readonly seed?: number;
  /** Interrupts a running reset or step; the environment can be reset or closed afterwards. */
  readonly signal?: AbortSignal;
}

export interface AgentEnv {
  /** The id it was registered under, with its version: `gymline/conversation-v1`. */
  readonly id: string;
  /** Name of the domain profile that its trajectories are scored by. */
  readonly domain: string;
  /** After `reset` the tools of the task at hand. */
  readonly tools: readonly ToolDefinition[];
  /** The environment inside all wrappers. */
  readonly unwrapped: AgentEnv;
  /** @throws EnvTaskError where the task is not one of this environment's */
  reset(options?: ResetOptions): Promise<TimeStep>;
  /**
   * An action that is not valid is answered by an observation that says why, with `info.error`.
   * @throws ProtocolError before reset, after done, after close
   */
  step(action: Action, signal?: AbortSignal): Promise<TimeStep>;
  /**
   * Judges the task as it stands, for who cuts an episode off from outside: an attempt that ran out of steps or time is
   * judged like any other. Asked between reset and close, after an interrupted step too. Absent: nothing is judged.
   */
  verdict?(signal?: AbortSignal): Promise<Verdict>;
  /** Frees what it holds; may be called more than once. */
  close(): Promise<void>;
}

/** `step` before `reset`, after `done` or after `close`: a mistake of the program that drives the environment. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** A task that an environment cannot be reset to. */
export class EnvTaskError extends Error {
  override readonly name = "EnvTaskError";
  readonly taskId: string | null;
  constructor(message: string, taskId: string | null, options?: ErrorOptions) {
    super(message, options);
    this.taskId = taskId;
  }
}

/**
 * The environment itself is at fault, not the action: its service or container failed. Tools throw it to end the step
 * with an error instead of an observation. `transient`: nothing has changed, and the same call may work a moment later.
 */
export class EnvFaultError extends Error {
  override readonly name = "EnvFaultError";
  readonly transient: boolean;
  constructor(message: string, options: ErrorOptions & { readonly transient: boolean }) {
    super(message, options);
    this.transient = options.transient;
  }
}
