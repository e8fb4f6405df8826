import { describe, expect, it } from "vitest";
import type { JobState, JobStatus, Jobs } from "../../shared/ports/jobs.ts";
import { eventually } from "../local-batch/batch-runner.ts";

/** Shell commands that every runner of these jobs understands. */
export const COMMANDS = {
  succeed: "exit 0",
  fail: "exit 3",
  needsGreeting: 'test "$GREETING" = "hello, \u{1F600}"',
  needsIndex: 'test "$AWS_BATCH_JOB_ARRAY_INDEX" -ge 0 && test "$AWS_BATCH_JOB_ARRAY_INDEX" -lt 3',
} as const;

export interface JobsUnderTest {
  readonly jobs: Jobs;
  /** A command that runs until it is released, and then succeeds. */
  held(): { readonly command: string; release(): void };
}

async function all(items: AsyncIterable<JobStatus>): Promise<readonly JobStatus[]> {
  const list: JobStatus[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** What every place where jobs run must do. Each test gets one without jobs. */
export function jobsContract(name: string, start: () => Promise<JobsUnderTest>): void {
  describe(`${name} as jobs`, () => {
    const until = (jobs: Jobs, id: string, ...states: readonly JobState[]) =>
      eventually(
        async () => (await jobs.describe([id]))[0],
        (job) => job !== undefined && states.includes(job.state),
      );
    const ended = (jobs: Jobs, id: string) => until(jobs, id, "SUCCEEDED", "FAILED");

    it("runs a job to its end, and tells when, how often and how it ended", async () => {
      const { jobs } = await start();
      const { id } = await jobs.submit({ name: "good", command: [COMMANDS.succeed] });
      const good = await ended(jobs, id);
      expect(good).toMatchObject({ id, name: "good", state: "SUCCEEDED", exitCode: 0, attempts: 1 });
      const times = [good?.createdAt, good?.startedAt, good?.stoppedAt];
      expect(times).toEqual(times.toSorted((a = 0, b = 0) => a - b));
      expect(times.every((time) => typeof time === "number")).toBe(true);
      const bad = await jobs.submit({ name: "bad", command: [COMMANDS.fail] });
      expect(await ended(jobs, bad.id)).toMatchObject({ state: "FAILED", exitCode: 3 });
    });

    it("gives a job its environment", async () => {
      const { jobs } = await start();
      const environment = { GREETING: "hello, \u{1F600}" };
      const request = { name: "greeted", command: [COMMANDS.needsGreeting] };
      const greeted = await jobs.submit({ ...request, environment });
      const other = await jobs.submit(request);
      expect(await ended(jobs, greeted.id)).toMatchObject({ state: "SUCCEEDED" });
      expect(await ended(jobs, other.id)).toMatchObject({ state: "FAILED" });
    });

    it("runs an array of copies, each with its index", async () => {
      const { jobs } = await start();
      const request = { name: "array", command: [COMMANDS.needsIndex] };
      const three = await jobs.submit({ ...request, arraySize: 3 });
      const four = await jobs.submit({ ...request, arraySize: 4 });
      expect(await ended(jobs, three.id)).toMatchObject({ state: "SUCCEEDED" });
      expect(await ended(jobs, four.id)).toMatchObject({ state: "FAILED" });
    });

    it("starts a job after those it depends on, and not where they fail", async () => {
      const { jobs, held } = await start();
      const { command, release } = held();
      const first = await jobs.submit({ name: "first", command: [command] });
      const second = await jobs.submit({
        name: "second",
        command: [COMMANDS.succeed],
        dependsOn: [first.id],
      });
      await until(jobs, first.id, "RUNNING");
      const [waiting] = await jobs.describe([second.id]);
      expect(["SUBMITTED", "PENDING"]).toContain(waiting?.state);
      release();
      const [one, two] = [await ended(jobs, first.id), await ended(jobs, second.id)];
      expect([one?.state, two?.state]).toEqual(["SUCCEEDED", "SUCCEEDED"]);
      expect(two?.startedAt).toBeGreaterThanOrEqual(one?.stoppedAt ?? Number.POSITIVE_INFINITY);

      const failing = await jobs.submit({ name: "failing", command: [COMMANDS.fail] });
      const never = await jobs.submit({
        name: "never",
        command: [COMMANDS.succeed],
        dependsOn: [failing.id],
      });
      expect(await ended(jobs, never.id)).toMatchObject({ state: "FAILED", attempts: 0 });
    });

    it("describes any number of jobs, and leaves out those it does not know", async () => {
      const { jobs, held } = await start();
      // Jobs that wait for another one cost the machine nothing.
      const first = await jobs.submit({ name: "first", command: [held().command] });
      const ids = [first.id];
      for (let index = 0; index < 104; index += 1) {
        const request = { name: `n-${index}`, command: [COMMANDS.succeed], dependsOn: [first.id] };
        ids.push((await jobs.submit(request)).id);
      }
      const described = await jobs.describe(["unknown", ...ids, "unknown-too"]);
      expect(described.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
      expect(await jobs.describe([])).toEqual([]);
      const listed = await all(jobs.list({}));
      expect(listed.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
      await jobs.cancel(first.id, "enough");
    });

    it("lists by state, by name, by both, or all", async () => {
      const { jobs, held } = await start();
      const { command, release } = held();
      const running = await jobs.submit({ name: "work", command: [command] });
      const done = await jobs.submit({ name: "work", command: [COMMANDS.succeed] });
      const other = await jobs.submit({ name: "work-2", command: [COMMANDS.fail] });
      await until(jobs, running.id, "RUNNING");
      await ended(jobs, done.id);
      await ended(jobs, other.id);
      const idsOf = async (filter: Parameters<Jobs["list"]>[0]) =>
        (await all(jobs.list(filter))).map(({ id }) => id).toSorted();
      expect(await idsOf({})).toEqual([running.id, done.id, other.id].toSorted());
      expect(await idsOf({ state: "RUNNING" })).toEqual([running.id]);
      expect(await idsOf({ state: "PENDING" })).toEqual([]);
      expect(await idsOf({ name: "work" })).toEqual([running.id, done.id].toSorted());
      expect(await idsOf({ name: "work", state: "SUCCEEDED" })).toEqual([done.id]);
      expect(await idsOf({ name: "nobody" })).toEqual([]);
      const [listed] = await all(jobs.list({ name: "work-2" }));
      expect(listed).toMatchObject({ state: "FAILED", exitCode: 3, attempts: 1 });
      release();
      await ended(jobs, running.id);
    });

    it("cancels a job that runs and one that waits, and leaves alone what has ended", async () => {
      const { jobs, held } = await start();
      const { command } = held();
      const running = await jobs.submit({ name: "running", command: [command] });
      const waiting = await jobs.submit({ name: "w", command: [COMMANDS.succeed], dependsOn: [running.id] });
      const done = await jobs.submit({ name: "done", command: [COMMANDS.succeed] });
      await until(jobs, running.id, "RUNNING");
      await ended(jobs, done.id);
      await jobs.cancel(waiting.id, "not wanted");
      expect(await ended(jobs, waiting.id)).toMatchObject({ state: "FAILED", reason: "not wanted" });
      await jobs.cancel(running.id, "took too long");
      await jobs.cancel(running.id, "took too long");
      expect(await ended(jobs, running.id)).toMatchObject({ state: "FAILED", reason: "took too long" });
      await jobs.cancel(done.id, "too late");
      expect(await ended(jobs, done.id)).toMatchObject({ state: "SUCCEEDED" });
    });
  });
}
