import { describe, expect, it } from "vitest";
import { judgeMessageSchema } from "../../shared/contracts/messages.ts";
import { QueueSendError } from "../../shared/ports/queue.ts";
import { addToBacklog, JUDGE_BACKLOG } from "../../shared/stages/judge-backlog.ts";
import { handleJudgeQueue, type JudgeQueuePorts } from "../../shared/stages/judge-queue.ts";
import { chatRow } from "../factories/logs.ts";
import { MemoryQueue } from "../factories/memory-queue.ts";
import { modelServer } from "../factories/model-server/model-server.ts";
import { status } from "../factories/model-server/replies.ts";
import { type Desk, makeDesk, scores } from "./judge/judge-desk.ts";

const logs = ["one", "two", "three"].map((task) => chatRow({ task, prompt: `Read a.txt for ${task}.` }));
const submit = (id: string): string => JSON.stringify({ schema: "gymline.judge.v1", kind: "submit", id });
const COLLECT = JSON.stringify({ schema: "gymline.judge.v1", kind: "collect" });
const DAY_MS = 24 * 60 * 60_000;

function queuesOf(desk: Desk) {
  const [queue, later] = [new MemoryQueue(), new MemoryQueue()];
  const handle = (bodies: readonly string[], more: Partial<JudgeQueuePorts> = {}) =>
    handleJudgeQueue(bodies, { ...desk.ports(), holder: "test", queue, later, ...more });
  return { queue, later, handle };
}

async function backlogOf(desk: Desk): Promise<readonly string[]> {
  const ids: string[] = [];
  const { ledger } = desk.station.local;
  for await (const { key } of ledger.list(JUDGE_BACKLOG)) ids.push(key.slice(JUDGE_BACKLOG.length));
  return ids;
}

