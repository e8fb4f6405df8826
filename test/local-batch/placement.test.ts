import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Need } from "../../infra/local/batch/container.ts";
import { type Candidate, type Capacity, place } from "../../infra/local/batch/placement.ts";

const need: fc.Arbitrary<Need> = fc.record({
  vcpus: fc.constantFrom(0.25, 1, 2, 4, 8),
  memory: fc.constantFrom(0, 256, 1024, 4096),
});
const capacity: fc.Arbitrary<Capacity> = fc
  .record({
    maxVcpus: fc.array(fc.nat(6), { minLength: 1, maxLength: 3 }),
    orders: fc.array(fc.shuffledSubarray([0, 1, 2], { minLength: 1 }), { minLength: 1, maxLength: 3 }),
    host: fc.record({ vcpus: fc.nat(10), memory: fc.nat(6000) }),
  })
  .map(({ maxVcpus, orders, host }) => ({
    host,
    used: new Map<string, Need>(),
    computeEnvironments: maxVcpus.map((max, index) => ({
      name: `ce-${index}`,
      arn: `ce-${index}`,
      state: "ENABLED" as const,
      type: "MANAGED" as const,
      resourceType: "EC2",
      maxVcpus: max,
    })),
    queues: orders.map((order, index) => ({
      name: `q-${index}`,
      arn: `q-${index}`,
      priority: index,
      state: "ENABLED" as const,
      computeEnvironments: order.map((each) => `ce-${each}`),
    })),
  }));
const candidates: fc.Arbitrary<readonly Candidate[]> = fc
  .array(fc.record({ queue: fc.constantFrom("q-0", "q-1", "q-2"), need }), { maxLength: 12 })
  .map((all) => all.map((each, index) => ({ ...each, id: `job-${index}` })));

describe("placing jobs", () => {
  it("never takes more than a compute environment or the machine has", () => {
    fc.assert(
      fc.property(candidates, capacity, (all, given) => {
        const { placements } = place(all, given);
        const needs = placements.map(({ id, computeEnvironment }) => ({
          computeEnvironment,
          ...(all.find((each) => each.id === id)?.need ?? { vcpus: 0, memory: 0 }),
        }));
        const total = (items: readonly Need[], key: keyof Need): number =>
          items.reduce((sum, item) => sum + item[key], 0);
        expect(total(needs, "vcpus")).toBeLessThanOrEqual(given.host.vcpus);
        expect(total(needs, "memory")).toBeLessThanOrEqual(given.host.memory);
        for (const { name, maxVcpus } of given.computeEnvironments) {
          const here = needs.filter(({ computeEnvironment }) => computeEnvironment === name);
          expect(total(here, "vcpus")).toBeLessThanOrEqual(maxVcpus);
        }
      }),
    );
  });

  it("places no job twice, and keeps the order of equal jobs within a queue", () => {
    fc.assert(
      fc.property(candidates, capacity, (all, given) => {
        const { placements, misfits } = place(all, given);
        const placed = placements.map(({ id }) => id);
        expect(new Set([...placed, ...misfits]).size).toBe(placed.length + misfits.length);
        for (const later of all.filter(({ id }) => placed.includes(id))) {
          const before = all.slice(0, all.indexOf(later)).filter(({ queue }) => queue === later.queue);
          const equal = before.filter(
            (each) => each.need.vcpus === later.need.vcpus && each.need.memory === later.need.memory,
          );
          for (const { id } of equal) expect(placed).toContain(id);
        }
      }),
    );
  });

  it("starts a job where nothing else runs and there is room for it", () => {
    fc.assert(
      fc.property(need, capacity, (wanted, given) => {
        const { placements, misfits } = place([{ id: "only", queue: "q-0", need: wanted }], given);
        expect(placements.length + misfits.length).toBe(1);
      }),
    );
  });
});
