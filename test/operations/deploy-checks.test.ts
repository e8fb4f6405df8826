import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { deploymentConfigSchema } from "../../shared/contracts/deployment-config.ts";
import type { AccountFacts, BucketState, Fact } from "../../shared/operations/account-facts.ts";
import type { Verdict } from "../../shared/operations/deploy-check.ts";
import { deployChecks, hasFailed } from "../../shared/operations/deploy-checks.ts";

type Config = z.input<typeof deploymentConfigSchema>;

const known = <T>(value: T): Fact<T> => ({ kind: "known", value });
const unknown = { kind: "unknown", reason: "the credentials may not do this", remedy: "ask" } as const;

const WELL: AccountFacts = {
  identity: known({ account: "111122223333", region: "eu-west-1" }),
  stack: known(null),
  bootstrap: known(21),
  buckets: [
    { name: "a-drop", state: known("free") },
    { name: "a-store", state: known("free") },
  ],
  concurrency: known({ limit: 1000, unreserved: 1000 }),
  machines: { spot: known(64), onDemand: known(64) },
  gpuMachines: { spot: known(8), onDemand: known(8) },
};

const CONFIG: Config = { alarms: { email: "ops@example.com" } };

function checks(config: Config = CONFIG, facts: Partial<AccountFacts> = {}) {
  return deployChecks(deploymentConfigSchema.parse(config), { ...WELL, ...facts });
}

/** Verdict of one check, by the start of its name. */
function verdict(
  name: string,
  config: Config = CONFIG,
  facts: Partial<AccountFacts> = {},
): Verdict | undefined {
  return checks(config, facts).find((check) => check.name.startsWith(name))?.verdict;
}

