import { resolve } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deploymentConfigSchema } from "../../shared/contracts/deployment-config.ts";
import { costOf, DEFAULT_WORKLOAD, sumOf, type Workload } from "../../shared/cost/cost-model.ts";
import { costsPage } from "../../shared/cost/costs-page.ts";
import { deploymentShape, runsPerMonth } from "../../shared/cost/deployment-shape.ts";
import { INPUTS, type InputName, inputValues } from "../../shared/cost/inputs.ts";
import { costOfUnits } from "../../shared/cost/prices.ts";
import { sensitivities } from "../../shared/cost/sensitivity.ts";

const shape = deploymentShape(deploymentConfigSchema.parse({}), { hasJudge: false });

const workloads: fc.Arbitrary<Workload> = fc.record({
  trajectories: fc.integer({ min: 1, max: 10_000_000 }),
  bytesPerTrajectory: fc.integer({ min: 100, max: 10_000_000 }),
  trajectoriesPerObject: fc.integer({ min: 1, max: 10_000 }),
  exportsPerTrajectory: fc.double({ min: 0, max: 10, noNaN: true }),
  threshold: fc.integer({ min: 20, max: 100_000 }),
  jobShare: fc.double({ min: 0, max: 1, noNaN: true }),
  gpuHours: fc.double({ min: 0, max: 1000, noNaN: true }),
  judgedShare: fc.double({ min: 0, max: 1, noNaN: true }),
  usdPerJudged: fc.double({ min: 0, max: 10, noNaN: true }),
});

