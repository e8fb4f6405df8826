import { describe, expect, it } from "vitest";
import { DatasetCheckError } from "../../../shared/dataset/quality/check-error.ts";
import {
  CHECK_IDS,
  CHECKS,
  type CheckId,
  type CheckResult,
  checksSchema,
} from "../../../shared/dataset/quality/checks.ts";
import { inspectRow } from "../../../shared/dataset/quality/inspect-row.ts";
import { type CheckPlan, RowChecks } from "../../../shared/dataset/quality/row-checks.ts";
import type { SplitName } from "../../../shared/dataset/split.ts";
import { type TargetId, targetOf } from "../../../shared/dataset/targets/targets.ts";
import type { Row } from "../../../shared/dataset/targets/write-row.ts";
import { redactionConfigSchema } from "../../../shared/redaction/config.ts";
import { createRedactor } from "../../../shared/redaction/redactor.ts";

const redactor = createRedactor(redactionConfigSchema.parse({}));
const countTokens = (text: string): number => text.split(/\s+/).length;

interface Placed {
  readonly row: Row;
  readonly split?: SplitName;
  readonly repo?: string;
}

function checked(
  target: TargetId,
  rows: readonly Placed[],
  plan: Partial<CheckPlan> & { readonly checks?: object } = {},
): ReadonlyMap<CheckId, CheckResult> {
  const { checks = {}, ...more } = plan;
  const settings = checksSchema.parse(checks);
  const run = new RowChecks({ target: targetOf(target), settings, splitBy: "task", ...more });
  for (const { row, split = "train", repo = null } of rows) {
    const inspection = inspectRow(row, { target: targetOf(target), redactor, countTokens });
    const { id, contentId, task } = inspection.origin;
    run.add({ split, inspection, task, members: [{ id, contentId, repo }] });
  }
  return new Map(run.finish().map((result) => [result.id, result]));
}

function found(results: ReadonlyMap<CheckId, CheckResult>): Readonly<Record<string, string>> {
  const list = [...results.values()].filter(({ count }) => count > 0);
  return Object.fromEntries(list.map(({ id, outcome, count }) => [id, `${outcome} ${count}`]));
}

const NO_PROMPT = { "missing-values": "failed 1", "empty-prompt": "failed 1" };

let made = 0;
/** A row for TRL's SFT trainer that passes every check. */
function sft(more: Row = {}): Placed {
  made += 1;
  const call = { id: "c", type: "function", function: { name: "bash", arguments: '{"command":"ls"}' } };
  const messages = [
    { role: "user", content: `Mend file number ${made} of the ${made * 7} files in folder ${made * 13}.` },
    { role: "assistant", content: "", tool_calls: [call] },
    { role: "tool", tool_call_id: "c", content: "a.txt" },
    { role: "assistant", content: "Done." },
  ];
  const ids = { id: `id-${made}`, content_id: `content-${made}`, task_id: `task-${made}` };
  return { row: { messages, tools: "[]", weights: [0, 1, 0, 1], ...ids, ...more } };
}

function dpo(chosen: string, rejected: string, more: Row = {}): Placed {
  made += 1;
  const say = (content: string): object => ({ role: "assistant", content });
  const prompt = [{ role: "user", content: `Question ${made}` }];
  return {
    row: {
      prompt,
      chosen: [say(chosen)],
      rejected: [say(rejected)],
      tools: "[]",
      margin: 0.5,
      task: `t${made}`,
      ...more,
    },
  };
}

function attempt(group: string, reward: number, size = 2): Placed {
  return sft({
    group,
    reward,
    group_size: size,
    group_mean: 0.5,
    group_std: 0.1,
    step_rewards: [],
    prompt_token_ids: [],
    completion_token_ids: [],
    logprobs: [],
    task_id: group,
  });
}