describe("the judge's queue", () => {
  it("is done with what makes a batch, and gives back what is no message", async () => {
    const desk = await makeDesk(await modelServer(scores(0.5)), { logs });
    const { handle } = queuesOf(desk);
    const { errors, submitted } = await handle([...desk.ids.map(submit), "{"]);
    expect(errors.map((error) => error?.name)).toEqual([
      undefined,
      undefined,
      undefined,
      "JudgeMessageError",
    ]);
    expect(submitted?.batches).toHaveLength(1);
  });

  it("sends anew what another process or the time keeps from being done, and counts that as no failure", async () => {
    const desk = await makeDesk(await modelServer(scores(0.5)), { logs });
    const { handle, later } = queuesOf(desk);
    const bodies = desk.ids.map(submit);
    const [one, two] = await Promise.all([handle(bodies), handle(bodies)]);
    expect([one.again, two.again].sort()).toEqual([0, 3]);
    expect(later.take()).toEqual(bodies);
    const late = await handle([COLLECT], { outOfTime: () => true });
    expect([late.again, late.errors]).toEqual([1, [undefined]]);
    expect(later.take()).toEqual([COLLECT]);
  });

  it("gives back what the queue does not take again", async () => {
    const desk = await makeDesk(await modelServer(scores(0.5)), { logs });
    const [first = "", ...rest] = desk.ids.map(submit);
    const send = async (): Promise<void> => {
      throw new QueueSendError("later", [first]);
    };
    const { errors } = await queuesOf(desk).handle([first, ...rest], {
      outOfTime: () => true,
      later: { send },
    });
    expect(errors.map((error) => error?.name)).toEqual(["QueueSendError", undefined, undefined]);
  });

  it("fails what needs somebody's help, and says what the provider said", async () => {
    const server = await modelServer(scores(0.5), { apiKey: "another" });
    const desk = await makeDesk(server, { logs });
    const { errors } = await queuesOf(desk).handle(desk.ids.map(submit));
    for (const error of errors) expect(error?.message).toContain("API key");
  });

  it("never fails a look at batches, since the next one comes anyway, and says what is amiss", async () => {
    const server = await modelServer(scores(0.5), { batchPolls: null });
    const desk = await makeDesk(server, { logs });
    const { handle } = queuesOf(desk);
    await handle(desk.ids.map(submit));
    server.failNext("batch-state", status(401));
    const { errors, collected, abandoned } = await handle([COLLECT]);
    expect([errors, collected?.stoppedBy, abandoned]).toEqual([[undefined], "fault", []]);
  });

  it("gives a batch up once no provider keeps its answers any more", async () => {
    const server = await modelServer(scores(0.5), { batchPolls: null });
    const desk = await makeDesk(server, { logs });
    const { handle } = queuesOf(desk);
    await handle(desk.ids.map(submit));
    server.failNext("batch-state", status(404));
    expect((await handle([COLLECT])).abandoned).toEqual([]);
    desk.now += 30 * DAY_MS;
    server.failNext("batch-state", status(404));
    const { abandoned } = await handle([COLLECT]);
    expect(abandoned).toHaveLength(1);
    expect([...(await backlogOf(desk))].sort()).toEqual([...desk.ids].sort());
    expect((await handle(desk.ids.map(submit))).submitted?.batches).toHaveLength(1);
  });

  it("keeps what the day's money does not reach for the next day", async () => {
    const server = await modelServer(scores(0.5));
    const desk = await makeDesk(server, { logs, config: { budgets: { usdPerDay: 0.0000001 } } });
    const { handle, queue } = queuesOf(desk);
    const { errors, postponed } = await handle([...desk.ids, ...desk.ids].map(submit));
    expect([errors.every((error) => error === undefined), postponed]).toEqual([true, 3]);
    expect([...(await backlogOf(desk))].sort()).toEqual([...desk.ids].sort());
    const { released } = await handle([COLLECT]);
    expect(released).toBe(3);
    const again = queue.take();
    expect(again.map((body) => judgeMessageSchema.parse(JSON.parse(body)).kind)).toEqual([
      ...["submit", "submit", "submit"],
    ]);
    expect(await backlogOf(desk)).toEqual([]);
  });

  it("leaves them waiting while there is no money, and goes on when a batch has set some free", async () => {
    const server = await modelServer(scores(0.5), { batchPolls: 2 });
    const desk = await makeDesk(server, { logs });
    const { handle, queue } = queuesOf(desk);
    const [first = "", ...others] = desk.ids;
    await handle([submit(first)]);
    const ports = desk.ports();
    const { ledger } = ports;
    const day = new Date(desk.now).toISOString().slice(0, 10);
    const spend = `judge/spend/day/${day}`;
    const { reserved } = JSON.parse((await ledger.get(spend))?.value ?? "{}");
    const most = Object.values<number>(reserved).reduce((sum, usd) => sum + usd, 0);
    expect(most).toBeGreaterThan(0);
    const config = {
      ...ports.settings.config,
      budgets: { ...ports.settings.config.budgets, usdPerDay: most * 1.05 },
    };
    await addToBacklog(others, ledger);
    expect((await handle([COLLECT], { settings: { config } })).released).toBe(0);
    const ended = await handle([COLLECT], { settings: { config } });
    expect([ended.collected?.judged, ended.released]).toEqual([1, 2]);
    expect(queue.take()).toHaveLength(2);
  });

  it("has money again on a new day", async () => {
    const server = await modelServer(scores(0.5), { batchPolls: null });
    const desk = await makeDesk(server, { logs });
    const { handle } = queuesOf(desk);
    await handle([submit(desk.ids[0] ?? "")]);
    const ports = desk.ports();
    const budgets = { usdPerRun: null, usdPerDay: 0.000001 };
    const settings = { config: { ...ports.settings.config, budgets } };
    await addToBacklog(desk.ids.slice(1), ports.ledger);
    expect((await handle([COLLECT], { settings })).released).toBe(0);
    desk.now += DAY_MS;
    expect((await handle([COLLECT], { settings })).released).toBe(2);
  });
});
