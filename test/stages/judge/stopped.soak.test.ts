import { describe, expect, it } from "vitest";
import { byBatches, directly, leftBy, stopped, undisturbed } from "./stopping.ts";

describe("the judge, stopped at every call of every port and started again", () => {
  it("ends the same by batches, and the provider is asked nothing twice", async () => {
    const whole = await undisturbed(byBatches);
    for (let n = 1; n <= whole.calls; n += 1) {
      const { desk, server } = await stopped(byBatches, n);
      expect({ n, left: await leftBy(desk, { tokens: true }) }).toEqual({ n, left: whole.left });
      expect({ n, asked: server.asked.length }).toEqual({ n, asked: whole.asked });
    }
  });

  it("ends the same directly", async () => {
    const whole = await undisturbed(directly);
    for (let n = 1; n <= whole.calls; n += 1) {
      const { desk } = await stopped(directly, n);
      expect({ n, left: await leftBy(desk, { tokens: false }) }).toEqual({ n, left: whole.left });
    }
  });
});
