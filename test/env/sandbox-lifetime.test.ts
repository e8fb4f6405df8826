import { expect, it, onTestFinished } from "vitest";
import { envMaker } from "../../containers/gymline/collect-env.ts";
import { harnessTime } from "../../containers/gymline/collect-runner.ts";
import { limitsOf } from "../../containers/gymline/collect-settings.ts";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { systemTimers } from "../../shared/adapters/local/system-timers.ts";
import { ProcessSandboxes } from "../../shared/adapters/process-sandbox/process-sandboxes.ts";
import type { EnvTask } from "../../shared/env/task.ts";
import { temporaryFolder } from "../factories/temporary.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Lifetime of the sandbox that an episode gets. */
async function lifetime(
  times: { readonly timeoutMs: number | undefined; readonly episodeMs?: number },
  { task = {}, options = {} }: { readonly task?: EnvTask; readonly options?: Record<string, unknown> } = {},
): Promise<number> {
  const sandboxes = new ProcessSandboxes({ isolation: "none", stateFolder: temporaryFolder("lifetime") });
  const ports = { sandboxes, clock: systemClock, timers: systemTimers };
  // Addresses, of which this engine counts more than memory.
  const own = { memoryBytes: 64 * 2 ** 30, ...options };
  const env = (await envMaker({ id: "gymline/sandbox-v1", options: own }, { ports, ...times }))();
  onTestFinished(() => env.close());
  const { info } = await env.reset({ task });
  const { spec } = await sandboxes.open(String(info["sandboxId"]));
  return spec.limits.lifetimeMs;
}

it("a sandbox lives for an hour where its episode is shorter", async () => {
  expect(await lifetime({ timeoutMs: undefined })).toBe(HOUR);
  expect(await lifetime({ timeoutMs: MINUTE })).toBe(HOUR);
});

it("a sandbox outlives the time that --timeout gives, and the tests after it", async () => {
  expect(await lifetime({ timeoutMs: 3 * HOUR })).toBeGreaterThanOrEqual(3 * HOUR + 10 * MINUTE);
  const limits = limitsOf({ timeout: "7200" });
  const harness = { timeoutMs: undefined, episodeMs: harnessTime(limits) };
  expect(await lifetime(harness)).toBeGreaterThanOrEqual(2 * HOUR + 10 * MINUTE);
  expect(await lifetime({ timeoutMs: undefined, episodeMs: harnessTime(limitsOf({})) })).toBeGreaterThan(
    HOUR,
  );
});

it("a sandbox outlives what its task or the environment's options say", async () => {
  const none = { timeoutMs: undefined };
  const times = { episode_timeout_s: 7200, test_timeout_s: 3600 };
  expect(await lifetime(none, { task: { sandbox: times } })).toBeGreaterThan(3 * HOUR);
  const options = { episodeTimeoutSeconds: 7200 };
  expect(await lifetime(none, { options })).toBeGreaterThan(2 * HOUR);
  const setup = { setup: ["true", "true"], setup_timeout_s: 3600 };
  expect(await lifetime(none, { task: { sandbox: setup } })).toBeGreaterThan(2 * HOUR + 30 * MINUTE);
});

it("a lifetime that is given is kept, and refused where the episode is longer", async () => {
  const none = { timeoutMs: undefined };
  const task = { sandbox: { limits: { lifetime_s: 600 } } };
  expect(await lifetime(none, { task })).toBe(10 * MINUTE);
  const short = { id: "t", sandbox: { limits: { lifetime_s: 600 }, episode_timeout_s: 601 } };
  await expect(lifetime(none, { task: short })).rejects.toThrow(/task t.*lifetime_s|lifetime_s.*less than/s);
});

it("a private range without an allow-list, and a list that is none, are refused by name", async () => {
  const none = { timeoutMs: undefined };
  await expect(lifetime(none, { options: { privateRanges: ["10.0.0.0/8"] } })).rejects.toThrow(
    /options\.privateRanges opens nothing without options\.allow/,
  );
  await expect(lifetime(none, { options: { allow: ["*.com"] } })).rejects.toThrow(
    /options\.allow: .*"\*\.com".*public suffix/,
  );
  await expect(lifetime(none, { options: { allow: ["pypi.org"] } })).rejects.toThrow(/use Docker for it/);
});