describe("the checks of rows", () => {
  it("find nothing in rows that are as they should be", () => {
    const results = checked("trl", [sft(), sft(), { ...sft(), split: "validation" }], {
      wanted: ["train", "validation"],
    });
    expect(found(results)).toEqual({});
    expect([...results.keys()]).toEqual(CHECK_IDS);
  });

  it.each<[string, TargetId, readonly Placed[], object, Record<string, string>]>([
    ["a column that is null", "trl-dpo", [dpo("a", "b", { prompt: null })], {}, NO_PROMPT],
    ["a column that is absent", "trl-dpo", [dpo("a", "b", { prompt: undefined })], {}, NO_PROMPT],
    ["nothing in a column that may be null", "trl", [sft(), sft({ tools: null })], {}, {}],
    [
      "a column that the target has not",
      "trl",
      [sft({ answer: "42" })],
      {},
      { "unknown-columns": "failed 1" },
    ],
    [
      "a conversation that the agent begins",
      "trl",
      [sft({ messages: [{ role: "assistant", content: "Hi." }], weights: [1] })],
      {},
      { "empty-prompt": "failed 1" },
    ],
    [
      "a prompt of white space",
      "trl",
      [
        sft({
          messages: [
            { role: "user", content: " \n" },
            { role: "assistant", content: "Hi." },
          ],
          weights: [0, 1],
        }),
      ],
      {},
      { "empty-prompt": "failed 1" },
    ],
    [
      "a message to be learnt that is empty",
      "trl",
      [
        sft({
          weights: [0, 1, 0, 1],
          messages: [
            { role: "user", content: "a b" },
            { role: "assistant", content: "x" },
            { role: "user", content: "c" },
            { role: "assistant", content: " " },
          ],
        }),
      ],
      {},
      { "empty-assistant": "failed 1" },
    ],
    [
      "an empty message that is masked",
      "trl",
      [
        sft({
          weights: [0, 1, 0, 0],
          messages: [
            { role: "user", content: "a b" },
            { role: "assistant", content: "x" },
            { role: "user", content: "c" },
            { role: "assistant", content: "" },
          ],
        }),
      ],
      {},
      {},
    ],
    [
      "rows that teach nothing",
      "trl",
      [sft({ weights: [0, 0, 0, 0] })],
      {},
      { "empty-assistant": "failed 1" },
    ],
    [
      "rows over a number of tokens",
      "trl",
      [sft(), sft({ tools: "a ".repeat(500) })],
      { maxTokens: 400 },
      { "over-length": "failed 1" },
    ],
    [
      "a secret that a call holds",
      "trl",
      [
        sft({
          messages: [
            { role: "user", content: "a b" },
            {
              role: "assistant",
              content: "export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzKEY",
            },
          ],
          weights: [0, 1],
        }),
      ],
      {},
      { secrets: "failed 1" },
    ],
    [
      "equal sides",
      "trl-dpo",
      [dpo("yes", "no"), dpo("same", "same")],
      {},
      { "one-sided-pairs": "failed 1" },
    ],
    [
      "a chosen side of less reward",
      "trl-dpo",
      [dpo("yes", "no", { margin: -0.1, preferred_by: "reward" })],
      {},
      { "one-sided-pairs": "failed 1" },
    ],
    [
      "a chosen side of less reward that people preferred",
      "trl-dpo",
      [dpo("yes", "no", { margin: -0.1, preferred_by: "votes" })],
      {},
      {},
    ],
    [
      "chosen sides that are the longer ones",
      "trl-dpo",
      Array.from({ length: 30 }, () => dpo("much longer", "short")),
      {},
      { "longer-chosen": "warned 30" },
    ],
    [
      "a group of equal rewards",
      "grpo-offline",
      [attempt("a", 0.2), attempt("a", 0.7), attempt("b", 0.5), attempt("b", 0.5)],
      {},
      { "equal-rewards": "failed 1" },
    ],
    [
      "a group that lacks a row",
      "grpo-offline",
      [attempt("a", 0.2, 3), attempt("a", 0.7, 3)],
      {},
      { "incomplete-groups": "warned 1" },
    ],
  ])("find %s", (_, target, rows, checks, expected) => {
    expect(found(checked(target, rows, { checks }))).toEqual(expected);
  });

  it("find leaks between splits: of a task, of contents, of a repository where the set is split by it", () => {
    const other = { split: "test" } as const;
    const task = [sft({ task_id: "t" }), { ...sft({ task_id: "t" }), ...other }];
    expect(found(checked("trl", task))).toEqual({ "leak-task": "failed 1" });
    const content = [
      sft({ content_id: "c" }),
      sft({ content_id: "c" }),
      { ...sft({ content_id: "c" }), ...other },
    ];
    expect(found(checked("trl", content))).toEqual({ "leak-content": "failed 1" });
    const repo = [
      { ...sft(), repo: "a/b" },
      { ...sft(), repo: "a/b", ...other },
    ];
    expect(found(checked("trl", repo))).toEqual({});
    expect(found(checked("trl", repo, { splitBy: "repository" }))).toEqual({ "leak-repository": "failed 1" });
  });

  it("find prompts in two splits that are equal, or nearly so, and not those of one split", () => {
    const words = Array.from({ length: 120 }, (_, index) => `word${index}`);
    const asked = (text: string, split: SplitName): Placed => ({
      ...sft({
        messages: [
          { role: "user", content: text },
          { role: "assistant", content: "Done." },
        ],
        weights: [0, 1],
      }),
      split,
    });
    const near = [...words.slice(0, 60), "another", ...words.slice(61)].join(" ");
    const rows = [
      asked(words.join(" "), "train"),
      asked(near, "validation"),
      asked(words.slice(0, 50).join(" "), "test"),
    ];
    const results = checked("trl", rows);
    expect(found(results)).toEqual({ "leak-text": "warned 1" });
    expect(results.get("leak-text")?.places).toMatchObject([{ split: "validation", row: 1 }]);
    expect(found(checked("trl", rows, { checks: { nearText: 1 } }))).toEqual({});
    expect(found(checked("trl", rows, { checks: { fail: ["leak-text"] } }))).toEqual({
      "leak-text": "failed 1",
    });
    const layout = [
      asked("Fix the  bug, now!", "train"),
      asked("fix the bug now", "test"),
      asked("fix the bug now", "test"),
    ];
    expect(found(checked("trl", layout))).toEqual({ "leak-text": "warned 1" });
    expect(found(checked("trl", [asked(near, "train"), asked(near, "train")]))).toEqual({});
  });

  it("find labels of one kind, and a kind that is rare", () => {
    const kto = (label: boolean): Placed => ({
      row: {
        ...dpo("a", "b").row,
        chosen: undefined,
        rejected: undefined,
        completion: [{ role: "assistant", content: "x" }],
        label,
      },
    });
    const rows = (good: number, bad: number): readonly Placed[] => [
      ...Array.from({ length: good }, () => kto(true)),
      ...Array.from({ length: bad }, () => kto(false)),
    ];
    const of = (good: number, bad: number, checks = {}): Record<string, string> => {
      const { "unknown-columns": _, ...rest } = found(checked("trl-kto", rows(good, bad), { checks }));
      return rest;
    };
    expect(of(4, 0)).toEqual({ "one-sided-labels": "failed 4" });
    expect(of(4, 2)).toEqual({});
    expect(of(97, 3)).toEqual({ "label-imbalance": "warned 3" });
    expect(of(97, 3, { minLabelShare: 0.02 })).toEqual({});
  });

  it("tell a split that should have rows and has none", () => {
    expect(found(checked("trl", [sft()], { wanted: ["train", "test"] }))).toEqual({
      "empty-split": "warned 1",
    });
  });

  it("let a failing check pass where it is allowed, and name no more places than asked for", () => {
    const rows = Array.from({ length: 9 }, () => dpo("a", "b", { prompt: null }));
    const results = checked("trl-dpo", rows, { checks: { allow: ["missing-values"], places: 2 } });
    expect(results.get("missing-values")).toMatchObject({ outcome: "allowed", count: 9 });
    expect(results.get("missing-values")?.places.map(({ row }) => row)).toEqual([1, 2]);
  });

  it("are told with count, places and remedy, and never with content", () => {
    const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzKEY";
    const messages = [
      { role: "user", content: "a b" },
      { role: "assistant", content: `export AWS_SECRET_ACCESS_KEY=${secret}` },
    ];
    const results = checked("trl", [sft(), sft({ messages, weights: [0, 1], id: "the-id" })]);
    const failed = [...results.values()].filter(({ outcome }) => outcome === "failed");
    const { message } = new DatasetCheckError("sft", failed);
    expect(message).toMatch(/secrets: 1 .*: train row 2 \(the-id: messages [A-Z_]+\)/);
    expect(message).toContain(CHECKS.secrets.remedy);
    expect(message).toContain("--allow secrets");
    expect(message).not.toContain(secret.slice(0, 10));
  });

  it("know every setting by name", () => {
    expect(checksSchema.safeParse({ allow: ["secret"] }).error?.issues[0]?.message).toMatch(
      /there is no check "secret"; the known ones are missing-values/,
    );
  });
});
