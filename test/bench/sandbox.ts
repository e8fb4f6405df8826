import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { DockerSandboxes } from "../../shared/adapters/docker/docker-sandboxes.ts";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { sandboxEnv } from "../../shared/env/sandbox-env.ts";
import { sandboxSpec } from "../../shared/sandbox/sandbox-limits.ts";
import { WarmPool } from "../../shared/sandbox/warm-pool.ts";
import { offerSandboxDocker } from "../factories/sandbox-image.ts";
import type { Figure } from "./figure.ts";
import { median } from "./median.ts";

const run = promisify(execFile);
const STARTS = 9;
const STEPS = 41;
/** Longest that a step may take, as a multiple of `docker exec`. */
const GOAL = 1.5;

/** How long a sandbox takes to be there, and a step in it, against Docker's own command for the same. */
export async function benchSandbox(): Promise<readonly Figure[]> {
  const offer = await offerSandboxDocker();
  if (offer.kind === "missing") throw new Error(offer.reason);
  const { socketPath } = offer.docker;
  const stateFolder = mkdtempSync(join(tmpdir(), "gymline-bench-"));
  const sandboxes = new DockerSandboxes({ socketPath, stateFolder, group: "bench" });
  const spec = sandboxSpec();
  const pool = new WarmPool(sandboxes, { size: 1, spec, clock: systemClock });
  const env = sandboxEnv({ sandboxes });
  try {
    const cold = await times(STARTS, async () => {
      const sandbox = await sandboxes.create(spec);
      return () => sandbox.close();
    });
    const warm = await times(STARTS, async () => {
      const sandbox = await pool.create(spec);
      return async () => {
        await sandbox.close();
        await pool.ready();
      };
    });
    const { info } = await env.reset();
    const args = ["exec", "-u", "1000:1000", String(info["sandboxId"]), "sh", "-c", "echo hello"];
    const host = { env: { ...process.env, DOCKER_HOST: `unix://${socketPath}` } };
    const steps: number[] = [];
    const floor: number[] = [];
    // One after the other, so that what else the machine does falls on both.
    for (let index = 0; index < STEPS; index += 1) {
      steps.push(await timeOf(() => env.step({ tool: "shell", params: { command: "echo hello" } })));
      floor.push(await timeOf(() => run("docker", args, host)));
    }
    const ratio = median(steps) / median(floor);
    return [
      { name: "sandbox: start, cold", value: median(cold), unit: "ms" },
      { name: "sandbox: start, warm pool", value: median(warm), unit: "ms" },
      { name: "sandbox: steps", value: 1000 / median(steps), unit: "steps/s" },
      { name: "sandbox: docker exec", value: 1000 / median(floor), unit: "commands/s" },
      {
        name: "sandbox: a step against docker exec",
        value: ratio,
        unit: "×",
        goal: `≤ ${GOAL} ×`,
        ok: ratio <= GOAL,
      },
    ];
  } finally {
    await env.close();
    await pool.close();
    rmSync(stateFolder, { recursive: true, force: true });
    await offer.docker.close();
  }
}

async function times(count: number, work: () => Promise<() => Promise<void>>): Promise<readonly number[]> {
  const all: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const started = performance.now();
    const undo = await work();
    all.push(performance.now() - started);
    await undo();
  }
  return all;
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
