import { describe, expect, it } from "vitest";
import { InlineCompute } from "../../shared/adapters/local/compute-inline.ts";
import { taskSettings } from "../../shared/adapters/local/task-settings.ts";
import type { CatalogEntry } from "../../shared/contracts/catalog-row.ts";
import { evidenceRecord } from "../../shared/contracts/evidence.ts";
import { judgeCacheKey, scoreKey } from "../../shared/contracts/keys.ts";
import type { PipelinePlan } from "../../shared/contracts/pipeline-plan.ts";
import { parseRubrics } from "../../shared/reward/rubric-book.ts";
import { rescore } from "../../shared/stages/reprocess.ts";
import { type StoredScore, storedScoreSchema } from "../../shared/stages/score-trajectory.ts";
import { addEvidence, judgement, label } from "../factories/evidence.ts";
import { chatRow } from "../factories/logs.ts";
import { makePlan } from "../factories/plan.ts";
import { makeStation, type Station } from "../factories/station.ts";

const step = (index: number, score: number) => ({
  index,
  scores: { goal_progress: score, tool_choice: score, param_correctness: score },
  rationale: "",
});

async function oneStored(): Promise<{ readonly station: Station; readonly entry: CatalogEntry }> {
  const station = makeStation();
  station.write("blue/a.json", chatRow({ task: "one" }));
  await station.run();
  const [entry] = await station.select();
  if (entry === undefined) throw new Error("nothing was stored");
  return { station, entry };
}

async function again(station: Station, plan: Partial<PipelinePlan> = {}): Promise<StoredScore> {
  const compute = new InlineCompute(await taskSettings(makePlan(plan)));
  for await (const _ of rescore({}, { ...station.local, compute })) void _;
  const [entry] = await station.select();
  const text = await station.text(scoreKey(entry?.id ?? "", entry?.scorer ?? ""));
  return storedScoreSchema.parse(JSON.parse(text));
}

describe("what models and people said of a trajectory", () => {
  it("counts when it is scored again, under a scorer of its own", async () => {
    const { station, entry } = await oneStored();
    const { id, revision } = entry;
    const before = await again(station);
    expect(before.layers).not.toContain("model");
    await addEvidence(station, {
      judgements: [judgement({ trajectory_id: id, revision, steps: [step(0, 0.1)] })],
    });
    const judged = await again(station);
    expect(judged).toMatchObject({
      judge: { judge: "0123456789abcdef", model: "a-model", scored: 1, samples: 1 },
    });
    expect(judged.layers).toContain("model");
    expect(judged.steps[0]?.layers.model).toBeCloseTo(0.1);
    expect(judged.process).toBeLessThan(before.process ?? 0);
    expect(judged.scorer).not.toBe(before.scorer);
    await addEvidence(station, { labels: [label({ trajectory_id: id, score: 0.75 })] });
    const labelled = await again(station);
    expect(labelled).toMatchObject({ human: 0.75, annotators: 1 });
    expect(labelled.parts).toContainEqual({ part: "human", value: 0.75, weight: 2 });
    expect(new Set([before.scorer, judged.scorer, labelled.scorer]).size).toBe(3);
    expect((await again(station)).scorer).toBe(labelled.scorer);
  });

  it("gives a dataset of its own, since the scores are others", async () => {
    const { station, entry } = await oneStored();
    const request = { success: ["true", "false", "unknown"] } as const;
    const first = await station.export({ success: [...request.success] });
    await addEvidence(station, { labels: [label({ trajectory_id: entry.id, score: 0 })] });
    await again(station);
    const second = await station.export({ success: [...request.success] });
    expect(first.kind).toBe("written");
    expect(second.kind).toBe("written");
    expect("prefix" in first && first.prefix).not.toBe("prefix" in second && second.prefix);
  });

  it("does not count where it is of another revision of the document", async () => {
    const { station, entry } = await oneStored();
    await addEvidence(station, {
      judgements: [judgement({ trajectory_id: entry.id, revision: "older", steps: [step(0, 0)] })],
    });
    expect((await again(station)).judge).toBeUndefined();
  });

  it("is the newest of several judges, and the mean of several people", async () => {
    const { station, entry } = await oneStored();
    const { id, revision } = entry;
    const of = (judge: string, created_at: string, score: number) =>
      judgement({ trajectory_id: id, revision, steps: [step(0, score)], changes: { judge, created_at } });
    await addEvidence(station, {
      judgements: [of("b", "2026-02-01T00:00:00.000Z", 0.9), of("a", "2026-01-01T00:00:00.000Z", 0.2)],
      labels: [0, 1].map((score) =>
        label({
          trajectory_id: id,
          score,
          changes: { annotator: `p${score}`, steps: [{ index: 0, score }] },
        }),
      ),
    });
    const scored = await again(station);
    expect(scored).toMatchObject({ human: 0.5, annotators: 2, judge: { judge: "b" } });
    expect(scored.steps[0]?.layers).toMatchObject({ model: 0.9, human: 0.5 });
  });

  it("goes by the rubrics that the user left to people", async () => {
    const { station, entry } = await oneStored();
    const rubrics = parseRubrics(
      {
        rubrics: [{ id: "kindness", description: "It is kind.", evaluator: "human" }],
        sets: { coding: { kindness: 1 } },
      },
      "rubrics.json",
    );
    await addEvidence(station, {
      labels: [label({ trajectory_id: entry.id, score: 0.1, changes: { rubrics: { kindness: 0.8 } } })],
    });
    const { domain, human } = await again(station, { rubrics });
    expect({ domain, human }).toEqual({ domain: "coding", human: 0.8 });
  });

  it("goes with the trajectory when that is forgotten, with the answers it rests on", async () => {
    const { station, entry } = await oneStored();
    const { id, revision } = entry;
    const cached = judgeCacheKey("ab".repeat(32));
    await station.local.store.put(cached, Buffer.from("{}"));
    const changes = { cache_keys: ["ab".repeat(32)] };
    await addEvidence(station, {
      judgements: [judgement({ trajectory_id: id, revision, steps: [step(0, 1)], changes })],
      labels: [label({ trajectory_id: id, score: 1 })],
    });
    const { removed } = await station.forget(id);
    expect(removed).toContain(cached);
    expect((await station.keys()).filter((key) => key.includes(id) || key === cached)).toEqual([]);
    expect(await station.local.ledger.get(evidenceRecord(id))).toBeUndefined();
  });
});
