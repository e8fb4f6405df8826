import { describe, expect, it, onTestFinished } from "vitest";
import { statusReport } from "../../containers/gymline/status-report.ts";
import { openForWriting } from "../../shared/adapters/local/local-store.ts";
import { STAGES } from "../../shared/contracts/deployment-config.ts";
import {
  deploymentStatus,
  needsSomebody,
  type StatusPorts,
} from "../../shared/operations/deployment-status.ts";
import type { JobState, JobStatus } from "../../shared/ports/jobs.ts";
import { addToBacklog } from "../../shared/stages/judge-backlog.ts";
import { idOf, makeNew, makeScore } from "../factories/catalog-rows.ts";
import { temporaryFolder } from "../factories/temporary.ts";

function makePorts(more: Partial<StatusPorts> = {}): StatusPorts & {
  readonly local: ReturnType<typeof openForWriting>;
} {
  let now = 1_000_000;
  const clock = { now: () => (now += 1000) };
  const local = openForWriting(temporaryFolder("status"), clock);
  onTestFinished(() => local.close());
  return {
    local,
    catalog: local.catalog,
    ledger: local.catalog.ledger,
    store: local.store,
    jobs: jobsOf({}),
    clock,
    stages: STAGES,
    stage: async () => ({ waiting: 0, inFlight: 0, dead: 0, oldestSeconds: null }),
    jobsFault: () => undefined,
    ...more,
  };
}

function jobsOf(counts: Partial<Record<JobState, number>>): StatusPorts["jobs"] {
  return {
    list: async function* ({ state }): AsyncGenerator<JobStatus> {
      if (state === undefined) return;
      for (let index = 0; index < (counts[state] ?? 0); index += 1) {
        yield { id: `${state}-${index}`, name: "job", state, attempts: 1 };
      }
    },
  };
}

describe("the status of a deployment", () => {
  it("counts what is scored, what waits for a score and what was rejected", async () => {
    const ports = makePorts();
    for (const name of ["a", "b", "c"]) await ports.local.catalog.add(makeNew(name));
    await ports.local.catalog.setScore(idOf("a"), makeScore());
    await addToBacklog([idOf("b"), idOf("c")], ports.ledger);
    await ports.local.store.put("rejected/team/x.json.report.json", new Uint8Array(1));
    expect(await deploymentStatus("gymline", ports)).toMatchObject({
      scored: 1,
      unscored: { count: 2, more: false },
      judge: { batches: { count: 0, more: false }, waiting: { count: 2, more: false } },
      rejected: { count: 1, more: false },
    });
  });

  it("shows the latest version of each dataset, and those that were only asked for", async () => {
    const ports = makePorts();
    const { ledger } = ports.local.catalog;
    await ports.local.catalog.add(makeNew("a"));
    const rows = [{ id: idOf("a"), split: "train" }];
    for (const version of ["v1", "v2"]) {
      await ports.local.catalog.registerDataset({ name: "sft", version, format: "sft-messages", rows });
    }
    await ports.local.catalog.announceDataset("sft", "v2");
    const state = { schema: "gymline.export-state.v1", consumed: 3, asked: 5 };
    const pending = { schema: "gymline.export.v1", dataset: "best", cause: "request" };
    await ledger.put("export/best", JSON.stringify({ ...state, pending }), 0);
    const last = { outcome: "failed", cause: "schedule", at: 7, why: "a check failed (secrets: 1)" } as const;
    await ledger.put("export/sft", JSON.stringify({ ...state, last }), 0);
    const { datasets } = await deploymentStatus("gymline", ports);
    expect(datasets).toEqual([
      { name: "best", versions: 0, latest: null, consumed: 3, asked: 5, pending: "request", last: null },
      {
        name: "sft",
        versions: 2,
        latest: { version: "v2", rows: 1, createdAt: expect.any(Number), announced: true },
        consumed: 3,
        asked: 5,
        pending: null,
        last,
      },
    ]);
    expect(needsSomebody({ stages: [], datasets })).toBe(true);
    expect(needsSomebody({ stages: [], datasets: datasets.slice(0, 1) })).toBe(false);
  });

  it("stops counting where it is enough to know that there are many", async () => {
    const { jobs } = await deploymentStatus(
      "gymline",
      makePorts({ jobs: jobsOf({ FAILED: 5000, RUNNING: 2 }) }),
    );
    expect(jobs).toMatchObject({
      kind: "counted",
      states: { FAILED: { count: 1000, more: true }, RUNNING: { count: 2, more: false } },
    });
  });

  it("is told all the same where jobs cannot be listed", async () => {
    const jobs: StatusPorts["jobs"] = {
      // biome-ignore lint/correctness/useYield: it fails before the first
      list: async function* () {
        throw new Error("no Batch here");
      },
    };
    const ports = makePorts({
      jobs,
      jobsFault: (error) => (error instanceof Error ? error.message : undefined),
    });
    const status = await deploymentStatus("gymline", ports);
    expect(status.jobs).toEqual({ kind: "unknown", reason: "no Batch here" });
  });

  it("calls for a person where any stage gave up on something", async () => {
    const stage: StatusPorts["stage"] = async (name) => ({
      waiting: 1,
      inFlight: 2,
      dead: name === "export" ? 1 : 0,
      oldestSeconds: 60,
    });
    const sick = await deploymentStatus("gymline", makePorts({ stage }));
    const well = await deploymentStatus("gymline", makePorts());
    expect([needsSomebody(sick), needsSomebody(well)]).toEqual([true, false]);
    expect(sick.stages.map(({ stage: name }) => name)).toEqual([
      "ingest",
      "score",
      "judge",
      "export",
      "sweep",
    ]);
  });

  it("shows the loop's queue where there is one, and calls for a person where the loop gave up", async () => {
    const stage: StatusPorts["stage"] = async (name) => ({
      ...{ waiting: 1, inFlight: 0, oldestSeconds: 60 },
      dead: name === "loop" ? 2 : 0,
    });
    const status = await deploymentStatus("gymline", makePorts({ stage, stages: [...STAGES, "loop"] }));
    expect(status.stages.at(-1)).toMatchObject({ stage: "loop", waiting: 1, dead: 2 });
    expect(needsSomebody(status)).toBe(true);
    const shown = statusReport(status, 2_000_000);
    expect(shown).toMatch(/loop +1 +0 +60 s +2/);
    expect(shown).toContain("gymline redrive loop");
  });
});
