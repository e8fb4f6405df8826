import { describe, expect, it } from "vitest";
import type { DatasetRequest } from "../../shared/contracts/dataset-request.ts";
import { EvaluationSetError } from "../../shared/curation/evaluation-set.ts";
import type { ExportResult } from "../../shared/stages/export.ts";
import { makeRun, phrase, randomOf } from "../curation/traces.ts";
import { type ChatFacts, chatRow } from "../factories/logs.ts";
import { makeStation, type Station } from "../factories/station.ts";

type Written = Exclude<ExportResult, { kind: "empty" }>;

function written(result: ExportResult): Written {
  if (result.kind === "empty") throw new Error("the dataset is empty");
  return result;
}

function facts(seed: number, more: Partial<ChatFacts> = {}): ChatFacts {
  const calls = makeRun(seed, { steps: 20, lines: 3 }).calls.map(
    ([, params, output]) => [JSON.stringify(params), output] as const,
  );
  return { task: `task-${seed}`, prompt: `Mend ${phrase(randomOf(seed))}, case ${seed}.`, calls, ...more };
}

/** The same but for its last line of output. */
function nearly(seed: number, more: Partial<ChatFacts> = {}): ChatFacts {
  const { calls = [], ...rest } = facts(seed);
  const [command = "", output = ""] = calls.at(-1) ?? [];
  return {
    ...rest,
    calls: [...calls.slice(0, -1), [command, `${output}\nwarning: ${more.answer}`]],
    ...more,
  };
}

function drop(station: Station, rows: readonly ChatFacts[]): void {
  station.write("team/runs.jsonl", rows.map((row) => `${chatRow(row)}\n`).join(""));
}

const rows = [
  ...Array.from({ length: 6 }, (_, seed) => facts(seed)),
  nearly(0, { answer: "first" }),
  nearly(0, { answer: "second" }),
  nearly(1, { answer: "third" }),
];

