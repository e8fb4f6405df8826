import { z } from "zod";
import type { Clock } from "../../ports/clock.ts";
import type { Timers } from "../../ports/timers.ts";

/** A model's server does not come up, or serves another model. */
export class ModelServerError extends Error {
  override readonly name = "ModelServerError";
}

export interface ServerWait {
  /** Address of the server without a path, such as http://127.0.0.1:8000. */
  readonly url: string;
  /** The model that it must serve. */
  readonly model: string;
  readonly patienceMs: number;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly signal?: AbortSignal | undefined;
}

const ANSWER_MS = 10_000;
const modelsSchema = z.object({ data: z.array(z.object({ id: z.string() })) });

/**
 * Waits until a server of the kind of vLLM is ready: `/health` answers 200 once weights are loaded, and `/v1/models`
 * names what it serves. Batch starts both containers of a job at once and knows no order by health, so the agent waits.
 * @throws ModelServerError, the signal's reason
 */
export async function waitForServer(wait: ServerWait): Promise<void> {
  const { url, patienceMs, everyMs, clock, timers, signal } = wait;
  const deadline = clock.now() + patienceMs;
  for (let last = "it was not asked"; ; ) {
    signal?.throwIfAborted();
    try {
      const answer = await asked(new URL("/health", url), signal);
      if (answer.ok) return await checkModel(wait);
      last = `it answers ${answer.status}`;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ModelServerError) throw error;
      last = `it does not answer (${reasonOf(error)})`;
    }
    if (clock.now() >= deadline) {
      throw new ModelServerError(
        `the model's server at ${url} is not ready after ${Math.round(patienceMs / 1000)} s: ${last}; see the log of its container`,
      );
    }
    await pause(everyMs, { timers, signal });
  }
}

async function checkModel({ url, model, signal }: ServerWait): Promise<void> {
  const answer = await asked(new URL("/v1/models", url), signal);
  const read = modelsSchema.safeParse(await answer.json());
  const served = read.data?.data.map(({ id }) => id) ?? [];
  if (served.includes(model)) return;
  throw new ModelServerError(
    `the model's server at ${url} does not serve ${model} but ${served.join(", ") || "nothing"}: give that name with --model, or deploy the other model`,
  );
}

function asked(url: URL, signal: AbortSignal | undefined): Promise<Response> {
  const limit = AbortSignal.timeout(ANSWER_MS);
  return fetch(url, { signal: signal === undefined ? limit : AbortSignal.any([limit, signal]) });
}

function pause(
  milliseconds: number,
  { timers, signal }: { readonly timers: Timers; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = timers.after(milliseconds, resolve);
  const stop = (): void => {
    cancel();
    resolve();
  };
  signal?.addEventListener("abort", stop, { once: true });
  return promise.finally(() => signal?.removeEventListener("abort", stop));
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return "code" in cause ? String(cause.code) : cause.name;
}
