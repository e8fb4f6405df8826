import { expect, it } from "vitest";
import { ProcessSandboxes } from "../../shared/adapters/process-sandbox/process-sandboxes.ts";
import { sandboxSpec } from "../../shared/sandbox/sandbox-limits.ts";
import { WarmPool } from "../../shared/sandbox/warm-pool.ts";
import { temporaryFolder } from "../factories/temporary.ts";

function poolOf(size: number): {
  pool: WarmPool;
  sandboxes: ProcessSandboxes;
  advance: (ms: number) => void;
} {
  let now = 1_000_000;
  const clock = { now: () => now };
  const sandboxes = new ProcessSandboxes({ isolation: "none", stateFolder: temporaryFolder(), clock });
  const pool = new WarmPool(sandboxes, { size, spec: sandboxSpec(), clock, maxIdleMs: 60_000 });
  return {
    pool,
    sandboxes,
    advance: (ms) => {
      now += ms;
    },
  };
}

const count = async (sandboxes: ProcessSandboxes): Promise<number> => (await sandboxes.list()).length;

it("hands out each sandbox once, makes another in its place, and leaves none when it is closed", async () => {
  const { pool, sandboxes } = poolOf(3);
  await pool.ready();
  expect(await count(sandboxes)).toBe(3);
  const waiting = (await sandboxes.list()).map(({ id }) => id);
  const taken = await Promise.all(
    Array.from({ length: 5 }, () => pool.create(sandboxSpec({ labels: { any: "label" } }))),
  );
  expect(new Set(taken.map(({ id }) => id)).size).toBe(5);
  for (const id of waiting) expect(taken.map((each) => each.id)).toContain(id);
  await pool.ready();
  expect(await count(sandboxes)).toBe(8);
  await pool.close();
  expect(await count(sandboxes)).toBe(5);
  for (const sandbox of taken) await sandbox.close();
  expect(await count(sandboxes)).toBe(0);
});

it("makes what is not of its kind anew, and everything after it is closed", async () => {
  const { pool, sandboxes } = poolOf(1);
  await pool.ready();
  const [warm] = await sandboxes.list();
  const other = await pool.create(sandboxSpec({ env: { A: "1" } }));
  expect(other.id).not.toBe(warm?.id);
  await pool.close();
  const late = await pool.create(sandboxSpec());
  expect(await count(sandboxes)).toBe(2);
  await Promise.all([late.close(), other.close()]);
});

it("replaces what has waited too long, and gives all that are handed out their full lifetime", async () => {
  const { pool, sandboxes, advance } = poolOf(1);
  await pool.ready();
  const [old] = await sandboxes.list();
  advance(60_001);
  const fresh = await pool.create(sandboxSpec());
  expect(fresh.id).not.toBe(old?.id);
  expect((await sandboxes.list()).map(({ id }) => id)).not.toContain(old?.id);
  await pool.ready();
  advance(60_000);
  const waited = await pool.create(sandboxSpec());
  expect(waited.expiresAt - (1_000_000 + 120_001)).toBeGreaterThanOrEqual(sandboxSpec().limits.lifetimeMs);
  await pool.close();
  await Promise.all([fresh.close(), waited.close()]);
});

it("hands out nothing to a request that was called off", async () => {
  const { pool, sandboxes } = poolOf(1);
  await expect(pool.create(sandboxSpec(), AbortSignal.abort(new Error("no")))).rejects.toThrow("no");
  await pool.close();
  expect(await count(sandboxes)).toBe(0);
});
