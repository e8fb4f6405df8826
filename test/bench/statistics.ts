import { bootstrapMeans } from "../../shared/statistics/bootstrap-means.ts";
import { createRandom } from "../../shared/statistics/random.ts";
import type { Figure } from "./figure.ts";

const TASKS = 1000;
const AGENTS = 5;
const RESAMPLES = 10_000;
const GOAL_SECONDS = 1;

/** The intervals of a comparison of agents on the same tasks: one episode each, tasks drawn whole for all agents. */
export function benchStatistics(): readonly Figure[] {
  const random = createRandom(1);
  const clusters = Array.from({ length: TASKS }, (_, index) => `task ${index}`);
  const columns = Object.fromEntries(
    Array.from({ length: AGENTS }, (_, agent) => {
      const values = clusters.map(() => Number(random.float() < 0.4 + agent / 20));
      return [`agent ${agent}`, { values, clusters }];
    }),
  );
  return (["percentile", "bca"] as const).flatMap((method): readonly Figure[] => {
    const [started, used] = [performance.now(), process.cpuUsage()];
    bootstrapMeans(columns, { seed: 2, resamples: RESAMPLES, method });
    const wall = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(used);
    const value = (user + system) / 1e6;
    const name = `10,000 resamples of 1,000 × 5, ${method}`;
    // One thread: on a free core both are the same, on a busy one only processor time says what it takes.
    return [
      { name: `${name}, processor time`, value, unit: "s", goal: "< 1 s", ok: value < GOAL_SECONDS },
      { name, value: wall, unit: "s" },
    ];
  });
}
