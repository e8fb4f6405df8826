import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type DecontaminationConfig,
  Decontaminator,
  decontaminationSchema,
  repositoryName,
  type TaskFacts,
} from "../../shared/curation/decontaminate.ts";
import { EvaluationSetError, parseEvaluationSet } from "../../shared/curation/evaluation-set.ts";
import { phrase, randomOf } from "./traces.ts";

function setOf(text: string, path = "evals/held-out.jsonl") {
  return parseEvaluationSet(Buffer.from(text), path);
}

function rowsText(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

function against(rows: readonly unknown[], config: Partial<DecontaminationConfig> = {}): Decontaminator {
  return new Decontaminator([setOf(rowsText(rows))], decontaminationSchema.parse(config));
}

function task(facts: Partial<TaskFacts>): TaskFacts {
  return { id: null, repo: null, commit: null, texts: [], ...facts };
}

/** A text of `count` words of its own. */
function wordy(seed: number, count: number): string {
  const random = randomOf(seed);
  return Array.from({ length: Math.ceil(count / 3) }, () => phrase(random))
    .join(" ")
    .split(" ")
    .slice(0, count)
    .join(" ");
}

describe("parseEvaluationSet", () => {
  it("finds fields by their usual names, in JSON Lines, JSON lists, wrapped lists and text files", () => {
    const swe = {
      instance_id: "a__b-1",
      repo: "a/b",
      base_commit: "0123456789ab",
      problem_statement: "It breaks.",
    };
    const expected = {
      label: "a__b-1",
      id: "a__b-1",
      repo: "a/b",
      commit: "0123456789ab",
      texts: ["It breaks."],
    };
    for (const [text, path] of [
      [rowsText([swe]), "x.jsonl"],
      [JSON.stringify([swe]), "x.json"],
      [JSON.stringify({ rows: [{ row_idx: 0, row: swe }] }), "x.json"],
      [`\uFEFF${JSON.stringify({ instances: [swe] }, null, 2)}`, "x.JSON"],
    ] as const) {
      expect(setOf(text, path).items).toEqual([expected]);
    }
    const list = setOf("task-1\n\nWhat is the capital of France?\r\n", "folder/list.txt");
    expect(list).toMatchObject({ name: "list.txt", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(list.items).toEqual([
      { label: "task-1", id: "task-1", repo: null, commit: null, texts: [] },
      { label: "list.txt:3", id: null, repo: null, commit: null, texts: ["What is the capital of France?"] },
    ]);
  });

  it("takes what users say from messages, whether as text or in parts", () => {
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "user", content: [{ type: "text", text: "First." }, { type: "image_url" }] },
      { role: "assistant", content: "Yes." },
      { from: "human", value: "Second." },
    ];
    expect(setOf(rowsText([{ messages }])).items[0]?.texts).toEqual(["First.", "Second."]);
    expect(setOf(rowsText([{ prompt: messages }])).items[0]?.texts).toEqual(["First.", "Second."]);
  });

  it("takes a mere number for no id", () => {
    const [item] = setOf(rowsText([{ id: 17, question: "Why?" }])).items;
    expect(item).toMatchObject({ id: null, label: "held-out.jsonl:1" });
  });

  it.each([
    ["", "x.jsonl", /x\.jsonl holds no task/],
    ["[]", "x.json", /x\.json holds no task/],
    ["", "x.json", /x\.json is empty/],
    ["\n \n", "x.txt", /x\.txt holds no task/],
    ["3", "x.json", /x\.json is neither a list of tasks/],
    ['{"id": "a"}\n{"id": ', "x.jsonl", /x\.jsonl:2 is no valid JSON/],
    [
      '{"id": "a"}\n{"answer": "secret words"}',
      "x.jsonl",
      /x\.jsonl:2 has no field to compare by; give task_id/,
    ],
    ['[{"id": 3}]', "x.json", /x\.json \$\[0\] has no field to compare by/],
    ["[3]", "x.json", /x\.json \$\[0\] is no task/],
    ["PAR1", "x.parquet", /x\.parquet: evaluation sets are read from \.jsonl, \.json or \.txt/],
  ])("says of %j in %s what is wrong, and quotes nothing", (text, path, message) => {
    expect(() => setOf(text, path)).toThrow(EvaluationSetError);
    expect(() => setOf(text, path)).toThrow(message);
    expect(() => setOf(text, path)).not.toThrow(/secret/);
  });
});

describe("Decontaminator", () => {
  it("knows a task by its id, whatever its case", () => {
    const sets = against([{ task_id: "HumanEval/3" }]);
    expect(sets.match(task({ id: "humaneval/3" }))).toEqual({
      set: "held-out.jsonl",
      item: "HumanEval/3",
      rule: "task-id",
      overlap: 1,
    });
    expect(sets.match(task({ id: "HumanEval/30" }))).toBeUndefined();
  });

  it("knows a task by repository and commit, however they are written", () => {
    const sets = against([{ repo: "django/django", base_commit: "ABCDEF0123456789" }]);
    const match = (repo: string, commit: string) => sets.match(task({ repo, commit }))?.rule;
    expect(match("https://github.com/Django/django.git", "abcdef0123")).toBe("repository-commit");
    expect(match("git@github.com:django/django", "abcdef0123456789")).toBe("repository-commit");
    expect(match("django/django", "abcdef9")).toBeUndefined();
    expect(match("other/django", "abcdef0123456789")).toBeUndefined();
    expect(match("django/django", "abc")).toBeUndefined();
    expect(repositoryName("ssh://git@gitlab.com/a/b/")).toBe("a/b");
  });

  it("knows a task by its text inside a prompt of another wording, layout and case", () => {
    const problem = wordy(1, 60);
    const sets = against([{ id: "one", problem_statement: problem }]);
    const prompt = `You are an engineer.\n<issue>\n${problem.toUpperCase().replaceAll(" ", ",\n")}\n</issue>\nMend it.`;
    expect(sets.match(task({ texts: [prompt] }))).toMatchObject({ item: "one", rule: "text", overlap: 1 });
  });

  it("says how much of a task's text is there, and leaves it alone below the share", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 60 }), (seed, kept) => {
        const problem = wordy(seed, 60);
        const half = problem.split(" ").slice(0, kept).join(" ");
        const found = against([{ question: problem }]).match(task({ texts: [`Please: ${half}`] }));
        const share = Math.max(0, kept - 12) / 48;
        if (share >= 0.5) expect(found?.overlap).toBeCloseTo(share, 1);
        else expect(found).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it("takes short texts whole: of 8 words or more inside another, of fewer on their own only", () => {
    const sets = against([
      { id: "ten", question: "how many legs do nine spiders and two cats have" },
      { id: "two", question: "Fix bug." },
    ]);
    const match = (text: string) => sets.match(task({ texts: [text] }))?.item;
    expect(match("Tell me: how many legs do nine spiders and two cats have?")).toBe("ten");
    expect(match("Tell me: how many legs do nine spiders have?")).toBeUndefined();
    expect(match("fix  BUG")).toBe("two");
    expect(match("Please fix bug 17.")).toBeUndefined();
  });

  it("compares texts without blanks between words", () => {
    const question = "小明有三个苹果他又买了五个苹果请问他现在一共有几个苹果";
    const sets = against([{ id: "zh", question }]);
    expect(sets.match(task({ texts: [`请回答：${question}？`] }))?.item).toBe("zh");
    expect(
      sets.match(task({ texts: ["请回答：今天北京的天气怎么样？我想去公园散步可以吗"] })),
    ).toBeUndefined();
  });

  it("takes what stands in most evaluation tasks for their template", () => {
    const template = wordy(7, 80);
    const rows = Array.from({ length: 20 }, (_, index) => ({
      id: `q${index}`,
      prompt: `${template} ${wordy(100 + index, 20)}`,
    }));
    const sets = against(rows);
    expect(sets.match(task({ texts: [`${template} ${wordy(999, 20)}`] }))).toBeUndefined();
    expect(sets.match(task({ texts: [`${template} ${wordy(104, 20)}`] }))?.item).toBe("q4");
    // One task in many rows is no template.
    const same = against(Array.from({ length: 20 }, (_, index) => ({ id: `q${index}`, prompt: template })));
    expect(same.match(task({ texts: [`Well: ${template}`] }))?.item).toBe("q0");
  });

  it("finds nothing in texts of their own, of any length", () => {
    const sets = against(Array.from({ length: 50 }, (_, index) => ({ question: wordy(index, 40) })));
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 2000 }), fc.nat(200), (seed, length) => {
        expect(sets.match(task({ texts: [wordy(seed, length)] }))).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });
});
