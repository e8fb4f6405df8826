import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rewardBound, rewardOrder } from "../../../shared/adapters/aws/reward-order.ts";

const reward = fc.option(
  fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.constantFrom(0, -0, 1, 0.5, Number.MIN_VALUE, Number.EPSILON, 1 - Number.EPSILON / 2),
  ),
);
const id = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 });

function sign(difference: number): number {
  return difference === 0 ? 0 : Math.sign(difference);
}

function compareTexts(first: string, second: string): number {
  return Buffer.compare(Buffer.from(first), Buffer.from(second));
}

describe("the order of rewards", () => {
  it("has the higher reward first, those without one last, and equal ones by id", () => {
    fc.assert(
      fc.property(reward, id, reward, id, (firstReward, firstId, secondReward, secondId) => {
        const rank = (value: number | null) => (value === null ? -1 : value);
        const expected = sign(rank(secondReward) - rank(firstReward)) || compareTexts(firstId, secondId);
        const order = compareTexts(rewardOrder(firstReward, firstId), rewardOrder(secondReward, secondId));
        expect(order).toBe(expected);
      }),
      { numRuns: 5000 },
    );
  });

  it("tells apart doubles that are as close as doubles can be", () => {
    fc.assert(
      fc.property(fc.double({ min: Number.MIN_VALUE, max: 1, noNaN: true }), (high) => {
        const view = new DataView(new ArrayBuffer(8));
        view.setFloat64(0, high);
        view.setBigUint64(0, view.getBigUint64(0) - 1n);
        expect(compareTexts(rewardOrder(high, "f"), rewardOrder(view.getFloat64(0), "0"))).toBe(-1);
      }),
      { numRuns: 2000 },
    );
  });

  it("has a bound between what reaches a least reward and what does not", () => {
    fc.assert(
      fc.property(reward, id, fc.double({ min: -2, max: 2, noNaN: true }), (value, name, least) => {
        const reaches = value !== null && value >= least;
        expect(compareTexts(rewardOrder(value, name), rewardBound(least)) < 0).toBe(reaches);
      }),
      { numRuns: 5000 },
    );
  });
});
