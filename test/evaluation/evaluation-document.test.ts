import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DirectoryStore } from "../../shared/adapters/local/directory-store.ts";
import { renderPlot } from "../../shared/adapters/vega/render-plot.ts";
import { episodeSeed } from "../../shared/collect/plan-episodes.ts";
import { evaluationSchema } from "../../shared/contracts/evaluation.ts";
import type { EvaluationEpisode } from "../../shared/contracts/evaluation-episode.ts";
import { evaluationEpisodesKey } from "../../shared/contracts/keys.ts";
import type { AgentEpisodes } from "../../shared/evaluation/agent-episodes.ts";
import { combineEvaluations } from "../../shared/evaluation/combine.ts";
import { evaluationOf } from "../../shared/evaluation/evaluation-of.ts";
import { evaluationHtml } from "../../shared/evaluation/html.ts";
import { evaluationMarkdown } from "../../shared/evaluation/markdown.ts";
import {
  readEvaluation,
  resolveEvaluation,
  storeEvaluation,
} from "../../shared/evaluation/stored-evaluation.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { agent, episode, plan } from "./factories.ts";

const SEED = 3;
const FAST = { resamples: 100 } as const;

/** Verdicts by task and attempt, with the seeds that an evaluation gives. */
function solved(outcomes: readonly (readonly boolean[])[]): readonly EvaluationEpisode[] {
  return outcomes.flatMap((verdicts, index) =>
    verdicts.map((success, attempt) => {
      const task = `t${String(index).padStart(2, "0")}`;
      const seed = episodeSeed({ seed: SEED, taskId: task, attempt });
      return episode({ task, attempt, seed, success, return: Number(success) });
    }),
  );
}

const ALL = solved(Array.from({ length: 10 }, () => [true, true]));
const NONE = solved(Array.from({ length: 10 }, () => [false, false]));
const SOME = solved(Array.from({ length: 10 }, (_, task) => [task % 2 === 0, true]));

function evaluated(agents: readonly AgentEpisodes[], over: { readonly tasksHash?: string } = {}) {
  return evaluationOf(
    {
      ...{ env: { id: "test/env-v1", options: {} }, attempts: 2, seed: SEED, planned: plan(ALL) },
      tasksHash: "a".repeat(64),
      ...over,
    },
    { agents, settings: FAST },
  );
}

