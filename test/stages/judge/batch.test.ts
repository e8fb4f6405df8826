import { describe, expect, it } from "vitest";
import { parseJudgeConfig } from "../../../shared/judge/config.ts";
import { forget } from "../../../shared/stages/forget.ts";
import { abandonBatch } from "../../../shared/stages/judge/abandon.ts";
import { chatRow } from "../../factories/logs.ts";
import { type ModelServer, modelServer } from "../../factories/model-server/model-server.ts";
import { answer, fault, refusal, status, unfinished } from "../../factories/model-server/replies.ts";
import { makePlan } from "../../factories/plan.ts";
import { type Desk, judged, judgeModel, makeDesk, scores } from "./judge-desk.ts";

const MINUTE = 60_000;
const names = ["one", "two", "three", "four", "five"];
const logs = names.map((task) => chatRow({ task, prompt: `Read a.txt for ${task}.` }));

/** Questions that the provider answered, which are what it charges for. */
function charged(server: ModelServer): number {
  return server.asked.length;
}

async function batchesLeft({ station }: Desk): Promise<readonly string[]> {
  const left: string[] = [];
  for await (const { key } of station.local.ledger.list("judge/batch/")) left.push(key);
  return [...left, ...(await station.keys("judge-batches/"))];
}

async function reserved({ station }: Desk): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  for await (const { value } of station.local.ledger.list("judge/spend/")) {
    all.push(...Object.keys(JSON.parse(value).reserved));
  }
  return all;
}

