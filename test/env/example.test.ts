import { describe, expect, it } from "vitest";
import { checkGuessNumber, guessNumber } from "../../docs/examples/guess-number.mts";
import { scriptedAgent } from "../../shared/agents/scripted.ts";
import { EnvRegistry } from "../../shared/env/registry.ts";
import { runEpisode } from "../../shared/env/rollout/run-episode.ts";
import { trajectorySchema } from "../../shared/trajectory/schema.ts";
import { ManualTime } from "../factories/manual-time.ts";

describe("the documented example of a custom environment", () => {
  it("passes the check it runs", async () => {
    const report = await checkGuessNumber();
    expect(report.findings.filter(({ verdict }) => verdict !== "passed")).toEqual([]);
    expect(report.ok).toBe(true);
  });

  it("is solved by halving, and not by guessing the same again", async () => {
    const env = new EnvRegistry([guessNumber]).make("examples/guess-number");
    const halving = () => {
      let [low, high, last] = [1, 1000, 500];
      return scriptedAgent(({ observations }) => {
        const [seen] = observations;
        if (seen?.text === "higher") low = last + 1;
        if (seen?.text === "lower") high = last - 1;
        last = Math.floor((low + high) / 2);
        return { calls: [{ tool: "guess", params: { number: last } }] };
      });
    };
    const stubborn = scriptedAgent(() => ({ calls: [{ tool: "guess", params: { number: 1 } }] }));
    for (const seed of [1, 2, 3]) {
      const request = { env, seed, clock: new ManualTime(), task: { id: "g", guess: { up_to: 1000 } } };
      const solved = await runEpisode({ ...request, agent: halving() });
      expect(solved.outcome).toMatchObject({ success: true, exit_status: "terminated" });
      expect(trajectorySchema.parse(solved.trajectory).steps.length).toBeLessThanOrEqual(11);
      const failed = await runEpisode({ ...request, agent: stubborn });
      expect(failed.outcome).toMatchObject({ success: false, score: 0, exit_status: "truncated" });
    }
  });
});
