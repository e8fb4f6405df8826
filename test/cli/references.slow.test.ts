import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseReferences } from "../../shared/reward/references.ts";
import { chatRow } from "../factories/logs.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { gymline } from "./program.ts";

describe("gymline references", () => {
  it("prints the medians of a store as one document, and says on the other stream what they are of", async () => {
    const folder = temporaryFolder("cli");
    const rows = [1, 2, 3, 4, 5].map((n) =>
      chatRow({
        task: "task-1",
        answer: `Answer ${n}.`,
        calls: Array.from({ length: n }, () => ["ls", `${n}`]),
      }),
    );
    writeFileSync(join(folder, "runs.jsonl"), `${rows.join("\n")}\n${chatRow({ task: "task-2" })}\n`);
    const store = join(folder, "out");
    await gymline(["run", join(folder, "runs.jsonl"), "--out", store, "--success", "any"]);
    const made = await gymline(["references", "--store", store]);
    expect(made.code).toBe(0);
    expect(made.stderr).toMatch(/^6 trajectories: medians of 1 task, 1 agent, 1 domain$/m);
    const references = parseReferences(JSON.parse(made.stdout), "stdout");
    // One step a call, and the answer.
    expect(references.tasks).toMatchObject({ "task-1": { n: 5, steps: 4 } });
    expect(references.domains).toMatchObject({ coding: { n: 6, steps: 3.5 } });
  });

  it("says where there is no store", async () => {
    const none = await gymline(["references", "--store", join(temporaryFolder("cli"), "none")]);
    expect([none.code, none.stdout]).toEqual([1, ""]);
    expect(none.stderr).toContain("none");
  });
});
