import type { AgentEnv, JsonObject, TimeStep, ToolDefinition } from "../../../shared/env/protocol.ts";
import type { EnvTask } from "../../../shared/env/task.ts";

/** What a client did with a session cannot be. */
export class SessionError extends Error {
  override readonly name = "SessionError";
}

/** Environments hold containers. */
const MOST_SESSIONS = 16;

interface Session {
  readonly env: AgentEnv;
  /** Steps of one session come one after the other, whatever a client sends at once. */
  last: Promise<unknown>;
}

/** Environments that clients have made and not closed. */
export class EnvSessions {
  readonly #sessions = new Map<string, Session>();
  readonly #newId: () => string;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  /** @throws SessionError where there are too many */
  make(env: AgentEnv): string {
    if (this.#sessions.size >= MOST_SESSIONS) {
      throw new SessionError(`There are ${MOST_SESSIONS} open sessions; close one first (env_close)`);
    }
    const id = this.#newId();
    this.#sessions.set(id, { env, last: Promise.resolve() });
    return id;
  }

  async reset(
    id: string,
    options: { readonly task?: EnvTask; readonly seed?: number; readonly signal?: AbortSignal },
  ): Promise<{ readonly step: TimeStep; readonly tools: readonly ToolDefinition[] }> {
    return this.#inTurn(id, async (env) => {
      const step = await env.reset(options);
      return { step, tools: env.tools };
    });
  }

  async step(
    id: string,
    action: { readonly tool: string; readonly params: JsonObject },
    signal?: AbortSignal,
  ): Promise<TimeStep> {
    return this.#inTurn(id, (env) => env.step(action, signal));
  }

  async close(id: string): Promise<void> {
    await this.#inTurn(id, async (env) => {
      this.#sessions.delete(id);
      await env.close();
    });
  }

  async closeAll(): Promise<void> {
    const open = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.allSettled(open.map(({ env }) => env.close()));
  }

  async #inTurn<T>(id: string, work: (env: AgentEnv) => Promise<T>): Promise<T> {
    const session = this.#sessions.get(id);
    if (session === undefined) {
      throw new SessionError(`There is no session ${id.slice(0, 40)}; make one with env_make`);
    }
    const done = session.last.then(() => work(session.env));
    session.last = done.catch(() => undefined);
    return done;
  }
}
