import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Slots } from "../../../shared/adapters/models/slots.ts";

describe("slots", () => {
  it("are given in the order in which they were asked for, and never more than there are", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 30 }),
        async (size, turns) => {
          const slots = new Slots(size);
          const began: number[] = [];
          let held = 0;
          let most = 0;
          await Promise.all(
            turns.map(async (ticks, index) => {
              const release = await slots.take();
              began.push(index);
              held += 1;
              most = Math.max(most, held);
              for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
              held -= 1;
              release();
            }),
          );
          expect(began).toEqual(turns.map((_, index) => index));
          expect(most).toBeLessThanOrEqual(size);
          expect(held).toBe(0);
        },
      ),
    );
  });

  it("pass over whoever went away while waiting", async () => {
    const slots = new Slots(1);
    const release = await slots.take();
    const stop = new AbortController();
    const gone = slots.take(stop.signal);
    const next = slots.take();
    stop.abort(new Error("gone"));
    await expect(gone).rejects.toThrow("gone");
    release();
    (await next)();
    (await slots.take())();
  });
});
