import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BufferedQueue } from "../../../shared/adapters/aws/buffered-queue.ts";
import { type MessageQueue, QueueSendError } from "../../../shared/ports/queue.ts";
import { MemoryQueue } from "../../factories/memory-queue.ts";
import { queueContract } from "../../ports/queue.contract.ts";

queueContract("BufferedQueue", async () => {
  const memory = new MemoryQueue();
  return { queue: new BufferedQueue(memory), receive: async () => memory.take() };
});

/** Keeps the calls, and refuses the first so many copies of some bodies. */
class PickyQueue implements MessageQueue {
  readonly calls: (readonly string[])[] = [];
  readonly taken: string[] = [];
  readonly #refused: Map<string, number>;
  constructor(refused: ReadonlyMap<string, number>) {
    this.#refused = new Map(refused);
  }

  async send(bodies: readonly string[]): Promise<void> {
    this.calls.push(bodies);
    const unsent = bodies.filter((body) => {
      const left = this.#refused.get(body) ?? 0;
      this.#refused.set(body, left - 1);
      if (left <= 0) this.taken.push(body);
      return left > 0;
    });
    if (unsent.length > 0) throw new QueueSendError("picky", unsent);
  }
}

describe("BufferedQueue", () => {
  it("sends together what was sent in one turn, and later what comes later", async () => {
    const inner = new PickyQueue(new Map());
    const queue = new BufferedQueue(inner);
    await Promise.all(["1", "2", "3"].map((body) => queue.send([body])));
    await queue.send(["4", "5"]);
    expect(inner.calls).toEqual([
      ["1", "2", "3"],
      ["4", "5"],
    ]);
  });

  it("tells each caller of its own bodies only", async () => {
    const bodies = fc.array(fc.constantFrom("1", "2", "3"), { minLength: 1, maxLength: 4 });
    const refusals = fc.dictionary(fc.constantFrom("1", "2", "3"), fc.nat(4));
    await fc.assert(
      fc.asyncProperty(fc.array(bodies, { maxLength: 6 }), refusals, async (callers, refused) => {
        const inner = new PickyQueue(new Map(Object.entries(refused)));
        const queue = new BufferedQueue(inner);
        const outcomes = await Promise.allSettled(callers.map((own) => queue.send(own)));
        const believed = callers.flatMap((own: readonly string[], index) => {
          const outcome = outcomes[index];
          if (outcome?.status !== "rejected") return own;
          const error: unknown = outcome.reason;
          if (!(error instanceof QueueSendError)) throw error;
          const { unsent } = error;
          expect(unsent.length).toBeGreaterThan(0);
          const left: string[] = [...own];
          for (const body of unsent) left.splice(left.indexOf(body), 1);
          expect(left).toHaveLength(own.length - unsent.length);
          return left;
        });
        expect(believed.toSorted()).toEqual(inner.taken.toSorted());
      }),
    );
  });

  it("hands any other error to every caller", async () => {
    const broken: MessageQueue = { send: () => Promise.reject(new TypeError("no such queue")) };
    const queue = new BufferedQueue(broken);
    const outcomes = await Promise.allSettled([queue.send(["1"]), queue.send(["2"])]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });
});
