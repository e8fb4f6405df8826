import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomAgent } from "../../shared/agents/random.ts";
import { scriptedAgent } from "../../shared/agents/scripted.ts";
import { makeEnv } from "../../shared/env/envs.ts";
import { runEpisode } from "../../shared/env/rollout/run-episode.ts";
import type { EnvTask } from "../../shared/env/task.ts";
import { householdSolution, householdTasks } from "./household-tasks.ts";

const clock = { now: () => 0 };
const tasks = householdTasks(1);

async function success(task: EnvTask, agent: Parameters<typeof runEpisode>[0]["agent"], seed = 1) {
  const env = makeEnv("gymline/household");
  const { outcome } = await runEpisode({ env, agent, task, seed, clock });
  await env.close();
  return outcome.success;
}

describe("errands", () => {
  it("all have words of their own, and are the same for the same seed", () => {
    expect(new Set(tasks.map(({ description }) => description)).size).toBe(tasks.length);
    expect(householdTasks(1)).toEqual(tasks);
    expect(householdTasks(2)).not.toEqual(tasks);
  });

  it("are solved by what their criteria ask for, and not by another device", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(tasks.length - 1), async (index) => {
        const task = tasks[index] ?? {};
        const turns = householdSolution(task);
        expect(await success(task, scriptedAgent(turns))).toBe(true);
        const swapped = turns.map(({ calls: [call] }) => ({
          calls:
            call === undefined
              ? []
              : [call.tool === "find" ? call : { ...call, tool: call.tool === "light" ? "music" : "light" }],
        }));
        expect(await success(task, scriptedAgent(swapped))).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it("that name a person are not solved without looking for them", async () => {
    const task = tasks.find(({ difficulty }) => difficulty === "indirect") ?? {};
    expect(await success(task, scriptedAgent(householdSolution(task).slice(1)))).toBe(false);
  });

  it("are solved by chance as often as counting says: one in nine where the room is named", async () => {
    const direct = tasks.filter(({ difficulty }) => difficulty === "direct").slice(0, 1000);
    const solved = await Promise.all(direct.map((task, index) => success(task, randomAgent(), index)));
    const share = solved.filter((each) => each === true).length / direct.length;
    // Five standard errors.
    expect(Math.abs(share - 1 / 9)).toBeLessThan(5 * Math.sqrt((1 / 9) * (8 / 9) * 1e-3));
  });
});
