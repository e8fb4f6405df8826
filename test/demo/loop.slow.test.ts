import { existsSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PythonEnvironment } from "../../infra/local/python-environment.ts";
import type { Decision } from "../../shared/contracts/model.ts";
import { gymline } from "../cli/program.ts";
import { trainerEnvironment } from "../trainer/venv.ts";
import { runLoop } from "./loop.ts";
import { SMALL } from "./sizes.ts";
import { Workplace } from "./workplace.ts";

describe("the loop from chance to a champion", () => {
  let environment: PythonEnvironment = { kind: "absent", reason: "not looked for yet" };
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "gymline-demo-"));
    environment = await trainerEnvironment();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("promotes what was trained on successes of chance at α = 0.01, and rejects what was trained on failures", async ({
    skip,
  }) => {
    if (environment.kind === "absent") return skip(environment.reason);
    const { python } = environment;
    const place = new Workplace(join(folder, "loop"), { python });
    const lines: string[] = [];
    const { rounds, control } = await runLoop(place, {
      size: SMALL,
      seed: 1,
      say: (line) => lines.push(line),
    });
    const [first] = rounds;
    expect(rounds).toHaveLength(1);
    expect(first?.evaluation).toMatchObject({ valid: true, tasks: { count: SMALL.heldOut } });
    expect(means(first?.decision)).toMatchObject({ champion: 0 });
    expect(first?.decision).toMatchObject({ verdict: "promote", champion: "base", policy: { alpha: 0.01 } });
    expect(control.decision).toMatchObject({ verdict: "reject", champion: "sft", policy: { alpha: 0.01 } });
    // Better than acting at random too, which is what it was trained on.
    const over = first?.evaluation.comparisons.find(
      ({ metric, a, b }) => metric === "success" && [a, b].sort().join() === "chance,sft",
    );
    expect(over).toMatchObject({ significant: true, better: "sft" });
    expect(lines.join("\n")).toMatch(/gate +promote errands\/sft/);

    const cwd = place.folder;
    expect(existsSync(join(cwd, "report-sft.html"))).toBe(true);
    const shown = await gymline(["models", "show", "errands/sft", "--json"], { cwd });
    expect(JSON.parse(shown.stdout)).toMatchObject({
      state: "champion",
      facts: { lineage: { dataset: { name: "successes" }, parent: "base", algorithm: "sft" } },
      decisions: [{ verdict: "promote" }],
    });
    const row = await gymline(["trace", "successes:train:1"], { cwd });
    expect(row).toMatchObject({ code: 0, stdout: expect.stringContaining("explored/errand-") });
  });
});

function means(decision: Decision | undefined): unknown {
  const metric = decision?.conditions.find(({ id }) => id === "metric");
  return metric !== undefined && "mean" in metric ? metric.mean : undefined;
}
