import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DockerSandboxes } from "../../shared/adapters/docker/docker-sandboxes.ts";
import { GitRepositories } from "../../shared/adapters/local/git-repositories.ts";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { type SandboxEnv, sandboxEnv } from "../../shared/env/sandbox-env.ts";
import type { EnvTask } from "../../shared/env/task.ts";
import { replayTrajectory } from "../../shared/sandbox/replay.ts";
import { sandboxSpec } from "../../shared/sandbox/sandbox-limits.ts";
import { WarmPool } from "../../shared/sandbox/warm-pool.ts";
import type { Step } from "../../shared/trajectory/schema.ts";
import type { DockerOffer } from "../docker/docker.ts";
import { FIX, HIDDEN_TESTS, repairRepository } from "../factories/repair-task.ts";
import { offerSandboxDocker } from "../factories/sandbox-image.ts";

interface Recorded {
  readonly tool: string;
  readonly params: Readonly<Record<string, unknown>>;
}

describe("a recorded run that is replayed", () => {
  let offer: DockerOffer;
  let sandboxes: DockerSandboxes;
  const folder = mkdtempSync(join(tmpdir(), "gymline-replay-"));
  const { repo, base } = repairRepository(folder);
  const task: EnvTask = {
    id: "mean",
    base_commit: base,
    test_command: "python3 -m pytest -q -p no:cacheprovider",
    sandbox: { repo, hidden_tests: HIDDEN_TESTS },
  };
  const calls: readonly Recorded[] = [
    { tool: "shell", params: { command: "python3 -m pytest -q -p no:cacheprovider" } },
    { tool: "file_read", params: { path: "stats.py" } },
    FIX,
    { tool: "shell", params: { command: "python3 -m pytest -q -p no:cacheprovider; date +%T.%N" } },
    { tool: "submit", params: {} },
  ];

  beforeAll(async () => {
    offer = await offerSandboxDocker();
    if (offer.kind === "ready") {
      sandboxes = new DockerSandboxes({
        socketPath: offer.docker.socketPath,
        stateFolder: folder,
        group: randomUUID(),
      });
    }
  }, 600_000);

  beforeEach((context) => {
    if (offer.kind === "missing") context.skip(offer.reason);
  });

  afterAll(async () => {
    if (offer?.kind === "ready") {
      expect(await sandboxes.list()).toEqual([]);
      await offer.docker.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const env = (): SandboxEnv => sandboxEnv({ sandboxes, repositories: new GitRepositories() });

  /** One run, written down as a trajectory has it. */
  const record = async (): Promise<Step[]> => {
    const made = env();
    try {
      await made.reset({ task });
      const steps: Step[] = [{ step_id: 1, source: "user", message: "The mean is wrong." }];
      for (const [index, { tool, params }] of calls.entries()) {
        const { observation, info } = await made.step({ tool, params });
        steps.push({
          step_id: index + 2,
          source: "agent",
          message: "",
          tool_calls: [{ tool_call_id: `c${index}`, function_name: tool, arguments: { ...params } }],
          observation: {
            results: [
              {
                source_call_id: `c${index}`,
                content: observation,
                extra: { gymline: { exit_code: info.exitCode ?? null } },
              },
            ],
          },
        });
      }
      return steps;
    } finally {
      await made.close();
    }
  };

  it("comes to the same, but for what differs from run to run", async () => {
    const steps = await record();
    const again = env();
    try {
      const report = await replayTrajectory({ trajectory: { steps }, env: again, task });
      expect(report).toMatchObject({ recordedCalls: 5, diverged: 0, firstDivergence: null, end: "all" });
      expect(report).toMatchObject({ success: true, reward: 1 });
      expect(report.calls.map(({ verdict }) => verdict)).toEqual(Array(5).fill("same"));
      const exact = await replayTrajectory({ trajectory: { steps }, env: again, task, exact: true });
      expect(exact.diverged).toBeGreaterThan(0);
    } finally {
      await again.close();
    }
  });

  it("tells where it goes another way: the call, the exit code, the line", async () => {
    const steps = await record();
    const other = { ...task, sandbox: { repo, files: { "stats.py": "def mean(values):\n    return 0\n" } } };
    const again = env();
    try {
      const report = await replayTrajectory({ trajectory: { steps }, env: again, task: other });
      expect(report.firstDivergence).toBe(0);
      const [, read, edit] = report.calls;
      expect(read).toMatchObject({
        stepId: 3,
        tool: "file_read",
        verdict: "diverged",
        difference: {
          in: "observation",
          line: 2,
          recorded: "    return sum(values) / (len(values) + 1)",
          replayed: "    return 0",
        },
      });
      expect(edit?.difference).toEqual({ in: "exit code", recorded: 0, replayed: 1 });
      expect(report).toMatchObject({ success: false, reward: 0, end: "all" });
    } finally {
      await again.close();
    }
  });

  it("can be left at a step and gone on with in two ways: one that succeeds and one that does not", async () => {
    const steps = await record();
    const better = env();
    try {
      const report = await replayTrajectory({ trajectory: { steps }, env: better, task, beforeStep: 4 });
      expect(report).toMatchObject({ end: "stopped", diverged: 0, success: null });
      expect(report.calls).toHaveLength(2);
      const worse = await better.branch(await better.snapshot());
      try {
        await better.step(FIX);
        await worse.step({ tool: "file_write", params: { path: "stats.py", content: "mean = None\n" } });
        expect((await better.step({ tool: "submit", params: {} })).reward).toBe(1);
        expect((await worse.step({ tool: "submit", params: {} })).reward).toBe(0);
      } finally {
        await worse.close();
      }
    } finally {
      await better.close();
    }
  });

  it("runs in sandboxes of a warm pool as well, which leaves none behind", async () => {
    const steps = await record();
    const pool = new WarmPool(sandboxes, { size: 2, spec: sandboxSpec(), clock: systemClock });
    const again = sandboxEnv({ sandboxes: pool, repositories: new GitRepositories() });
    try {
      await pool.ready();
      expect(await sandboxes.list()).toHaveLength(2);
      const report = await replayTrajectory({ trajectory: { steps }, env: again, task });
      expect(report).toMatchObject({ diverged: 0, reward: 1 });
      await pool.ready();
      // The one in use, and another in its place.
      expect(await sandboxes.list()).toHaveLength(3);
    } finally {
      await again.close();
      await pool.close();
    }
    expect(await sandboxes.list()).toEqual([]);
  });
});
