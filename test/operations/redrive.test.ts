import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RedriveError, redrive } from "../../shared/operations/redrive.ts";
import { MemoryDeadLetters, MemoryQueue } from "../factories/memory-queue.ts";

const order = (key: string, force = true): string =>
  JSON.stringify({ schema: "gymline.ingest.v1", key, force });
const keys = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `team/${index}`);
const dead = (count: number): MemoryDeadLetters =>
  new MemoryDeadLetters(keys(count).map((key) => order(key, false)));

describe("redriving", () => {
  it("moves all dead letters and says which", async () => {
    const letters = dead(23);
    const queue = new MemoryQueue();
    const report = await redrive({ stage: "ingest", dryRun: false }, { letters, queue });
    expect(letters.all).toEqual([]);
    expect(queue.bodies).toEqual(keys(23).map((key) => order(key)));
    expect(report.moved.flatMap(({ subjects }) => subjects)).toEqual(keys(23));
    expect(report).toMatchObject({ found: 23, sent: 23, twice: [] });
  });

  it("moves at most as many as it was told to", async () => {
    const letters = dead(23);
    const queue = new MemoryQueue();
    const report = await redrive({ stage: "ingest", limit: 12, dryRun: false }, { letters, queue });
    expect([report.moved.length, queue.bodies.length, letters.visible.length]).toEqual([12, 12, 11]);
  });

  it("ends although everything that it moves comes back at once", async () => {
    const letters = dead(15);
    const queue = new MemoryQueue({ onSend: () => letters.add(order("back")) });
    const report = await redrive({ stage: "ingest", dryRun: false }, { letters, queue });
    expect([report.found, report.moved.length]).toEqual([15, 15]);
  });

  it("moves nothing in a dry run, and lets others see the letters again", async () => {
    const letters = dead(15);
    const queue = new MemoryQueue();
    const report = await redrive({ stage: "ingest", dryRun: true }, { letters, queue });
    expect(report.moved.flatMap(({ subjects }) => subjects)).toEqual(keys(15));
    expect([queue.bodies, letters.visible.length]).toEqual([[], 15]);
  });

  it("says which letters could not be removed and come twice", async () => {
    const letters = dead(3);
    letters.stuck.add("m2");
    const report = await redrive({ stage: "ingest", dryRun: false }, { letters, queue: new MemoryQueue() });
    expect([report.moved.length, report.twice]).toEqual([3, ["m2"]]);
  });

  it("loses no letter, whichever messages the queue refuses", async () => {
    const bodies = fc.array(fc.nat({ max: 30 }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(bodies, fc.nat({ max: 30 }), async (numbers, refused) => {
        const letters = new MemoryDeadLetters(numbers.map((number) => order(`k${number}`)));
        const queue = new MemoryQueue({ accepts: (body) => body !== order(`k${refused}`) });
        const run = redrive({ stage: "ingest", dryRun: false }, { letters, queue });
        if (numbers.includes(refused)) await expect(run).rejects.toBeInstanceOf(RedriveError);
        else await run;
        // Each is in one place or the other, and what was refused can be seen again at once.
        expect([...queue.bodies, ...letters.all].toSorted()).toEqual(
          numbers.map((number) => order(`k${number}`)).toSorted(),
        );
        expect(letters.visible).toEqual(letters.all);
      }),
    );
  });
});