describe("curate", () => {
  it("leaves near-duplicates out where that is asked for, and says which and of what", async () => {
    const station = makeStation();
    drop(station, rows);
    await station.run();
    expect(written(await station.export()).manifest.rows).toBe(9);
    const { manifest, prefix } = written(await station.export({ dedup: { near: 0.85 } }));
    expect(manifest.rows).toBe(6);
    expect(manifest.selection.excluded).toEqual({ "near-duplicate of a better one": 3 });
    const section = manifest.curation?.near_duplicates;
    expect(section).toMatchObject({ threshold: 0.85, compared: 9, clusters: 2, removed: 3 });
    const kept = new Set(
      (await Promise.all(manifest.files.map(({ path }) => station.text(prefix + path))))
        .join("")
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { id: string }).id),
    );
    for (const { id, of, similarity } of section?.entries ?? []) {
      expect([kept.has(id), kept.has(of)]).toEqual([false, true]);
      expect(similarity).toBeGreaterThanOrEqual(0.85);
    }
    expect((await station.export({ dedup: { near: 0.85 } })).kind).toBe("unchanged");
  });

  it("applies caps to what is left, not to what was there before", async () => {
    const station = makeStation();
    drop(station, rows);
    await station.run();
    const { manifest } = written(await station.export({ dedup: { near: 0.85 }, limit: 4, perTask: 1 }));
    expect(manifest.rows).toBe(4);
    expect(manifest.selection.excluded).toEqual({ "near-duplicate of a better one": 3, "over the limit": 2 });
    const { considered, selected, excluded } = manifest.selection;
    expect(considered).toBe(selected + Object.values(excluded).reduce((sum, count) => sum + count, 0));
  });

  it("keeps equal attempts where nothing is to be left out", async () => {
    const station = makeStation();
    drop(station, [facts(1), { ...facts(1), more: { started: 1 } }]);
    await station.run();
    expect(written(await station.export()).manifest.rows).toBe(1);
    expect(written(await station.export({ dedup: "off" })).manifest.rows).toBe(2);
  });

  it("leaves tasks of evaluation sets out, by id and by text, and says why without a text", async () => {
    const station = makeStation();
    const problem = Array.from({ length: 15 }, (_, index) => phrase(randomOf(900 + index))).join(" ");
    drop(station, [facts(1), facts(2), facts(3, { prompt: `Mend this. ${problem}` })]);
    await station.run();
    const files = new Map([
      ["evals/ids.txt", "TASK-1\n"],
      ["evals/held-out.jsonl", `${JSON.stringify({ id: "h1", problem_statement: problem })}\n`],
    ]);
    const evaluations = async (path: string): Promise<Uint8Array> => Buffer.from(files.get(path) ?? "");
    const against = [...files.keys()];
    const { manifest } = written(await station.export({ against }, { evaluations }));
    expect(manifest.rows).toBe(1);
    expect(manifest.selection.excluded).toEqual({
      "task of an evaluation set, by its id": 1,
      "task of an evaluation set, by its text": 1,
    });
    expect(manifest.curation?.decontamination).toMatchObject({
      words: 13,
      overlap: 0.5,
      compared: 3,
      removed: 2,
      sets: [
        { name: "ids.txt", items: 1, with_id: 1, with_text: 0 },
        { name: "held-out.jsonl", items: 1, with_id: 1, with_text: 1 },
      ],
      entries: expect.arrayContaining([
        { id: expect.any(String), set: "ids.txt", item: "TASK-1", rule: "task-id", overlap: 1 },
        { id: expect.any(String), set: "held-out.jsonl", item: "h1", rule: "text", overlap: 1 },
      ]),
    });
    expect(JSON.stringify(manifest)).not.toContain(problem.slice(0, 20));
    expect(manifest.settings["against"]).toEqual(
      manifest.curation?.decontamination?.sets.map(({ name, sha256 }) => ({ name, sha256 })),
    );
    // The version goes by what the sets hold, not by where they lie.
    const moved = async (path: string): Promise<Uint8Array> => evaluations(path.replace("moved", "evals"));
    const again = await station.export(
      { against: against.map((path) => path.replace("evals", "moved")) },
      { evaluations: moved },
    );
    expect(again).toMatchObject({ kind: "unchanged", manifest: { version: manifest.version } });
    files.set("evals/ids.txt", "TASK-1\nTASK-9\n");
    expect(written(await station.export({ against }, { evaluations })).manifest.version).not.toBe(
      manifest.version,
    );
  });

  it("counts tokens, and puts tasks in order by how many of their attempts succeeded", async () => {
    const station = makeStation();
    drop(station, [
      facts(1),
      facts(11, { task: "task-1", success: false }),
      facts(12, { task: "task-1", success: false }),
      facts(2),
      facts(3),
      facts(13, { task: "task-3", success: false }),
    ]);
    await station.run();
    const split = { train: 1, validation: 0, test: 0, seed: 1 };
    const tasksOf = async (mix: NonNullable<DatasetRequest["mix"]>) => {
      const { manifest, prefix } = written(await station.export({ mix, split }));
      const lines = (await station.text(`${prefix}train.jsonl`)).trimEnd().split("\n");
      const tasks = lines.map((line) => (JSON.parse(line) as { task_id: string }).task_id);
      return { tasks, excluded: manifest.selection.excluded };
    };
    const easy = await tasksOf({ order: "easy-first" });
    expect(easy).toEqual({ tasks: ["task-2", "task-3", "task-1"], excluded: { "did not succeed": 3 } });
    const { tasks, excluded } = await tasksOf({ tokenBudget: 3_000 });
    expect(excluded["over the token budget"]).toBe(3 - tasks.length);
    expect(tasks.length).toBeGreaterThan(0);
    expect(tasks.length).toBeLessThan(3);
  });

  it("writes nothing where a set cannot be read", async () => {
    const station = makeStation();
    drop(station, [facts(1)]);
    await station.run();
    await expect(station.export({ against: ["x.jsonl"] })).rejects.toThrow(EvaluationSetError);
    const evaluations = async (): Promise<Uint8Array> => Buffer.from("");
    await expect(station.export({ against: ["x.jsonl"] }, { evaluations })).rejects.toThrow(/holds no task/);
    expect(await station.keys("datasets/")).toEqual([]);
  });

  it("says so where everything is left out", async () => {
    const station = makeStation();
    drop(station, [facts(1)]);
    await station.run();
    const evaluations = async (): Promise<Uint8Array> => Buffer.from("task-1");
    expect(await station.export({ against: ["x.txt"] }, { evaluations })).toEqual({
      kind: "empty",
      considered: 1,
      excluded: { "task of an evaluation set, by its id": 1 },
    });
  });

  it("balances by difficulty, counted over all attempts, and says so in the manifest", async () => {
    const station = makeStation();
    drop(station, [
      facts(1),
      facts(2),
      facts(3),
      { ...facts(13, { task: "task-3" }), success: false },
      { ...facts(23, { task: "task-3" }), success: false },
      { ...facts(33, { task: "task-3" }), success: false },
    ]);
    await station.run();
    const { manifest } = written(await station.export({ mix: { balance: "difficulty" } }));
    expect(manifest.rows).toBe(2);
    expect(manifest.curation).toEqual({
      mix: {
        balance: "difficulty",
        groups: [
          { group: "easy", weight: 1, available: 2, taken: 1 },
          { group: "hard", weight: 1, available: 1, taken: 1 },
        ],
      },
    });
    expect(manifest.selection.excluded).toEqual({ "did not succeed": 3, "enough of its difficulty": 1 });
  });

  it("keeps the tasks of a repository in one split, for rows of one trajectory and of several", async () => {
    const station = makeStation();
    const repositories = Array.from({ length: 12 }, (_, index) => `owner/name-${index}`);
    const rows = repositories.flatMap((repo, index) =>
      [0, 1, 2, 3].map((task) => {
        const own = facts(100 + index * 10 + task, {
          more: { repo: task === 0 ? `https://github.com/${repo}.git` : repo },
        });
        return { ...own, success: true };
      }),
    );
    drop(station, rows);
    await station.run();
    const repoOf = new Map(
      (await station.select()).map(({ id, repo }) => [id, (repo ?? "").replace(/^.*github.com.|.git$/g, "")]),
    );
    for (const target of ["trl", "trl-grpo"] as const) {
      const split = { train: 0.5, validation: 0.3, test: 0.2, seed: 7, by: "repository" } as const;
      const { manifest, prefix } = written(await station.export({ target, name: target, split }));
      expect(manifest.files.length).toBeGreaterThan(1);
      const splits = new Map<string, Set<string>>();
      for (const line of (await station.text(`${prefix}inputs.jsonl`)).trimEnd().split("\n")) {
        const { id, split: of } = JSON.parse(line) as { id: string; split: string };
        const repo = repoOf.get(id) ?? "";
        splits.set(repo, (splits.get(repo) ?? new Set()).add(of));
      }
      expect([...splits.keys()].sort()).toEqual([...repositories].sort());
      for (const of of splits.values()) expect(of.size).toBe(1);
    }
  });
});
