import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Docker from "dockerode";
import { DockerSandboxes } from "../../shared/adapters/docker/docker-sandboxes.ts";
import { GitRepositories } from "../../shared/adapters/local/git-repositories.ts";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import type { Action, TimeStep } from "../../shared/env/protocol.ts";
import { sandboxEnv } from "../../shared/env/sandbox-env.ts";
import type { EnvTask } from "../../shared/env/task.ts";
import { sandboxSpec } from "../../shared/sandbox/sandbox-limits.ts";
import { WarmPool } from "../../shared/sandbox/warm-pool.ts";
import { FIX, HIDDEN_TESTS, repairRepository } from "./repair-task.ts";

const MIB = 2 ** 20;
/** A variable that all processes of a run's sandboxes have. */
const MARK = "GYMLINE_SOAK_RUN";

export interface SoakResult {
  readonly solved: number;
  readonly unsolved: number;
  /** Episodes that came to no verdict, with why. */
  readonly failures: readonly string[];
  /** Containers, volumes and processes that are there now and were not before. */
  readonly leaked: readonly string[];
}

/** Numbers from a seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Scripted episodes side by side: each mends the fault or does not, and on the way does some of what agents do (time
 * out, flood, leave processes behind, run out of memory, end everything), as the seed has it.
 */
export async function soakSandboxes(request: {
  readonly socketPath: string;
  readonly episodes: number;
  readonly atOnce: number;
  readonly seed: number;
}): Promise<SoakResult> {
  const { socketPath, episodes, atOnce, seed } = request;
  const folder = mkdtempSync(join(tmpdir(), "gymline-soak-"));
  const group = `soak-${seed}-${process.pid}`;
  const docker = new Docker({ socketPath });
  const before = await traces(docker, group);
  const left = async (): Promise<readonly string[]> =>
    (await traces(docker, group)).filter((trace) => !before.includes(trace));
  const { repo, base } = repairRepository(folder);
  const sandboxes = new DockerSandboxes({ socketPath, stateFolder: folder, group });
  const spec = sandboxSpec({
    env: { [MARK]: group },
    limits: { memoryBytes: 96 * MIB, diskBytes: 16 * MIB, pids: 64, cpus: 0.5, lifetimeMs: 1_800_000 },
  });
  const pool = new WarmPool(sandboxes, { size: 2, spec, clock: systemClock });
  const random = randomOf(seed);
  const plans = Array.from({ length: episodes }, (_, index) => ({
    solves: index % 2 === 0,
    detours: DETOURS.filter(() => random() < 0.3),
  }));
  const counts = { solved: 0, unsolved: 0 };
  const failures: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    const env = sandboxEnv({
      sandboxes: pool,
      repositories: new GitRepositories(),
      clock: systemClock,
      spec,
    });
    try {
      for (let index = next++; index < plans.length; index = next++) {
        const plan = plans[index];
        if (plan === undefined) break;
        try {
          await env.reset({ task: taskOf({ repo, base, index }) });
          const steps = [...plan.detours, ...(plan.solves ? [FIX] : []), { tool: "submit", params: {} }];
          let last: TimeStep | undefined;
          for (const step of steps) {
            last = await env.step(step);
            if (last.done) break;
          }
          if (last?.info.success !== plan.solves || last.reward !== (plan.solves ? 1 : 0)) {
            failures.push(`episode ${index}: ${JSON.stringify(last)}`);
          }
          counts[plan.solves ? "solved" : "unsolved"] += 1;
        } catch (error) {
          failures.push(`episode ${index}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    } finally {
      await env.close();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
  let leaked = await left();
  // Other tests may have made a volume that no container of theirs has yet.
  for (let tries = 0; tries < 20 && leaked.length > 0; tries += 1) {
    await delay(500);
    leaked = (await left()).filter((trace) => leaked.includes(trace));
  }
  return { ...counts, failures, leaked };
}

const DETOURS: readonly Action[] = [
  { tool: "shell", params: { command: "sleep 60", timeout_s: 1 } },
  { tool: "shell", params: { command: "yes", timeout_s: 1 } },
  { tool: "shell", params: { command: "(setsid sleep 4242 >/dev/null 2>&1 &); echo left" } },
  { tool: "shell", params: { command: "exec python3 -c 'x = bytearray(800_000_000)'" } },
  { tool: "shell", params: { command: "kill -9 -1" } },
  { tool: "shell", params: { command: "cat /dev/zero >big; rm big" } },
  { tool: "file_write", params: { path: "notes/a.txt", content: "x".repeat(100_000) } },
  { tool: "search", params: { pattern: "mean" } },
  { tool: "git", params: { args: ["status", "--short"] } },
];

function taskOf({
  repo,
  base,
  index,
}: {
  readonly repo: string;
  readonly base: string;
  readonly index: number;
}): EnvTask {
  return {
    id: `mean-${index}`,
    base_commit: base,
    test_command: "python3 -m pytest -q -p no:cacheprovider",
    sandbox: { repo, hidden_tests: HIDDEN_TESTS },
  };
}

/** What could be left behind: the group's containers, volumes, and processes of the episodes. */
/** Of this run alone, as other tests have sandboxes at the same time; but volumes that nothing uses are anybody's. */
async function traces(docker: Docker, group: string): Promise<readonly string[]> {
  const filters = { label: [`gymline.sandbox=${group}`] };
  const containers = await docker.listContainers({ all: true, filters });
  const { Volumes } = await docker.listVolumes({ filters: { dangling: ["true"] } });
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isOf(group, name));
  return [
    ...containers.map(({ Id }) => `container ${Id}`),
    ...(Volumes ?? []).map(({ Name }) => `volume ${Name}`),
    ...processes.map((pid) => `process ${pid}`),
  ];
}

/** Whether a process was started in a sandbox of the group, however it calls itself. */
function isOf(group: string, pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`${MARK}=${group}`);
  } catch {
    // It ended meanwhile.
    return false;
  }
}
