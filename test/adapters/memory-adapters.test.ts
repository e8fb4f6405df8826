import { describe, expect, it } from "vitest";
import { MemoryEvents } from "../factories/memory-events.ts";
import { MemoryJobs } from "../factories/memory-jobs.ts";
import { MemoryLedger } from "../factories/memory-place.ts";
import { MemoryQueue } from "../factories/memory-queue.ts";
import { eventsContract } from "../ports/events.contract.ts";
import { COMMANDS, jobsContract } from "../ports/jobs.contract.ts";
import { ledgerContract } from "../ports/ledger.contract.ts";
import { queueContract } from "../ports/queue.contract.ts";

queueContract("MemoryQueue", async () => {
  const queue = new MemoryQueue();
  return { queue, receive: async () => queue.take() };
});

ledgerContract("MemoryLedger", async () => new MemoryLedger());

eventsContract("MemoryEvents", async () => {
  const events = new MemoryEvents();
  return { events, receive: async () => events.published };
});

jobsContract("MemoryJobs", async () => {
  const released = Promise.withResolvers<number>();
  const jobs = new MemoryJobs(async ({ command: [command], environment }, index) => {
    switch (command) {
      case COMMANDS.succeed:
        return 0;
      case COMMANDS.needsGreeting:
        return environment?.["GREETING"] === "hello, \u{1F600}" ? 0 : 1;
      case COMMANDS.needsIndex:
        return index < 3 ? 0 : 1;
      case "held":
        return released.promise;
      default:
        return 3;
    }
  });
  return { jobs, held: () => ({ command: "held", release: () => released.resolve(0) }) };
});

describe("MemoryQueue", () => {
  it("delivers what was sent, and what the handler sends meanwhile", async () => {
    const queue = new MemoryQueue();
    const seen: string[] = [];
    await queue.send(['"a"', '"b"']);
    await queue.deliver(async (body) => {
      seen.push(body);
      if (body === '"a"') await queue.send(['"c"']);
    });
    expect(seen).toEqual(['"a"', '"b"', '"c"']);
    expect(queue.take()).toEqual([]);
  });

  it("brings a message back whose handler failed, until it was received often enough", async () => {
    const queue = new MemoryQueue();
    const seen: string[] = [];
    await queue.send(['"bad"', '"good"']);
    const delivery = queue.deliver(async (body) => {
      seen.push(body);
      if (body === '"bad"') throw new Error("broken");
    }, 2);
    await expect(delivery).rejects.toThrow("broken");
    expect(seen).toEqual(['"bad"', '"good"', '"bad"']);
  });
});
