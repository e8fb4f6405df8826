import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJudgeConfig } from "../../../shared/judge/config.ts";
import { forecastJudging } from "../../../shared/stages/judge/forecast.ts";
import { Budget, spentOn } from "../../../shared/stages/judge/spend.ts";
import { selectedIds } from "../../../shared/stages/judge/submit.ts";
import { chatRow } from "../../factories/logs.ts";
import { modelServer } from "../../factories/model-server/model-server.ts";
import { makeStation } from "../../factories/station.ts";
import { type Desk, makeDesk, scores } from "./judge-desk.ts";

const logs = Array.from({ length: 6 }, (_, n) => chatRow({ task: `t${n}`, prompt: `Read a.txt for ${n}.` }));
const DAY = "2026-01-31";

async function most(desk: Desk, by: "direct" | "batch"): Promise<number> {
  const forecast = await forecastJudging({ ids: desk.ids }, desk.ports());
  return forecast.mostUsd[by] ?? 0;
}

async function spend(desk: Desk): Promise<{ readonly usd: number; readonly reserved: number }> {
  return spentOn(new Date(desk.now).toISOString().slice(0, 10), desk.station.local.ledger);
}

describe("the limits on money", () => {
  it("are kept, and what is left is judged by the next run", async () => {
    // A model that thinks for as long as it may.
    const server = await modelServer(scores(0.5, { usage: { output: 8500 } }));
    const probe = await makeDesk(server, { logs });
    const whole = await most(probe, "direct");
    const desk = await makeDesk(server, {
      logs,
      config: { budgets: { usdPerRun: whole / 4, usdPerDay: null } },
    });
    const report = await desk.direct();
    expect(report.stoppedBy).toBe("budget");
    expect(report.left).toBeGreaterThan(0);
    expect(report.judged + report.left).toBe(6);
    expect(report.usd).toBeLessThanOrEqual(whole / 4);
    expect((await spend(desk)).usd).toBeCloseTo(report.usd ?? -1, 12);
    for (let run = 0; run < 6; run += 1) await desk.direct();
    expect(await desk.direct()).toMatchObject({ left: 0, calls: 0 });
    expect(await desk.judgements()).toHaveLength(6);
    expect((await spend(desk)).reserved).toBe(0);
  });

  it("wait for calls under way that need less than they reserved, instead of stopping", async () => {
    const server = await modelServer(scores(0.5));
    const probe = await makeDesk(server, { logs });
    const one = (await most(probe, "direct")) / 6;
    const desk = await makeDesk(server, {
      logs,
      config: { budgets: { usdPerRun: one * 2, usdPerDay: null } },
    });
    const report = await desk.direct();
    // An answer costs about a thirtieth of what it may cost, so all fit one after the other.
    expect(report).toMatchObject({ judged: 6, left: 0 });
  });

  it("send what fits as a batch, and give back what was not needed", async () => {
    const server = await modelServer(scores(0.5));
    const probe = await makeDesk(server, { logs });
    const one = (await most(probe, "batch")) / 6;
    const desk = await makeDesk(server, {
      logs,
      config: { budgets: { usdPerRun: null, usdPerDay: one * 3.5 } },
    });
    expect(await desk.batch()).toMatchObject({
      batches: [{ trajectories: 3 }],
      left: 3,
      stoppedBy: "budget",
    });
    expect((await spend(desk)).reserved).toBeGreaterThan(0);
    const collected = await desk.collect();
    expect(collected.judged).toBe(3);
    expect(await spend(desk)).toEqual({ usd: expect.closeTo(collected.usd ?? -1, 12), reserved: 0 });
    expect(await desk.batch()).toMatchObject({ batches: [{ trajectories: 3 }], left: 0 });
  });

  it("need a price: where none is known the judge refuses before it asks", async () => {
    const server = await modelServer(scores(0.5));
    const desk = await makeDesk(server, { config: { model: "claude-unheard-of" } });
    await expect(desk.direct()).rejects.toThrow(/what claude-unheard-of costs is not known/);
    expect(server.calls).toEqual([]);
    const price = { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 };
    const priced = await makeDesk(server, {
      config: { model: "claude-unheard-of", prices: { "claude-unheard": price } },
    });
    expect((await priced.direct()).usd).toBeGreaterThan(0);
  });

  it("of a day hold for several processes at once", async () => {
    const station = makeStation();
    const { ledger } = station.local;
    const config = parseJudgeConfig({ budgets: { usdPerRun: null, usdPerDay: 1 } });
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.nat(2),
            fc.double({ min: 0.01, max: 0.6, noNaN: true }),
            fc.double({ min: 0, max: 1, noNaN: true }),
          ),
          {
            minLength: 1,
            maxLength: 20,
          },
        ),
        fc.uuid(),
        async (calls, day) => {
          const processes = [0, 1, 2].map(() => new Budget(config, { ledger }));
          let spent = 0;
          await Promise.all(
            calls.map(async ([process, usd, share], n) => {
              const place = { id: `r${n}`, run: `${day}${process}`, day };
              const budget = processes[process];
              if (budget === undefined || (await budget.reserve(place, [usd])) === 0) return;
              const shown = await spentOn(day, ledger);
              expect(shown.usd + shown.reserved).toBeLessThanOrEqual(1 + 1e-6);
              spent += usd * share;
              await budget.settleCall(place, { most: usd, usd: usd * share });
              await budget.release(place);
            }),
          );
          const end = await spentOn(day, ledger);
          expect(end.usd).toBeCloseTo(spent, 9);
          expect(end.reserved).toBe(0);
          expect(end.usd).toBeLessThanOrEqual(1 + 1e-6);
        },
      ),
      { numRuns: 15 },
    );
  });

  it("of a day hold for two runs at the same time, and nobody stops before his time", async () => {
    const server = await modelServer(scores(0.5, { usage: { output: 8500 }, delayMs: 5 }));
    const probe = await makeDesk(server, { logs });
    const one = (await most(probe, "direct")) / 6;
    const limit = one * 3;
    const desk = await makeDesk(server, { logs, config: { budgets: { usdPerRun: null, usdPerDay: limit } } });
    const [first, second] = await Promise.all([
      desk.direct({ ids: desk.ids.slice(0, 3) }),
      desk.direct({ ids: desk.ids.slice(3) }),
    ]);
    expect((first.usd ?? 0) + (second.usd ?? 0)).toBeLessThanOrEqual(limit);
    expect(first.judged + second.judged).toBeGreaterThanOrEqual(2);
    expect(first.left + second.left).toBe(6 - first.judged - second.judged);
    const spent = await spend(desk);
    expect(spent.usd).toBeLessThanOrEqual(limit);
    expect(spent.reserved).toBe(0);
    // The next day has money of its own.
    desk.now += 24 * 60 * 60_000;
    expect((await desk.direct()).judged).toBeGreaterThan(0);
  });

  it("take as many of a list as fit, from the first on", async () => {
    const { ledger } = makeStation().local;
    const budget = new Budget(parseJudgeConfig({ budgets: { usdPerRun: 1, usdPerDay: 0.5 } }), { ledger });
    const place = { id: "a", run: "r", day: DAY };
    expect(await budget.reserve(place, [0.2, 0.2, 0.2])).toBe(2);
    expect(await spentOn(DAY, ledger)).toEqual({ usd: 0, reserved: 0.4 });
    expect(await budget.reserve({ ...place, id: "b" }, [0.2])).toBe(0);
    // The same reservation again takes the place of the first.
    expect(await budget.reserve(place, [0.5])).toBe(1);
    await budget.release(place, 0.1);
    await budget.release(place, 0.1);
    expect(await spentOn(DAY, ledger)).toEqual({ usd: 0.1, reserved: 0 });
  });
});

