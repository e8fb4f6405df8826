import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { EpisodeFolder, RunFolderError } from "../../shared/adapters/local/episode-folder.ts";
import { StoreBusyError } from "../../shared/adapters/local/run-lock.ts";
import type { EpisodeEntry } from "../../shared/collect/episode-entry.ts";
import { MemoryLedger } from "../../shared/collect/memory-ledger.ts";
import { temporaryFolder } from "../factories/temporary.ts";

function entryOf(id: string, more: Partial<EpisodeEntry> = {}): Omit<EpisodeEntry, "file"> {
  return {
    schema: "gymline.episode.v1",
    run: "r",
    ...{ id, task: id, attempt: 0, seed: 1, kind: "done", success: true, score: null, reward: 1 },
    ...{ turns: 2, steps: 2, stop: "terminated", tokens: null, cost_usd: null, error: null },
    started_at: "2026-01-01T00:00:00.000Z",
    seconds: 1.5,
    ...more,
  };
}

const document = (text: string) => ({ bytes: new TextEncoder().encode(text), extension: ".json" });
const FAILED = { kind: "failed", success: null, error: { name: "X", message: "y" } } as const;

function begun(root = temporaryFolder("run"), run = "r"): EpisodeFolder {
  const folder = EpisodeFolder.begin(root, run, { folder: run });
  onTestFinished(() => folder.close());
  return folder;
}

function resumed(root: string, run = "r"): EpisodeFolder {
  const { folder } = EpisodeFolder.resume(root, run);
  onTestFinished(() => folder.close());
  return folder;
}

describe.each([
  ["in memory", () => new MemoryLedger()],
  ["in a folder", () => begun()],
])("a ledger %s", (_, make) => {
  it("gives back what it keeps, the last entry of each episode", async () => {
    const ledger = make();
    expect(await ledger.entries()).toEqual(new Map());
    const failed = await ledger.keep(entryOf("a", FAILED), null);
    expect(failed).toEqual({ ...entryOf("a", FAILED), file: null });
    const kept = await ledger.keep(entryOf("a"), document("{}"));
    await ledger.keep(entryOf("b"), document("[]"));
    expect(kept.file).toContain("a.json");
    expect([...(await ledger.entries()).keys()]).toEqual(["a", "b"]);
    expect((await ledger.entries()).get("a")).toEqual(kept);
  });
});

describe("a run's folder", () => {
  it("drops what is done where ingest looks, and nothing else", async () => {
    const root = temporaryFolder("run");
    const folder = begun(root);
    const done = await folder.keep(entryOf("a"), document('{"a":1}'));
    const failed = await folder.keep(entryOf("b", FAILED), document('{"b":1}'));
    expect(done.file).toBe("r/a.json");
    expect(readFileSync(join(root, "r/a.json"), "utf8")).toBe('{"a":1}');
    expect(failed.file).toBe(".runs/r/failed/b.json");
    expect(readdirSync(root).filter((name) => !name.startsWith("."))).toEqual(["r"]);
    expect(readdirSync(join(root, "r"))).toEqual(["a.json"]);
    expect(JSON.parse(readFileSync(join(root, ".runs/r/failures.jsonl"), "utf8"))).toMatchObject({ id: "b" });
  });

  it("is gone on with by another process, whose settings it gives", async () => {
    const root = temporaryFolder("run");
    const first = EpisodeFolder.begin(root, "r", { folder: "team/r", seed: 5 });
    await first.keep(entryOf("a"), document("{}"));
    first.close();
    const { folder, settings } = EpisodeFolder.resume(root, "r");
    onTestFinished(() => folder.close());
    expect(settings).toEqual({ folder: "team/r", seed: 5 });
    expect((await folder.keep(entryOf("b"), document("{}"))).file).toBe("team/r/b.json");
    expect([...(await folder.entries()).keys()]).toEqual(["a", "b"]);
  });

  it("is written by one process at a time", () => {
    const root = temporaryFolder("run");
    begun(root);
    expect(() => EpisodeFolder.resume(root, "r")).toThrow(StoreBusyError);
  });

  it("leaves out an entry that a kill cut in two, and writes the next one whole", async () => {
    const root = temporaryFolder("run");
    const ledger = join(root, ".runs/r/episodes.jsonl");
    const first = EpisodeFolder.begin(root, "r", { folder: "r" });
    await first.keep(entryOf("a"), document("{}"));
    first.close();
    const whole = readFileSync(ledger, "utf8");
    for (const cut of [1, 20, whole.length - 1]) {
      appendFileSync(ledger, whole.slice(0, cut));
      const { folder } = EpisodeFolder.resume(root, "r");
      expect([...(await folder.entries()).keys()]).toEqual(["a"]);
      folder.close();
      expect(readFileSync(ledger, "utf8")).toBe(whole);
    }
    const last = resumed(root);
    await last.keep(entryOf("b"), null);
    expect(readFileSync(ledger, "utf8").trim().split("\n")).toHaveLength(2);
  });

  it("names the line of its ledger that somebody damaged", () => {
    const root = temporaryFolder("run");
    EpisodeFolder.begin(root, "r", { folder: "r" }).close();
    const ledger = join(root, ".runs/r/episodes.jsonl");
    writeFileSync(ledger, `${JSON.stringify({ ...entryOf("a"), file: null })}\n{"schema":"other"}\n`);
    expect(() => EpisodeFolder.resume(root, "r")).toThrow(/episodes\.jsonl:2 is no entry of a run/);
    writeFileSync(ledger, "nonsense\n");
    expect(() => EpisodeFolder.resume(root, "r")).toThrow(/episodes\.jsonl:1 cannot be read/);
  });

  it("refuses a name that is taken, that is unknown, or that leads elsewhere", () => {
    const root = temporaryFolder("run");
    begun(root);
    expect(() => EpisodeFolder.begin(root, "r", { folder: "r" })).toThrow(/There is a run r/);
    expect(() => EpisodeFolder.resume(root, "other")).toThrow(/There is no run other/);
    for (const name of ["../x", ".runs", "a/b", ""]) {
      expect(() => EpisodeFolder.begin(root, name, { folder: "r" })).toThrow(RunFolderError);
    }
    expect(existsSync(join(root, "../x"))).toBe(false);
  });
});
