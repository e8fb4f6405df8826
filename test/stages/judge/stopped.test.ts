import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chatRow } from "../../factories/logs.ts";
import { modelServer } from "../../factories/model-server/model-server.ts";
import { makeDesk, scores } from "./judge-desk.ts";
import { byBatches, directly, leftBy, stopped, undisturbed } from "./stopping.ts";

describe("the judge, stopped at any call of any port and started again", () => {
  it("ends the same by batches, and the provider is asked nothing twice", async () => {
    const whole = await undisturbed(byBatches);
    expect(whole.calls).toBeGreaterThan(100);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: whole.calls }), async (n) => {
        const { desk, server } = await stopped(byBatches, n);
        expect(await leftBy(desk, { tokens: true })).toEqual(whole.left);
        expect(server.asked.length).toBe(whole.asked);
      }),
      { numRuns: 10, seed: 7 },
    );
  }, 60_000);

  it("ends the same directly, and only what was under way is asked again", async () => {
    const whole = await undisturbed(directly);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: whole.calls }), async (n) => {
        const { desk, server } = await stopped(directly, n);
        // An answer that was lost on its way may have been the one that could not be read.
        expect(await leftBy(desk, { tokens: false })).toEqual(whole.left);
        expect(server.asked.length).toBeLessThanOrEqual(whole.asked + 9);
      }),
      { numRuns: 10, seed: 7 },
    );
  }, 60_000);

  it("comes to an end where its time runs out again and again", async () => {
    const logs = Array.from({ length: 40 }, (_, n) => chatRow({ prompt: `Task ${n}.` }));
    const server = await modelServer(scores(0.5));
    const desk = await makeDesk(server, { logs });
    await desk.batch();
    let runs = 0;
    for (let open = 1; open > 0 && runs < 30; runs += 1) {
      const before = desk.told.length;
      const outOfTime = (): boolean => desk.told.length > before;
      open = (await desk.collect({ outOfTime })).open.length;
    }
    expect(runs).toBeGreaterThan(1);
    expect(await desk.judgements()).toHaveLength(40);
    expect(server.asked).toHaveLength(40);
    expect(desk.told).toHaveLength(40);
  });
});