describe("the document of an evaluation", () => {
  it("fits its schema and has an id that follows from its content alone", () => {
    const { document } = evaluated([agent("all", ALL), agent("none", NONE)]);
    expect(evaluationSchema.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
    const again = evaluated([agent("all", ALL.toReversed()), agent("none", NONE)]);
    expect(again.document).toEqual(document);
    const other = evaluated([agent("all", ALL), agent("none", SOME)]);
    expect(other.document.id).not.toBe(document.id);
  });

  it("ranks agents and lets those that do not differ significantly share a letter", () => {
    const { document } = evaluated([agent("none", NONE), agent("all", ALL), agent("twin", ALL)]);
    expect(document.leaderboard.map(({ rank, agent: name, letters }) => [rank, name, letters])).toEqual([
      [1, "all", "a"],
      [1, "twin", "a"],
      [3, "none", "b"],
    ]);
    expect(document.valid).toBe(true);
  });

  it("gives figures without comparisons for one agent alone", () => {
    const { document } = evaluated([agent("some", SOME)]);
    expect([document.valid, document.comparisons]).toEqual([true, []]);
    expect(document.figures[0]?.metrics.success).toMatchObject({ value: 0.75, n: 10 });
    expect(document.figures[0]?.pass_at_k.map(({ k, estimate }) => [k, estimate.value])).toEqual([
      [1, 0.75],
      [2, 1],
    ]);
    expect(document.figures[0]?.cost).toMatchObject({ priced_episodes: 20 });
    expect(document.figures[0]?.cost.per_success_usd).toBeCloseTo(0.2 / 15, 12);
  });

  it("tells of every episode that is missing, failed, unplanned or of another seed, whichever they are", () => {
    const fates = fc.array(fc.constantFrom("done", "failed", "missing", "seed"), {
      minLength: ALL.length,
      maxLength: ALL.length,
    });
    fc.assert(
      fc.property(fates, (fate) => {
        const episodes = ALL.flatMap((each, index): readonly EvaluationEpisode[] => {
          if (fate[index] === "missing") return [];
          if (fate[index] === "failed") return [{ ...each, status: "failed" }];
          return [fate[index] === "seed" ? { ...each, seed: each.seed + 1 } : each];
        });
        const { document } = evaluated([agent("one", episodes), agent("two", ALL)]);
        const counted = (kind: string) => fate.filter((each) => each === kind).length;
        const told = (code: string) =>
          document.problems.find((each) => each.code === code && each.agents[0] === "one")?.count ?? 0;
        expect(told("missing_episodes")).toBe(counted("missing"));
        expect(told("failed_episodes")).toBe(counted("failed"));
        expect(told("unequal_seeds")).toBe(counted("seed"));
        const lost = counted("missing") + counted("failed");
        expect(told("too_many_failed")).toBe(lost > 1 ? lost : 0);
        expect(document.valid || lost > 1 || counted("seed") > 0).toBe(true);
        expect(document.valid && (lost > 1 || counted("seed") > 0)).toBe(false);
        const { planned, done, failed, missing } = document.figures[0]?.episodes ?? {};
        expect([planned, (done ?? 0) + (failed ?? 0) + (missing ?? 0)]).toEqual([20, 20]);
      }),
      { numRuns: 25 },
    );
  });

  it("is invalid where no attempt can be compared, rather than an error", () => {
    const failed = ALL.map((each) => ({ ...each, status: "failed" as const, success: null }));
    const { document } = evaluated([agent("all", ALL), agent("down", failed)]);
    expect(document.valid).toBe(false);
    expect(document.problems.map(({ code }) => code)).toContain("no_pairs");
    expect(document.leaderboard).toMatchObject([{ agent: "all" }, { agent: "down", rank: null }]);
  });
});

describe("stored evaluations", () => {
  it("are there once however often they are stored, and are read as they were", async () => {
    const store = new DirectoryStore(temporaryFolder("evaluations"));
    const parts = evaluated([agent("all", ALL), agent("none", NONE)]);
    expect(await storeEvaluation(store, parts)).toBe("created");
    expect(await storeEvaluation(store, parts)).toBe("exists");
    const id = await resolveEvaluation(store, parts.document.id.slice(0, 6));
    expect(await readEvaluation(store, id)).toEqual(parts);
    await expect(resolveEvaluation(store, "ffff")).rejects.toThrow(/no evaluation ffff/);
  });

  it("are not read where their episodes are not those they were made of", async () => {
    const store = new DirectoryStore(temporaryFolder("evaluations"));
    const parts = evaluated([agent("all", ALL)]);
    await storeEvaluation(store, parts);
    const key = evaluationEpisodesKey(parts.document.id);
    const text = new TextDecoder().decode(await store.read(key)).replace('"success":true', '"success":false');
    await store.put(key, new TextEncoder().encode(text));
    await expect(readEvaluation(store, parts.document.id)).rejects.toThrow(/not those that it was made of/);
  });

  it("of the same tasks and seed are combined, each agent once", () => {
    const first = evaluated([agent("all", ALL), agent("none", NONE)]);
    const second = evaluated([agent("some", SOME), agent("all", ALL)]);
    const { document } = combineEvaluations([first, second]);
    expect(document.agents.map(({ name }) => name)).toEqual(["all", "none", "some"]);
    expect(document).toEqual(
      evaluated([agent("all", ALL), agent("none", NONE), agent("some", SOME)]).document,
    );
    expect(combineEvaluations([first])).toEqual(first);
    const namesake = combineEvaluations([first, evaluated([agent("all", SOME)])]);
    expect(namesake.document.agents.map(({ name }) => name.replace(/@.*/, "@…"))).toEqual([
      "all@…",
      "none",
      "all@…",
    ]);
  });

  it("of other tasks are not combined", () => {
    const other = evaluated([agent("some", SOME)], { tasksHash: "b".repeat(64) });
    expect(() => combineEvaluations([evaluated([agent("all", ALL)]), other])).toThrow(/different tasks/);
  });
});

const HOSTILE = `<img src=x onerror=alert(1)>|"'\`*_[x](http://evil.example)&amp;</script>`;

describe("reports", () => {
  const parts = evaluated([agent(HOSTILE, ALL), agent("none", NONE)]);

  it("hold names as text, run nothing and reach nothing", async () => {
    const html = await evaluationHtml(parts.document, renderPlot);
    expect(html).not.toContain("<img src=x");
    expect(html).not.toMatch(/<script/i);
    expect(html).toContain("&lt;img src=x onerror=alert(1)&gt;");
    expect(html).toContain("default-src 'none'");
    const sources = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url ?? "");
    expect(sources.length).toBe(3);
    for (const url of sources) expect(url).toMatch(/^data:image\/svg\+xml;base64,/);
    for (const url of sources) {
      const svg = Buffer.from(url.slice(url.indexOf(",") + 1), "base64").toString("utf8");
      expect(svg).toMatch(/^<svg/);
      expect(svg).not.toContain("<img src=x");
    }
  });

  it("hold names as text in Markdown too", () => {
    const markdown = evaluationMarkdown(parts.document);
    expect(markdown).not.toContain("<img");
    expect(markdown).not.toContain("[x](");
    const [header, ...rows] = markdown.split("\n").filter((line) => line.startsWith("|"));
    const cells = (line = "") => line.replace(/\\\|/g, "").split("|").length;
    expect(cells(rows[1])).toBe(cells(header));
  });
});
