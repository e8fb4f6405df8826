import { chatRow } from "../../factories/logs.ts";
import type { Asked } from "../../factories/model-server/asked.ts";
import { type ModelServer, modelServer } from "../../factories/model-server/model-server.ts";
import { answer, type Reply, refusal, status } from "../../factories/model-server/replies.ts";
import type { Fault } from "../../factories/pipeline.ts";
import { type Desk, judged, makeDesk } from "./judge-desk.ts";

const MINUTE = 60_000;
const logs = ["one", "two", "three"].map((task) => chatRow({ task, prompt: `Read a.txt for ${task}.` }));

/** A judge with all its moods, the same for the same question however often the process was stopped. */
function moods(asked: Asked): Reply {
  if (asked.text.includes("one.") && asked.text.includes("Score step 1.")) return refusal();
  if (asked.text.includes("two.") && asked.repeats === 0) return answer("I like it.");
  if (asked.text.includes("three.") && asked.repeats === 0 && asked.api === "batch") return status(500);
  return answer(judged(asked, 0.5));
}

/** All that the judge left, without times and without how often it had to try. */
export async function leftBy(desk: Desk, options: { readonly tokens: boolean }): Promise<unknown> {
  const { station } = desk;
  const judgements = (await desk.judgements()).map(({ created_at: _, usage, usd: __, ...rest }) => ({
    ...rest,
    // Which part of a prompt was in the provider's cache depends on what it was asked before.
    ...(options.tokens ? { tokens: [usage.input + usage.cacheRead + usage.cacheWrite, usage.output] } : {}),
  }));
  const scored: unknown[] = [];
  for (const { id, scorer, reward } of await station.select()) scored.push({ id, scorer, reward });
  const states = (await station.keys("judgements/")).filter((key) => key.endsWith(".state.json"));
  const ledger: string[] = [];
  for await (const { key } of station.local.ledger.list(""))
    if (!key.startsWith("judge/spend/")) ledger.push(key);
  return {
    judgements,
    scored,
    states: await Promise.all(states.map((key) => station.text(key))),
    cache: await station.keys("judge-cache/"),
    lists: await station.keys("judge-batches/"),
    ledger,
  };
}

class Killed extends Error {}

/** Stops at the n-th call of any port, as a kill would: nothing after it happens. */
function killAt(n: number): { readonly fault: Fault; readonly calls: () => number; revive(): void } {
  let calls = 0;
  let at = n;
  return {
    fault: () => {
      calls += 1;
      if (calls >= at) throw new Killed(`killed at call ${calls}`);
    },
    calls: () => calls,
    revive: () => {
      at = Number.POSITIVE_INFINITY;
    },
  };
}

export async function byBatches(desk: Desk): Promise<void> {
  const sent = await desk.batch();
  if (sent.stoppedBy === "fault") throw new Error(sent.fault ?? "");
  for (let time = 0; time < 8; time += 1) if ((await desk.collect()).open.length === 0) return;
  throw new Error(`batches stay open: ${JSON.stringify((await desk.collect()).open)}`);
}

export async function directly(desk: Desk): Promise<void> {
  await desk.direct();
}

export async function undisturbed(
  work: (desk: Desk) => Promise<void>,
): Promise<{ readonly left: unknown; readonly asked: number; readonly calls: number }> {
  const server = await modelServer(moods);
  const count = killAt(Number.POSITIVE_INFINITY);
  const desk = await makeDesk(server, { logs, config: { mode: "steps" }, fault: count.fault });
  await work(desk);
  const tokens = work === byBatches;
  return { left: await leftBy(desk, { tokens }), asked: server.asked.length, calls: count.calls() };
}

export async function stopped(
  work: (desk: Desk) => Promise<void>,
  n: number,
): Promise<{ readonly desk: Desk; readonly server: ModelServer }> {
  const server = await modelServer(moods);
  const kill = killAt(n);
  const desk = await makeDesk(server, { logs, config: { mode: "steps" }, fault: kill.fault });
  await work(desk).catch((error: unknown) => {
    if (!(error instanceof Killed)) throw error;
  });
  kill.revive();
  // A batch that was made, but not written down, is looked for; one that was not made is sent again in the end.
  for (let time = 0; time < 3; time += 1) {
    await server.endBatches();
    await desk.collect();
    desk.now += 35 * MINUTE;
  }
  await work(desk);
  return { desk, server };
}
