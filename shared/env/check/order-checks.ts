import { type AgentEnv, ProtocolError } from "../protocol.ts";
import type { Check, CheckBench } from "./check-bench.ts";

/** What an environment does when it is called out of order, interrupted or closed. */
export const orderChecks: readonly Check[] = [
  {
    name: "refuses a step before reset",
    run: (bench) => bench.use((env) => refusal(env.step({ tool: "any", params: {} }), "a step before reset")),
  },
  {
    name: "refuses a step after the end",
    run: (bench) =>
      bench.use(async (env) => {
        const steps = await bench.play(env, bench.resetOptions());
        if (steps.at(-1)?.done !== true) {
          return { skipped: `no episode ended within ${bench.maxSteps} steps (\`maxSteps\`)` };
        }
        return await refusal(env.step(bench.action(env, bench.random())), "a step after the end");
      }),
  },
  {
    name: "begins anew",
    run: (bench) =>
      bench.use(async (env) => {
        await bench.play(env, bench.resetOptions());
        return await startsAgain(env, bench);
      }),
  },
  {
    name: "heeds an abort before the call",
    run: (bench) =>
      bench.use(async (env) => {
        const reason = new Error("given up");
        const signal = AbortSignal.abort(reason);
        const reset = await rejection(env.reset(bench.resetOptions({ signal })));
        await env.reset(bench.resetOptions());
        const step = await rejection(env.step(bench.action(env, bench.random()), signal));
        return [
          ...(reset === reason ? [] : ["reset with an aborted signal does not fail with its reason"]),
          ...(step === reason ? [] : ["step with an aborted signal does not fail with its reason"]),
          ...(await startsAgain(env, bench)),
        ];
      }),
  },
  {
    name: "heeds an abort during the call",
    run: (bench) =>
      bench.use(async (env) => {
        const reason = new Error("given up");
        const problems: string[] = [];
        const interrupted = async (call: (signal: AbortSignal) => Promise<unknown>, name: string) => {
          const controller = new AbortController();
          const running = rejection(call(controller.signal));
          controller.abort(reason);
          const error = await running;
          // It may have been through already.
          if (error !== undefined && error !== reason) {
            problems.push(`an interrupted ${name} fails with ${String(error)}, not with the signal's reason`);
          }
        };
        await interrupted((signal) => env.reset(bench.resetOptions({ signal })), "reset");
        await env.reset(bench.resetOptions());
        const action = bench.action(env, bench.random());
        await interrupted((signal) => env.step(action, signal), "step");
        return [...problems, ...(await startsAgain(env, bench))];
      }),
  },
  {
    name: "closes for good",
    run: (bench) =>
      bench.use(async (env) => {
        await env.reset(bench.resetOptions());
        const action = bench.action(env, bench.random());
        await env.close();
        await env.close();
        return await refusal(env.step(action), "a step after close");
      }),
  },
  {
    name: "closes unused",
    run: (bench) =>
      bench.use(async (env) => {
        await env.close();
        return [];
      }),
  },
];

async function startsAgain(env: AgentEnv, bench: CheckBench): Promise<readonly string[]> {
  const first = await env.reset(bench.resetOptions());
  if (first.done) return ["after a reset the episode is still over"];
  await env.step(bench.action(env, bench.random()));
  return [];
}

async function refusal(call: Promise<unknown>, name: string): Promise<readonly string[]> {
  const error = await rejection(call);
  if (error === undefined) return [`${name} is answered instead of refused`];
  return error instanceof ProtocolError ? [] : [`${name} fails with ${String(error)}, not a ProtocolError`];
}

/** What a call fails with; undefined where it does not. */
async function rejection(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return error;
  }
}
