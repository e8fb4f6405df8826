import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";
import { type Bench, eventually, startBench } from "./batch-runner.ts";
import { type EventBus, startEventBus, type Verdict } from "./event-bus.ts";

const LIFE = ["RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED"];

async function benchWith(verdict?: Verdict): Promise<{ readonly bench: Bench; readonly bus: EventBus }> {
  const bus = await startEventBus(verdict);
  return { bench: await startBench({ options: { events: { endpoint: bus.url } } }), bus };
}

function statuses({ taken }: EventBus, id: string): readonly string[] {
  return taken.filter(({ Detail }) => Detail.jobId === id).map(({ Detail }) => Detail.status);
}

describe("events of state changes", () => {
  it("have AWS's shape and come in the order of the changes", async () => {
    const { bench, bus } = await benchWith();
    const id = await bench.submit("true");
    const job = await bench.until(id);
    await eventually(
      () => statuses(bus, id),
      (all) => all.includes("SUCCEEDED"),
    );
    expect(statuses(bus, id)).toEqual(LIFE);
    const last = bus.taken.at(-1);
    expect(last).toMatchObject({
      Source: "aws.batch",
      DetailType: "Batch Job State Change",
      EventBusName: "default",
      Resources: [`arn:aws:batch:us-east-1:000000000000:job/${id}`],
      Detail: {
        jobId: id,
        jobName: "test",
        status: "SUCCEEDED",
        jobQueue: job.jobQueue,
        createdAt: job.createdAt,
      },
    });
    expect(last?.Detail).toEqual(JSON.parse(JSON.stringify({ ...job, $unknown: undefined })));
    expect(Math.abs((last?.Time ?? 0) * 1000 - (job.stoppedAt ?? 0))).toBeLessThan(1000);
  });

  it("tell of an array's children and of its parent", async () => {
    const { bench, bus } = await benchWith();
    const id = await bench.submit("true", { arrayProperties: { size: 3 } });
    await eventually(
      () => statuses(bus, id),
      (all) => all.includes("SUCCEEDED"),
    );
    expect(statuses(bus, id)).toEqual(["PENDING", "SUCCEEDED"]);
    for (const index of [0, 1, 2]) {
      await eventually(
        () => statuses(bus, `${id}:${index}`),
        (all) => all.includes("SUCCEEDED"),
      );
      expect(statuses(bus, `${id}:${index}`)).toEqual(LIFE);
    }
  });

  it("go out under another source where the bus keeps AWS's for itself", async () => {
    const { bench, bus } = await benchWith(({ Source }) =>
      Source.startsWith("aws.") ? "NotAuthorizedForSourceException" : null,
    );
    const id = await bench.submit("true");
    await eventually(
      () => statuses(bus, id),
      (all) => all.length === LIFE.length,
    );
    expect(statuses(bus, id)).toEqual(LIFE);
    expect(new Set(bus.taken.map(({ Source }) => Source))).toEqual(new Set(["gymline.batch"]));
  });

  it("are sent again where the bus fails, in order, while jobs run on", async () => {
    const { bench, bus } = await benchWith();
    bus.failNext(3);
    const id = await bench.submit("true");
    expect(await bench.until(id)).toMatchObject({ status: "SUCCEEDED" });
    await eventually(
      () => statuses(bus, id),
      (all) => all.includes("SUCCEEDED"),
    );
    expect(statuses(bus, id)).toEqual(LIFE);
  });

  it("of one job wait for one that is refused, those of other jobs do not", async () => {
    let refusals = 0;
    const { bench, bus } = await benchWith(({ Detail }) =>
      Detail.jobName === "bad" && refusals++ < 2 ? "InternalFailure" : null,
    );
    const bad = await bench.submit("true", { jobName: "bad" });
    const good = await bench.submit("true", { jobName: "good" });
    await eventually(
      () => statuses(bus, bad),
      (all) => all.includes("SUCCEEDED"),
    );
    expect(statuses(bus, bad)).toEqual(LIFE);
    expect(statuses(bus, good)).toEqual(LIFE);
  });

  it("that nobody took are sent by the next runner", async () => {
    const stateFolder = temporaryFolder("batch-events");
    const nowhere = { endpoint: "http://127.0.0.1:9" };
    const first = await startBench({ stateFolder, options: { events: nowhere } });
    const id = await first.submit("true");
    await first.until(id);
    await first.runner.stop();
    const bus = await startEventBus();
    await startBench({ stateFolder, options: { events: { endpoint: bus.url } } });
    await eventually(
      () => statuses(bus, id),
      (all) => all.includes("SUCCEEDED"),
    );
    expect(statuses(bus, id)).toEqual(LIFE);
  });
});
