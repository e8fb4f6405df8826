import type { Clock } from "../ports/clock.ts";
import type { Sandbox, Sandboxes, SandboxSpec, SandboxSummary } from "../ports/sandbox.ts";
import { normalised } from "./allow-list.ts";

export interface WarmPoolOptions {
  /** Sandboxes that wait; 0 makes none ahead. */
  readonly size: number;
  /** What they are made of. Requests for anything else are passed on. */
  readonly spec: SandboxSpec;
  readonly clock: Clock;
  /** Of waiting, after which a sandbox is replaced; it is added to the lifetime of each. */
  readonly maxIdleMs?: number;
}

interface Waiting {
  readonly sandbox: Sandbox;
  readonly since: number;
}

/**
 * Sandboxes made ahead, so that an episode need not wait for one. A sandbox is handed out once and never comes back:
 * what ran in it could be anything. Those that wait carry the labels of the pool, whatever labels are asked for.
 */
export class WarmPool implements Sandboxes {
  readonly #sandboxes: Sandboxes;
  readonly #options: WarmPoolOptions;
  readonly #making = new Set<Promise<Waiting | undefined>>();
  #closed = false;

  constructor(sandboxes: Sandboxes, options: WarmPoolOptions) {
    this.#sandboxes = sandboxes;
    this.#options = options;
    this.#fill();
  }

  get kind(): Sandboxes["kind"] {
    return this.#sandboxes.kind;
  }

  /** Resolves when as many wait as should. */
  async ready(): Promise<void> {
    await Promise.all(this.#making);
  }

  async create(spec: SandboxSpec, signal?: AbortSignal): Promise<Sandbox> {
    signal?.throwIfAborted();
    if (this.#closed || specKey(spec) !== specKey(this.#options.spec)) {
      return this.#sandboxes.create(spec, signal);
    }
    for (;;) {
      const next = this.#take();
      if (next === undefined) return this.#sandboxes.create(spec, signal);
      const waiting = await next;
      // It could not be made; the reason comes up where one is made for the caller.
      if (waiting === undefined) return this.#sandboxes.create(spec, signal);
      if (this.#options.clock.now() - waiting.since <= this.#maxIdleMs) {
        if (signal?.aborted !== true) return waiting.sandbox;
        await waiting.sandbox.close();
        signal.throwIfAborted();
      }
      await waiting.sandbox.close();
    }
  }

  open(id: string): Promise<Sandbox> {
    return this.#sandboxes.open(id);
  }

  list(): Promise<readonly SandboxSummary[]> {
    return this.#sandboxes.list();
  }

  reap(): Promise<readonly string[]> {
    return this.#sandboxes.reap();
  }

  /** Removes those that wait; what was handed out belongs to whoever has it. */
  async close(): Promise<void> {
    this.#closed = true;
    const making = [...this.#making];
    this.#making.clear();
    const waiting = await Promise.all(making);
    await Promise.all(waiting.map((each) => each?.sandbox.close()));
  }

  get #maxIdleMs(): number {
    return this.#options.maxIdleMs ?? 600_000;
  }

  /** The one that has waited longest; another is made in its place. */
  #take(): Promise<Waiting | undefined> | undefined {
    const [next] = this.#making;
    if (next !== undefined) this.#making.delete(next);
    this.#fill();
    return next;
  }

  #fill(): void {
    while (!this.#closed && this.#making.size < this.#options.size) this.#making.add(this.#make());
  }

  async #make(): Promise<Waiting | undefined> {
    const { spec, clock } = this.#options;
    const limits = { ...spec.limits, lifetimeMs: spec.limits.lifetimeMs + this.#maxIdleMs };
    try {
      const sandbox = await this.#sandboxes.create({ ...spec, limits });
      return { sandbox, since: clock.now() };
    } catch {
      return undefined;
    }
  }
}

/** Equal for specs that differ in labels alone. */
function specKey({ image, workspace, env, network, limits, runtime }: SandboxSpec): string {
  const sorted = (of: object): unknown => Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1));
  const reaches =
    network === "none" ? network : [normalised(network.allow), normalised(network.privateRanges ?? [])];
  return JSON.stringify([image, workspace, sorted(env), reaches, sorted(limits), runtime ?? ""]);
}
