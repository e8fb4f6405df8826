import { describe, expect, it } from "vitest";
import { chatRow } from "../../factories/logs.ts";
import { modelServer } from "../../factories/model-server/model-server.ts";
import { answer, refusal, status } from "../../factories/model-server/replies.ts";
import { judged, makeDesk, scores } from "./judge-desk.ts";

const logs = ["one", "two", "three"].map((task) => chatRow({ task, prompt: `Read a.txt for ${task}.` }));

describe("judging one call at a time", () => {
  it("scores every step by every rubric, and the trajectory is scored anew", async () => {
    const server = await modelServer(scores(0.25));
    const desk = await makeDesk(server, { logs });
    const report = await desk.direct();
    expect(report).toMatchObject({ judged: 3, calls: 3, requests: 3, cached: 0, left: 0, stoppedBy: null });
    expect(report.usd).toBeGreaterThan(0);
    expect(await desk.judgements()).toHaveLength(3);
    for (const id of desk.ids) {
      const document = await desk.score(id);
      expect(document.judge).toMatchObject({ model: "claude-haiku-5-5", scored: 3 });
      expect(document.steps[0]?.layers.model).toBeCloseTo(0.25);
    }
  });

  it("asks nothing twice: neither what stands, nor what is in the cache", async () => {
    const server = await modelServer(scores(0.25));
    const desk = await makeDesk(server, { logs });
    await desk.direct();
    expect(await desk.direct()).toMatchObject({ judged: 0, calls: 0, leftOut: { judged: 3 } });
    const again = await desk.direct({ always: true });
    expect(again).toMatchObject({ judged: 3, calls: 0, usd: 0 });
    expect(server.asked).toHaveLength(3);
  });

  it("asks once more where an answer cannot be read, and never makes a score of one", async () => {
    const server = await modelServer((asked) =>
      asked.repeats === 0 ? answer("I like it.") : answer(judged(asked, 1)),
    );
    const desk = await makeDesk(server);
    const report = await desk.direct();
    expect(report).toMatchObject({ judged: 1, calls: 2 });
    const [made] = await desk.judgements();
    expect(made?.steps).toHaveLength(3);
    // Both tries were paid for.
    expect(made?.usd).toBeCloseTo(report.usd ?? -1, 12);
    server.use(() => answer("No."));
    const other = await makeDesk(server);
    expect(await other.direct()).toMatchObject({ judged: 1, calls: 2, steps: { scored: 0 } });
    const [bad] = await other.judgements();
    expect(bad?.failures).toEqual([{ window: 0, reason: expect.stringContaining("unreadable") }]);
    expect((await other.score(other.ids[0] ?? "")).judge).toBeUndefined();
  });

  it("takes a refusal for what it is", async () => {
    const server = await modelServer(() => refusal());
    const desk = await makeDesk(server);
    expect(await desk.direct()).toMatchObject({ judged: 1, calls: 1, failures: { refused: 1 } });
    expect(await desk.direct()).toMatchObject({ calls: 0, leftOut: { judged: 1 } });
  });

  it("goes on after a provider in trouble, and asks again next time where it stays in trouble", async () => {
    const server = await modelServer((asked) =>
      asked.repeats < 2 ? status(529, { retryAfterMs: 5 }) : answer(judged(asked, 0.5)),
    );
    const desk = await makeDesk(server);
    expect(await desk.direct()).toMatchObject({ judged: 1, unanswered: 0 });
    server.use(() => status(500));
    const other = await makeDesk(server);
    const failed = await other.direct();
    expect(failed).toMatchObject({ judged: 0, unanswered: 1, failures: { "the provider answered 500": 1 } });
    expect(await other.judgements()).toEqual([]);
    server.use(scores(0.5));
    expect(await other.direct()).toMatchObject({ judged: 1 });
  });

  it("stops at once where every call would fail, and says what to do", async () => {
    const server = await modelServer(() => status(401));
    const desk = await makeDesk(server, { logs });
    const report = await desk.direct();
    expect(report).toMatchObject({
      judged: 0,
      stoppedBy: "fault",
      fault: expect.stringContaining("API key"),
    });
  });
});
