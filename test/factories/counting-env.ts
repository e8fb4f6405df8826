import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type Script, scriptedAgent } from "../../shared/agents/scripted.ts";
import { type AgentEnv, EnvFaultError, ProtocolError } from "../../shared/env/protocol.ts";
import type { EnvTask } from "../../shared/env/task.ts";
import { timeStep } from "../../shared/env/time-step.ts";

/** What happens in the environment, by the task's own fields. */
const ordersSchema = z.object({
  /** Calls of `add` until success. */
  target: z.number().default(1),
  /** Where it breaks. */
  fault: z.enum(["reset", "step"]).optional(),
  /** Milliseconds of each step. */
  delay: z.number().optional(),
});
type Orders = z.infer<typeof ordersSchema>;

/** An environment in which one counts up to the task's `target`; it records how it was used. */
export class CountingEnv implements AgentEnv {
  readonly id = "test/counting-v1";
  readonly domain = "coding";
  readonly tools = [
    { name: "add", description: "Adds one.", parameters: { type: "object", properties: {} } },
    { name: "stop", description: "Ends.", parameters: { type: "object", properties: {} } },
  ];
  readonly seeds: number[] = [];
  closed = false;
  #orders: Orders | null = null;
  #count = 0;

  get unwrapped(): AgentEnv {
    return this;
  }

  async reset({ task = {}, seed = 0 }: { readonly task?: EnvTask; readonly seed?: number } = {}) {
    const orders = ordersSchema.parse(task);
    if (orders.fault === "reset") throw new EnvFaultError("no counter", { transient: false });
    this.seeds.push(seed);
    this.#orders = orders;
    this.#count = 0;
    return timeStep({ observation: `count to ${orders.target}` });
  }

  async step({ tool }: { readonly tool: string }, signal?: AbortSignal) {
    const orders = this.#orders;
    if (orders === null || this.closed) throw new ProtocolError("not reset");
    if (orders.delay !== undefined)
      await sleep(orders.delay, undefined, signal === undefined ? {} : { signal });
    if (orders.fault === "step") throw new EnvFaultError("the counter broke", { transient: false });
    if (tool === "add") this.#count += 1;
    const reached = this.#count >= orders.target;
    const ends = reached || tool === "stop";
    return timeStep({
      observation: String(this.#count),
      terminated: ends,
      reward: reached ? 1 : 0,
      info: ends ? { success: reached } : {},
    });
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** Adds so many times, then stops. */
export function adding(times: number): ReturnType<typeof scriptedAgent> {
  const script: Script = ({ turn }) => ({ calls: [{ tool: turn < times ? "add" : "stop", params: {} }] });
  return scriptedAgent(script);
}
