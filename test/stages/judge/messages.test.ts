import { describe, expect, it } from "vitest";
import { handleJudgeMessages } from "../../../shared/stages/judge/messages.ts";
import { chatRow } from "../../factories/logs.ts";
import { modelServer } from "../../factories/model-server/model-server.ts";
import { makeDesk, scores } from "./judge-desk.ts";

const logs = ["one", "two", "three"].map((task) => chatRow({ task, prompt: `Read a.txt for ${task}.` }));
const submit = (id: string): string => JSON.stringify({ schema: "gymline.judge.v1", kind: "submit", id });
const COLLECT = JSON.stringify({ schema: "gymline.judge.v1", kind: "collect" });

describe("messages of the judge's queue", () => {
  it("make one batch together, and a look at it takes it in", async () => {
    const server = await modelServer(scores(0.5));
    const desk = await makeDesk(server, { logs });
    const ports = () => ({ ...desk.ports(), holder: "test" });
    const bodies = [...desk.ids.map(submit), submit(desk.ids[0] ?? ""), submit("0".repeat(64)), "{", COLLECT];
    const first = await handleJudgeMessages(bodies, ports());
    expect(first.outcomes.map(({ kind }) => kind)).toEqual([
      ...["done", "done", "done", "done", "done"],
      ...["invalid", "done"],
    ]);
    expect(first.submitted).toMatchObject({ batches: [{ requests: 3 }], leftOut: { absent: 1 } });
    const second = await handleJudgeMessages([...desk.ids.map(submit), COLLECT], ports());
    expect(second.collected).toMatchObject({ judged: 3, open: [] });
    expect(second.submitted).toMatchObject({ leftOut: { judged: 3 }, batches: [] });
    expect(server.asked).toHaveLength(3);
  });

  it("wait for another process that is at it, so that nothing is asked twice", async () => {
    const server = await modelServer(scores(0.5));
    const desk = await makeDesk(server, { logs });
    const one = handleJudgeMessages(desk.ids.map(submit), { ...desk.ports(), holder: "one" });
    const two = handleJudgeMessages(desk.ids.map(submit), { ...desk.ports(), holder: "two" });
    const kinds = (await Promise.all([one, two])).map(({ outcomes }) => outcomes[0]);
    expect(kinds).toContainEqual({ kind: "later", because: "busy" });
    expect(kinds).toContainEqual({ kind: "done" });
    await desk.collect();
    expect(server.asked).toHaveLength(3);
  });

  it("come again where money or time runs out, or the provider turns everything away", async () => {
    const server = await modelServer(scores(0.5), { apiKey: "another" });
    const desk = await makeDesk(server, { logs });
    const bodies = desk.ids.map(submit);
    const late = await handleJudgeMessages(bodies, { ...desk.ports(), holder: "a", outOfTime: () => true });
    expect(late.outcomes).toEqual(bodies.map(() => ({ kind: "later", because: "time" })));
    const refused = await handleJudgeMessages(bodies, { ...desk.ports(), holder: "a" });
    expect(refused.outcomes[0]).toEqual({ kind: "later", because: "fault" });
    const poor = await makeDesk(server, { logs, config: { budgets: { usdPerDay: 0.0000001 } } });
    const left = await handleJudgeMessages(poor.ids.map(submit), { ...poor.ports(), holder: "a" });
    expect(left.outcomes[0]).toEqual({ kind: "later", because: "budget" });
  });
});