describe("the checks before a deployment", () => {
  it("are all in order for a fresh account with enough of everything", () => {
    expect(checks().filter((check) => check.verdict !== "ok")).toEqual([]);
  });

  it("say what to do about everything that is not in order", () => {
    const facts: Partial<AccountFacts> = {
      identity: unknown,
      stack: known("ROLLBACK_COMPLETE"),
      bootstrap: known(null),
      buckets: [{ name: "a-drop", state: known("taken") }],
      concurrency: known({ limit: 10, unreserved: 10 }),
      machines: { spot: known(0), onDemand: known(1) },
      gpuMachines: { spot: known(0), onDemand: known(0) },
    };
    const found = checks({}, facts).filter((check) => check.verdict !== "ok");
    expect(found.map(({ verdict: is }) => is)).toEqual([
      "fail",
      "fail",
      "fail",
      "fail",
      "warn",
      "warn",
      "warn",
      "fail",
      "warn",
      "warn",
      "warn",
    ]);
    for (const { remedy } of found) expect(remedy).toBeTypeOf("string");
  });

  it("warn, and do not fail, where permissions are missing, except that somebody must be logged in", () => {
    const machines = { spot: unknown, onDemand: unknown };
    const buckets = [{ name: "a-drop", state: unknown }];
    const found = checks(CONFIG, {
      stack: unknown,
      bootstrap: unknown,
      buckets,
      concurrency: unknown,
      machines,
      gpuMachines: machines,
    });
    expect(hasFailed(found)).toBe(false);
    expect(found.filter((check) => check.says.startsWith("could not check")).length).toBe(8);
    expect(verdict("account", CONFIG, { identity: unknown })).toBe("fail");
  });

  it("fail where the credentials are of another account than the configuration says", () => {
    expect(verdict("account", { ...CONFIG, account: "111122223333" })).toBe("ok");
    expect(verdict("account", { ...CONFIG, account: "999999999999" })).toBe("fail");
  });

  it("take the CDK's bootstrap from version 6 on", () => {
    const of = (version: number | null) => verdict("CDK", CONFIG, { bootstrap: known(version) });
    expect([of(null), of(5), of(6), of(30)]).toEqual(["fail", "fail", "ok", "ok"]);
  });

  it("take a bucket that is there only where the stack is there too", () => {
    const of = (state: BucketState, stack: string | null) =>
      verdict("bucket", CONFIG, {
        stack: known(stack),
        buckets: [{ name: "a", state: known(state) }],
      });
    expect([of("ours", "UPDATE_COMPLETE"), of("ours", null), of("free", null)]).toEqual(["ok", "fail", "ok"]);
    expect([of("taken", null), of("elsewhere", null)]).toEqual(["fail", "fail"]);
  });

  it("leave a hundred copies of functions unreserved, as Lambda does", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 10, max: 2000 }),
        (reserved, limit) => {
          const functions = { ingest: { reservedConcurrency: reserved, maxConcurrency: 2 } };
          const found = verdict(
            "function",
            { ...CONFIG, functions },
            {
              concurrency: known({ limit, unreserved: limit }),
            },
          );
          expect(found === "fail").toBe(limit - reserved < 100);
        },
      ),
    );
  });

  it("warn where a queue starts more copies than it has reserved, or than the account has", () => {
    const functions = { score: { reservedConcurrency: 5, maxConcurrency: 10 } };
    expect(verdict("function", { ...CONFIG, functions })).toBe("warn");
    const concurrency = known({ limit: 10, unreserved: 10 });
    expect(verdict("function", CONFIG, { concurrency })).toBe("warn");
  });

  it("fail only where neither Spot nor on demand could start a single job", () => {
    const quota = fc.integer({ min: 0, max: 10 });
    fc.assert(
      fc.property(quota, quota, fc.integer({ min: 1, max: 8 }), (spot, onDemand, vcpus) => {
        const machines = { spot: known(spot), onDemand: known(onDemand) };
        const found = checks({ ...CONFIG, batch: { job: { vcpus } } }, { machines });
        expect(hasFailed(found)).toBe(Math.max(spot, onDemand) < vcpus);
      }),
    );
  });

  it("warn exactly where jobs may want more machines than the account has", () => {
    const quota = fc.integer({ min: 0, max: 200 });
    fc.assert(
      fc.property(quota, fc.integer({ min: 1, max: 100 }), (spot, maxVcpus) => {
        const machines = { spot: known(spot), onDemand: known(500) };
        const found = verdict("machines, Spot", { ...CONFIG, batch: { maxVcpus } }, { machines });
        expect(found).toBe(spot < maxVcpus ? "warn" : "ok");
      }),
    );
  });

  it("ask for no GPU where none is wanted, and for no Spot where that is not", () => {
    const config = { ...CONFIG, batch: { gpu: { maxVcpus: 0 } } };
    expect(verdict("GPU", config, { gpuMachines: undefined })).toBe("ok");
    const gpuMachines = { spot: known(0), onDemand: known(8) };
    expect(verdict("GPU machines, Spot", CONFIG, { gpuMachines })).toBe("warn");
    const onDemand = { ...CONFIG, batch: { gpu: { spot: false } } };
    expect(verdict("GPU machines, Spot", onDemand, { gpuMachines })).toBeUndefined();
    expect(verdict("GPU machines, on demand", onDemand, { gpuMachines })).toBe("ok");
  });

  it("look at the subnets of a network that is there, and at who is told of alarms", () => {
    const network = (subnetIds: string[], availabilityZones: string[]): Config => ({
      ...CONFIG,
      batch: { network: { kind: "existing", vpcId: "vpc-1", subnetIds, availabilityZones } },
    });
    expect(verdict("network", network(["a", "b"], ["x", "y"]))).toBe("ok");
    expect(verdict("network", network(["a"], ["x"]))).toBe("warn");
    expect(verdict("network", network(["a", "a"], ["x", "y"]))).toBe("fail");
    expect(verdict("network", network(["a", "b", "c"], ["x", "y"]))).toBe("fail");
    expect(verdict("alarms", {})).toBe("warn");
    expect(verdict("alarms", { alarms: { webhook: "https://example.com/hook" } })).toBe("ok");
  });
});
