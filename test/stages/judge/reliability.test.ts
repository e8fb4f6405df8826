import { describe, expect, it } from "vitest";
import { swapConsistency } from "../../../shared/judge/reliability.ts";
import { judgePairs, type PairVerdictRow, swappedVerdicts } from "../../../shared/stages/judge/pairs.ts";
import { judgeRepeats } from "../../../shared/stages/judge/repeat.ts";
import { chatRow } from "../../factories/logs.ts";
import type { Asked } from "../../factories/model-server/asked.ts";
import { modelServer } from "../../factories/model-server/model-server.ts";
import { answer, status } from "../../factories/model-server/replies.ts";
import { judged, makeDesk, scores } from "./judge-desk.ts";

const logs = Array.from({ length: 4 }, (_, n) =>
  chatRow({ task: "same", prompt: "Read a.txt.", answer: `Attempt number ${n}.` }),
);

/** Which attempt stands first in a question about a pair. */
function firstOf({ text }: Asked): number {
  return Number(/Attempt number (\d)\./.exec(text)?.[1]);
}

const verdict = (better: "left" | "right" | "tie") =>
  answer({ rationale: "So it is.", better, confidence: 0.8, manipulation: false });

describe("a judge that judges the same again", () => {
  it("is asked past the cache, and agrees with itself as far as its scores do", async () => {
    const server = await modelServer((asked) => answer(judged(asked, asked.repeats === 1 ? 1 : 0.25)));
    const desk = await makeDesk(server, { logs });
    await desk.direct();
    const report = await judgeRepeats({ ids: desk.ids, times: 2, sample: 3, seed: 1 }, desk.ports());
    expect(report).toMatchObject({ trajectories: 3, times: 2, calls: 6 });
    expect(report.rubrics.map(({ close }) => [close.n, close.value])).toEqual([
      [9, 0],
      [9, 0],
      [9, 0],
    ]);
    server.use(scores(0.5));
    const steady = await judgeRepeats({ ids: desk.ids, times: 3, sample: 2, seed: 1 }, desk.ports());
    expect(steady.rubrics[0]).toMatchObject({ meanDifference: { value: 0 }, close: { value: 1, n: 6 } });
    expect(await desk.station.keys("judge-cache/")).toHaveLength(4);
  });

  it("stops at the limit on money", async () => {
    const server = await modelServer(scores(0.5));
    const desk = await makeDesk(server, { logs, config: { budgets: { usdPerRun: 0.000001 } } });
    const report = await judgeRepeats({ ids: desk.ids, times: 2, sample: 4, seed: 1 }, desk.ports());
    expect(report).toMatchObject({ trajectories: 0, left: 4, stoppedBy: "budget", calls: 0 });
  });
});

describe("a judge that is asked the same several times", () => {
  it("counts by its mean, and its spread is reported", async () => {
    const server = await modelServer((asked) => answer(judged(asked, asked.repeats === 0 ? 0.2 : 0.8)));
    const desk = await makeDesk(server, { logs: logs.slice(0, 1), config: { samples: 2 } });
    const report = await desk.direct();
    expect(report).toMatchObject({ judged: 1, calls: 2 });
    expect(report.disagreement[0]).toMatchObject({
      rubric: "goal_progress",
      meanDeviation: { value: expect.closeTo(0.3, 9), n: 3 },
      wide: { value: 1 },
    });
    const [made] = await desk.judgements();
    expect(made?.steps[0]?.scores["tool_choice"]).toBeCloseTo(0.5, 9);
    expect((await desk.score(desk.ids[0] ?? "")).judge).toMatchObject({ samples: 2 });
  });
});

describe("a judge that compares pairs", () => {
  async function compare(script: Parameters<typeof modelServer>[0]) {
    const server = await modelServer(script);
    const desk = await makeDesk(server, { logs });
    const [a = "", b = "", c = ""] = desk.ids;
    const rows: PairVerdictRow[] = [];
    const pairs = [
      { task_id: "same", left_id: a, right_id: b },
      { task_id: "same", left_id: b, right_id: c, pair_id: "p" },
    ];
    const report = await judgePairs(pairs, desk.ports(), async (row) => void rows.push(row));
    return { server, rows, report, pairs };
  }

  it("is asked both ways round, and prefers what wins both times", async () => {
    const { server, rows, pairs } = await compare((asked) => {
      const [, second] = [...asked.text.matchAll(/Attempt number (\d)\./g)].map(([, n]) => Number(n));
      return verdict(firstOf(asked) > (second ?? 0) ? "left" : "right");
    });
    expect(server.asked).toHaveLength(4);
    for (const [n, row] of rows.entries()) {
      expect([row.left_id, row.right_id]).toContain(row.chosen_id);
      expect(row).toMatchObject({ ...pairs[n], confidence: 0.8, reason: null });
      expect(row.chosen_id).toBe(row.verdict === "left" ? row.left_id : row.right_id);
    }
    expect(swapConsistency(swappedVerdicts(rows))).toMatchObject({ n: 2, consistent: { value: 1 } });
  });

  it("prefers nothing where the place decides", async () => {
    const { rows } = await compare(() => verdict("left"));
    expect(rows.map(({ verdict: said, chosen_id }) => [said, chosen_id])).toEqual([
      ["inconsistent", null],
      ["inconsistent", null],
    ]);
    expect(swapConsistency(swappedVerdicts(rows))).toMatchObject({ inconsistent: { value: 1 } });
  });

  it("makes no verdict of an answer that is none, and says why", async () => {
    const { rows, report } = await compare((asked) =>
      asked.nth % 2 === 0 ? answer("Both are nice.") : verdict("tie"),
    );
    expect(rows.map(({ verdict: said, reason }) => [said, reason])).toEqual([
      ["failed", "unreadable"],
      ["failed", "unreadable"],
    ]);
    expect(report.failures).toEqual({ unreadable: 2 });
    const broken = await compare(() => status(500));
    expect(broken.rows.map(({ verdict: said }) => said)).toEqual(["failed", "failed"]);
  });
});