describe("the cost model", () => {
  it("is linear in the number of trajectories", () => {
    fc.assert(
      fc.property(workloads, fc.integer({ min: 2, max: 50 }), (workload, times) => {
        const many = { ...workload, trajectories: times * workload.trajectories };
        const of = (part: "work" | "keeping", load: Workload): number =>
          sumOf(costOf({ ...load, gpuHours: 0 }, shape)[part]);
        for (const part of ["work", "keeping"] as const) {
          const expected = times * of(part, workload);
          expect(Math.abs(of(part, many) - expected)).toBeLessThanOrEqual(1e-9 * expected);
        }
      }),
    );
  });

  it("grows with the size of the work, and falls where objects are fuller and exports rarer", () => {
    const growing = [
      ...(["trajectories", "bytesPerTrajectory", "exportsPerTrajectory", "gpuHours"] as const),
      ...(["judgedShare", "usdPerJudged"] as const),
    ] as const;
    const falling = ["trajectoriesPerObject", "threshold"] as const;
    fc.assert(
      fc.property(workloads, fc.double({ min: 1, max: 100, noNaN: true }), (workload, factor) => {
        const sum = (load: Workload): number => {
          const { work, keeping } = costOf(load, shape);
          return sumOf(work) + sumOf(keeping);
        };
        const base = sum(workload);
        const slack = 1e-9 * base;
        for (const name of growing) {
          expect(sum({ ...workload, [name]: factor * workload[name] })).toBeGreaterThanOrEqual(base - slack);
        }
        for (const name of falling) {
          expect(sum({ ...workload, [name]: factor * workload[name] })).toBeLessThanOrEqual(base + slack);
        }
      }),
    );
  });

  it("has no negative line, and none that is not a number", () => {
    fc.assert(
      fc.property(workloads, (workload) => {
        const { work, keeping, idle } = costOf(workload, shape);
        for (const { usd, quantity } of [...work, ...keeping, ...idle]) {
          expect(Number.isFinite(usd) && usd >= 0 && quantity >= 0).toBe(true);
        }
      }),
    );
  });

  it("counts writes of the catalog as the code makes them", () => {
    const { work } = costOf({ ...DEFAULT_WORKLOAD, trajectories: 1 }, shape);
    const writes = work.find(({ what }) => what === "writes");
    // 3 for the object, 13 to add, 0.4 to count its score, 6 to export.
    expect(writes?.quantity).toBeCloseTo(22.4, 9);
    expect(writes?.usd).toBeCloseTo(costOfUnits("dynamoWrite", 22.4), 12);
  });

  it("takes half as long on half of a processor, and no less on more than one", () => {
    const lambda = (memoryMiB: number): number => {
      const config = deploymentConfigSchema.parse({ scoreAlong: false, functions: { score: { memoryMiB } } });
      const other = deploymentShape(config, { hasJudge: false });
      const waitless = inputValues({ s3GetMs: 0, s3PutMs: 0, dynamoReadMs: 0, dynamoWriteMs: 0, startMs: 0 });
      return costOf(DEFAULT_WORKLOAD, other, waitless).work.find(({ what }) => what === "score")?.usd ?? 0;
    };
    // Half the memory for twice the time costs the same; twice the memory for the same time costs double.
    expect(lambda(884.5 * 2)).toBeCloseTo(lambda(1769), 9);
    expect(lambda(885) / lambda(1769)).toBeCloseTo(1, 6);
    expect(lambda(3538) / lambda(1769)).toBeCloseTo(2, 9);
  });

  it("counts what the configuration adds: a key, schedules, sweeps", () => {
    const request = { name: "a" };
    const more = deploymentShape(
      deploymentConfigSchema.parse({
        kms: true,
        sweep: "rate(1 hour)",
        datasets: [{ request, schedule: "rate(1 day)" }],
      }),
      { hasJudge: true },
    );
    const { sweepsPerMonth, schedulesPerMonth, collectsPerMonth } = more;
    expect([sweepsPerMonth, schedulesPerMonth, collectsPerMonth]).toEqual([730, 730 / 24, 4380]);
    const { idle } = costOf(DEFAULT_WORKLOAD, more);
    expect(idle.find(({ service }) => service === "KMS")?.usd).toBe(1);
    expect([
      runsPerMonth("rate(30 minutes)"),
      runsPerMonth("cron(0 6 * * ? *)"),
      runsPerMonth("at(x)"),
    ]).toEqual([1460, 2920, 1]);
  });

  it("takes what a model bills from its user, for those that are judged", () => {
    const judged = { ...DEFAULT_WORKLOAD, judgedShare: 0.1, usdPerJudged: 0.004 };
    const { work } = costOf(judged, shape);
    expect(work.find(({ service }) => service === "Model")?.usd).toBeCloseTo(400, 9);
    const base = sumOf(costOf(DEFAULT_WORKLOAD, shape).work);
    const free = sumOf(costOf({ ...judged, usdPerJudged: 0 }, shape).work);
    expect(free).toBeGreaterThan(base);
    expect(sumOf(work) - free).toBeCloseTo(400, 9);
  });

  it("says what tells most first", () => {
    const found = sensitivities(DEFAULT_WORKLOAD, shape);
    const sizes = found.map(({ change }) => Math.abs(change));
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(sizes[0]).toBeGreaterThan(0.1);
  });

  it("names a source for every input, and uses each", () => {
    const load = { ...DEFAULT_WORKLOAD, jobShare: 0.5, gpuHours: 1 };
    // With less than a full processor the size of one tells too.
    const small = deploymentShape(
      deploymentConfigSchema.parse({ scoreAlong: false, functions: { score: { memoryMiB: 512 } } }),
      {
        hasJudge: false,
      },
    );
    const base = JSON.stringify(costOf(load, small));
    const used = (name: InputName): boolean =>
      JSON.stringify(costOf(load, small, inputValues({ [name]: 2 * INPUTS[name].value }))) !== base;
    for (const name of Object.keys(INPUTS) as InputName[]) {
      expect([name, INPUTS[name].source.length > 10, used(name)]).toEqual([name, true, true]);
    }
  });

  it("is what docs/COSTS.md says", async () => {
    await expect(costsPage(shape)).toMatchFileSnapshot(resolve(import.meta.dirname, "../../docs/COSTS.md"));
  });
});