describe("judging by batches", () => {
  it("hands everything over at once, and takes the answers in once they are there, in any order", async () => {
    const server = await modelServer(scores(0.25), { batchPolls: 2 });
    const desk = await makeDesk(server, { logs });
    const sent = await desk.batch();
    expect(sent).toMatchObject({ judged: 0, calls: 0, batches: [{ requests: 5, trajectories: 5 }] });
    expect(await desk.batch()).toMatchObject({ waiting: 5, batches: [] });
    expect(await desk.collect()).toMatchObject({
      judged: 0,
      collected: 0,
      waiting: 5,
      open: [{ requests: 5 }],
    });
    const collected = await desk.collect();
    expect(collected).toMatchObject({ judged: 5, collected: 1, calls: 5, open: [] });
    for (const made of await desk.judgements()) {
      expect(made).toMatchObject({ batch: true, cached: 0, requests: 1, failures: [] });
      expect(made.steps.map(({ index }) => index)).toEqual([0, 1, 2]);
    }
    for (const id of desk.ids) expect((await desk.score(id)).steps[0]?.layers.model).toBeCloseTo(0.25);
    expect(await batchesLeft(desk)).toEqual([]);
    expect(await reserved(desk)).toEqual([]);
    expect(await desk.batch()).toMatchObject({ leftOut: { judged: 5 }, batches: [] });
    expect(charged(server)).toBe(5);
  });

  it("tries again what expired, was cancelled or went wrong, and asks once more for what cannot be read", async () => {
    const server = await modelServer((asked) => {
      if (asked.repeats > 0) return answer(judged(asked, 0.5));
      if (asked.text.includes("one.")) return unfinished("expired");
      if (asked.text.includes("two.")) return unfinished("canceled");
      if (asked.text.includes("three.")) return status(500);
      if (asked.text.includes("four.")) return answer("Fine work.");
      return refusal();
    });
    const desk = await makeDesk(server, { logs });
    await desk.batch();
    const first = await desk.collect();
    expect(first).toMatchObject({ judged: 1, collected: 1, batches: [{ requests: 4, trajectories: 4 }] });
    expect(first.failures).toEqual({ refused: 1 });
    expect(await desk.collect()).toMatchObject({ judged: 4, collected: 1, open: [], failures: {} });
    expect(await desk.judgements()).toHaveLength(5);
    expect(await batchesLeft(desk)).toEqual([]);
  });

  it("gives up on a window after some tries, says so in the judgement, and keeps the others", async () => {
    const server = await modelServer((asked) =>
      asked.text.includes("Score step 2.") ? status(500) : answer(judged(asked, 0.5)),
    );
    const desk = await makeDesk(server, { config: { mode: "steps" } });
    await desk.batch();
    for (let time = 0; time < 3; time += 1) {
      expect(await desk.collect()).toMatchObject({ judged: 0, batches: [{ requests: 1 }] });
    }
    expect(await desk.collect()).toMatchObject({ judged: 1, open: [], batches: [] });
    const [made] = await desk.judgements();
    expect(made?.failures).toEqual([{ window: 2, reason: "the batch gave no answer" }]);
    expect(made?.steps.map(({ index }) => index)).toEqual([0, 1]);
    server.use(scores(0.5));
    expect(await desk.batch()).toMatchObject({ leftOut: { judged: 1 } });
    expect(await desk.batch({ retry: true })).toMatchObject({ batches: [{ requests: 1 }] });
    expect(await desk.collect()).toMatchObject({ judged: 1, failures: {} });
  });

  it("keeps no judgement where the provider refuses every question, and no score is made up", async () => {
    const server = await modelServer(() => status(400));
    const desk = await makeDesk(server);
    await desk.batch();
    const report = await desk.collect();
    expect(report).toMatchObject({
      judged: 0,
      unanswered: 1,
      failures: { "the provider refused the request": 1 },
    });
    expect(await desk.judgements()).toEqual([]);
    expect(await batchesLeft(desk)).toEqual([]);
  });

  it("finds a batch again whose making was never confirmed, and pays for nothing twice", async () => {
    const server = await modelServer(scores(0.5), { batchPolls: 2 });
    const desk = await makeDesk(server, { logs });
    // The batch is made, but the connection breaks before its id comes back.
    server.failNext("batch-create", fault("cut"));
    const sent = await desk.batch();
    expect(sent).toMatchObject({ stoppedBy: "fault", batches: [] });
    expect(await desk.batch()).toMatchObject({ waiting: 5, batches: [] });
    // It may be ours, so it is waited for.
    desk.now += 40 * MINUTE;
    expect(await desk.collect()).toMatchObject({ collected: 0, open: [{ phase: "intended" }] });
    await server.endBatches();
    expect(await desk.collect()).toMatchObject({ judged: 5, collected: 1, open: [] });
    expect(charged(server)).toBe(5);
    expect(
      server.calls.filter(({ method, path }) => method === "POST" && path.endsWith("/batches")),
    ).toHaveLength(1);
  });

  it("sends a batch again that the provider never got, but only after a while", async () => {
    const server = await modelServer(scores(0.5));
    const desk = await makeDesk(server, { logs });
    server.failNext("batch-create", ...Array.from({ length: 6 }, () => status(529)));
    expect(await desk.batch()).toMatchObject({ stoppedBy: "fault", batches: [] });
    expect(await desk.collect()).toMatchObject({ collected: 0, batches: [], open: [{ phase: "intended" }] });
    desk.now += 31 * MINUTE;
    expect(await desk.collect()).toMatchObject({ batches: [{ requests: 5 }] });
    expect(await desk.collect()).toMatchObject({ judged: 5, open: [] });
    expect(charged(server)).toBe(5);
  });

  it("takes nothing of a stranger's batch for its own", async () => {
    const server = await modelServer(scores(0.5));
    const other = await makeDesk(server, { logs: logs.slice(0, 1) });
    await other.batch({}, { newId: () => "stranger0001" });
    const desk = await makeDesk(server, { logs: logs.slice(1, 2) });
    server.failNext("batch-create", ...Array.from({ length: 6 }, () => status(529)));
    await desk.batch({}, { newId: () => "ourown000001" });
    await server.endBatches();
    desk.now += 31 * MINUTE;
    expect(await desk.collect()).toMatchObject({ collected: 0, batches: [{ requests: 1 }] });
    expect(await desk.collect()).toMatchObject({ collected: 1, open: [] });
    expect(await desk.judgements()).toHaveLength(1);
    expect(await other.collect()).toMatchObject({ judged: 1 });
  });

  it("drops answers to what was forgotten or changed meanwhile, with what the cache holds of them", async () => {
    const server = await modelServer(scores(0.5));
    const desk = await makeDesk(server, { logs });
    await desk.batch();
    const [gone = "", changed = ""] = desk.ids;
    await forget(gone, desk.station.local);
    const redaction = { ...makePlan().redaction, allowEmailDomains: ["a.example"] };
    await desk.station.run({ redaction }, { force: true });
    const revisions = new Map((await desk.station.select()).map((entry) => [entry.id, entry.revision]));
    expect(revisions.size).toBe(4);
    const report = await desk.collect();
    expect(report).toMatchObject({ judged: 0, dropped: 5, calls: 5, open: [] });
    expect(await desk.station.keys("judge-cache/")).toEqual([]);
    expect((await desk.station.keys("judgements/")).filter((key) => key.includes(gone))).toEqual([]);
    expect(await desk.batch()).toMatchObject({ batches: [{ requests: 4 }] });
    expect(await desk.collect()).toMatchObject({ judged: 4 });
    expect((await desk.judgements()).map(({ trajectory_id }) => trajectory_id)).toContain(changed);
  });

  it("are not asked about directly while they are in a batch", async () => {
    const server = await modelServer(scores(0.5), { batchPolls: null });
    const desk = await makeDesk(server, { logs });
    await desk.batch({ limit: 2 });
    expect(await desk.direct()).toMatchObject({ waiting: 2, judged: 3, calls: 3 });
    await server.endBatches();
    expect(await desk.collect()).toMatchObject({ judged: 2 });
    expect(charged(server)).toBe(5);
  });

  it("are taken in though another model judges by now, and priced as the one that was asked", async () => {
    const server = await modelServer((asked) =>
      asked.text.includes("one.") ? status(500) : answer(judged(asked, 0.5)),
    );
    const desk = await makeDesk(server, { logs });
    await desk.batch();
    const model = await judgeModel(server, { model: "claude-opus-5-5" });
    const settings = { config: parseJudgeConfig({ model: "claude-opus-5-5" }) };
    const report = await desk.collect({ model, settings });
    // What failed is not asked again: whoever judges next asks in its own way.
    expect(report).toMatchObject({ judged: 4, unanswered: 1, batches: [], open: [] });
    expect(await reserved(desk)).toEqual([]);
    const [made] = await desk.judgements();
    expect(made?.model).toBe("claude-haiku-5-5");
    const usd = (await desk.judgements()).reduce((sum, each) => sum + (each.usd ?? 0), 0);
    expect(report.usd).toBeCloseTo(usd, 12);
  });

  it("do not hold each other up where the provider has lost one, which can be given up", async () => {
    const server = await modelServer(scores(0.5));
    const elsewhere = await modelServer(scores(0.5));
    const desk = await makeDesk(server, { logs });
    const lost = await judgeModel(elsewhere);
    await desk.batch({ limit: 1 }, { model: lost, newId: () => "lostbatch001" });
    await desk.batch({ limit: 1 }, { model: lost, newId: () => "lostbatch002" });
    await desk.batch({}, { newId: () => "keptbatch001" });
    // One id leads to somebody else's batch, the other nowhere.
    const report = await desk.collect();
    expect(report).toMatchObject({ judged: 3, collected: 1, stoppedBy: "fault", batches: [] });
    expect(report.open.map(({ submission }) => submission).sort()).toEqual(["lostbatch001", "lostbatch002"]);
    expect(report.fault).toMatch(/gymline judge --abandon lostbatch00\d/);
    for (const submission of ["lostbatch001", "lostbatch002"]) {
      expect(await abandonBatch(submission, desk.station.local)).toMatchObject({ trajectories: 1 });
      expect(await abandonBatch(submission, desk.station.local)).toBeUndefined();
    }
    // What they may have cost counts.
    expect(new Set(await reserved(desk))).toEqual(new Set(["lostbatch001", "lostbatch002"]));
    expect(await desk.batch()).toMatchObject({ batches: [{ trajectories: 2 }] });
    expect(await desk.collect()).toMatchObject({ collected: 1, fault: null, open: [] });
    expect(await desk.judgements()).toHaveLength(5);
  });

  it("leaves no answer behind when a judged or half-judged trajectory is forgotten", async () => {
    const server = await modelServer((asked) =>
      asked.text.includes("Score step 2.") ? status(500) : answer(judged(asked, 1)),
    );
    const desk = await makeDesk(server, { logs: logs.slice(0, 2), config: { mode: "steps" } });
    expect(await desk.direct()).toMatchObject({ unanswered: 2, calls: 4 });
    expect(await desk.station.keys("judge-cache/")).toHaveLength(4);
    const [first = "", second = ""] = desk.ids;
    await desk.station.forget(first);
    expect(await desk.station.keys("judge-cache/")).toHaveLength(2);
    server.use(scores(1));
    await desk.direct();
    await desk.station.forget(second);
    expect(await desk.station.keys("judge")).toEqual([]);
  });
});
