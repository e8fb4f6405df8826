import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { MINI_SWE_AGENT } from "../../shared/agents/harness/harness-bridge.ts";
import { collect } from "../../shared/collect/collect.ts";
import { harnessRunner } from "../../shared/collect/harness-runner.ts";
import { MemoryLedger } from "../../shared/collect/memory-ledger.ts";
import { planEpisodes } from "../../shared/collect/plan-episodes.ts";
import { miniSweAgent } from "../../shared/trajectory/formats/mini-swe-agent.ts";
import { localSandbox } from "../factories/local-sandbox.ts";
import { modelServer } from "../factories/model-server/model-server.ts";
import { answer } from "../factories/model-server/replies.ts";
import { temporaryFolder } from "../factories/temporary.ts";

const installed =
  spawnSync("mini", ["--help"], { env: { ...process.env, MSWEA_CONFIGURED: "1" } }).status === 0;

describe("mini-swe-agent itself", () => {
  it("acts through its command line, and its log comes in as it wrote it", async (context) => {
    if (!installed) return context.skip("no mini on the PATH (pip install mini-swe-agent)");
    const run = (command: string) => ({ name: "bash", input: { command } });
    const server = await modelServer(({ turns }) => {
      const before = turns.filter(({ role }) => role === "assistant").length;
      const finish = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT";
      return answer(before === 0 ? "I write it." : "Done.", {
        calls: [run(before === 0 ? "echo mended > done.txt && cat done.txt" : finish)],
      });
    });
    const folder = temporaryFolder("mini");
    const ledger = new MemoryLedger();
    const sandbox = await localSandbox();
    const { entries } = await collect({
      run: "r",
      episodes: planEpisodes([{ id: "pallets__flask-5063", description: "Write done.txt" }], {
        attempts: 1,
        seed: 1,
      }),
      makeRunner: () =>
        harnessRunner({
          bridge: {
            ...MINI_SWE_AGENT,
            log: `${folder}/logs/log.traj.json`,
            env: { ...MINI_SWE_AGENT.env, MSWEA_GLOBAL_CONFIG_DIR: `${folder}/config` },
          },
          format: miniSweAgent,
          model: "openai/scripted",
          variables: { OPENAI_API_KEY: "k", OPENAI_API_BASE: server.openaiUrl },
          timeoutMs: 120_000,
          maxSteps: 5,
          makePlace: () => ({
            prepare: async () => sandbox,
            verdict: async () => ({ success: true, score: null }),
            close: async () => undefined,
          }),
        }),
      ledger,
      clock: systemClock,
    });
    expect(entries[0]).toMatchObject({
      error: null,
      kind: "done",
      turns: 2,
      stop: "Submitted",
      success: true,
    });
    const value = JSON.parse(new TextDecoder().decode(ledger.documents.get("pallets__flask-5063.0")?.bytes));
    const seen = miniSweAgent.detect(value);
    const [draft] = miniSweAgent.convert({ value, variant: seen.match ? seen.variant : "", stem: "x" });
    expect(draft?.outcome).toMatchObject({ success: true, exit_status: "Submitted" });
    expect(JSON.stringify(draft?.document.steps)).toContain("mended");
  }, 180_000);
});
