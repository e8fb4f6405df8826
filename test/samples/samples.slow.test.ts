import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordEpisode } from "./coding/episode.ts";
import { logicTasks } from "./coding/logic-tasks.ts";
import { systemTasks } from "./coding/system-tasks.ts";
import { textTasks } from "./coding/text-tasks.ts";
import { plan } from "./plan.ts";
import { recordSamples } from "./recorder.ts";
import { unpacked } from "./unpack.ts";

const committed = join(import.meta.dirname, "../../shared/samples");

/** The samples hold what GNU tools print; other systems word their messages otherwise. */
const otherSystem = process.platform !== "linux";
const where = otherSystem ? " (SKIPPED: needs Linux)" : "";

function pathsBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

describe("the committed samples", () => {
  let fresh = "";
  beforeAll(() => {
    fresh = mkdtempSync(join(tmpdir(), "gymline-recorded-"));
    if (!otherSystem) recordSamples(fresh);
  });
  afterAll(() => rmSync(fresh, { recursive: true, force: true }));

  it.skipIf(otherSystem)(`are exactly the files that the recorder writes${where}`, () => {
    expect(pathsBelow(join(committed, "drop"))).toEqual(pathsBelow(join(fresh, "drop")));
  });

  // Compressors may choose other bytes on another processor, so packed files are compared by what they hold.
  it.skipIf(otherSystem)(`hold what the recorder records again, byte for byte${where}`, async () => {
    for (const path of pathsBelow(join(fresh, "drop"))) {
      const again = await unpacked(path, readFileSync(join(fresh, "drop", path)));
      const before = await unpacked(path, readFileSync(join(committed, "drop", path)));
      expect({ path, content: [...again] }).toEqual({ path, content: [...before] });
    }
  });

  it("are small", () => {
    const sizes = pathsBelow(committed).map((path) => readFileSync(join(committed, path)).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(400_000);
  });

  it("name neither a temporary folder nor the machine that recorded them", async () => {
    for (const path of pathsBelow(join(committed, "drop"))) {
      for (const text of (await unpacked(path, readFileSync(join(committed, "drop", path)))).values()) {
        expect(text).not.toContain("gymline-samples-");
        expect(text).not.toContain("/tmp/");
        if (hostname().length > 8) expect(text).not.toContain(hostname());
      }
    }
  });
});

describe("the hidden checks", () => {
  const tasks = [...textTasks, ...logicTasks, ...systemTasks];

  it.each(tasks.map(({ id }) => id))("of %s hold for the careful agent and fail for the lost one", (task) => {
    const run = { ordinal: 0, task, toolset: "bash-and-editor" } as const;
    const careful = recordEpisode({ ...run, skill: "careful" });
    const lost = recordEpisode({ ...run, skill: "lost" });
    expect(careful.verdict).toMatchObject({ resolved: true, failed: 0 });
    expect(lost.verdict.resolved).toBe(false);
    expect(lost.verdict.failed).toBeGreaterThan(0);
    expect(lost.patch).toBe("");
  });

  it("come to the same verdict whether an agent has an editor or only a shell", () => {
    for (const skill of ["careful", "persistent", "hasty", "sloppy"] as const) {
      const run = { ordinal: 1, task: "duration-with-parts", skill };
      const withEditor = recordEpisode({ ...run, toolset: "bash-and-editor" });
      const inShell = recordEpisode({ ...run, toolset: "bash" });
      expect(inShell.verdict).toEqual(withEditor.verdict);
      expect(inShell.patch).toBe(withEditor.patch);
    }
  });
});

describe("the plan", () => {
  it("has at least two attempts at each task and case", () => {
    const attempts = new Map<string, number>();
    for (const file of plan) {
      const runs = "runs" in file ? file.runs : "run" in file ? [file.run] : [];
      for (const [task] of runs) attempts.set(task, (attempts.get(task) ?? 0) + 1);
    }
    expect([...attempts].filter(([, count]) => count < 2)).toEqual([]);
    expect(attempts.size).toBe(13);
  });
});