describe("what judging would need", () => {
  it("is an upper bound of what it does need, and asks nobody", async () => {
    const server = await modelServer(scores(0.5));
    const desk = await makeDesk(server, { logs, config: { mode: "steps", samples: 2 } });
    const forecast = await forecastJudging({ ids: selectedIds({}, desk.station.local) }, desk.ports());
    expect(forecast).toMatchObject({
      trajectories: 6,
      steps: 18,
      cached: 0,
      direct: { requests: 36 },
      batch: { requests: 36 },
    });
    expect(server.calls).toEqual([]);
    expect(await desk.station.keys("judge")).toEqual([]);
    expect(forecast.batch?.usd).toBeLessThan(forecast.direct.usd ?? 0);
    expect(forecast.direct.cachedTokens).toBeGreaterThan(0);
    const report = await desk.direct();
    expect(report.calls).toBe(36);
    expect(report.usd).toBeLessThanOrEqual(forecast.mostUsd.direct ?? 0);
    expect(report.usage.output).toBeLessThanOrEqual(forecast.direct.outputTokens);
    const after = await forecastJudging({ ids: desk.ids, always: true }, desk.ports());
    expect(after).toMatchObject({
      trajectories: 6,
      fromCache: 6,
      cached: 36,
      direct: { requests: 0, usd: 0 },
    });
  });

  it("leaves out what the gate does, with its reasons, and keeps a share of the certain ones", async () => {
    const server = await modelServer(scores(0.5));
    const desk = await makeDesk(server, {
      logs,
      config: { gate: { kind: "band", low: 0, high: 0.001, share: 0 } },
    });
    const forecast = await forecastJudging({ ids: desk.ids }, desk.ports());
    expect(forecast).toMatchObject({ trajectories: 0, leftOut: { gate: 6 }, gate: { certain: 6 } });
    expect(await desk.direct()).toMatchObject({ judged: 0, leftOut: { gate: 6 } });
    const all = await makeDesk(server, {
      logs,
      config: { gate: { kind: "band", low: 0, high: 0.001, share: 1 } },
    });
    expect(await all.direct()).toMatchObject({ judged: 6, gate: { calibration: 6 } });
  });
});
