import { describe, expect, it } from "vitest";
import { InlineCompute } from "../../shared/adapters/local/compute-inline.ts";
import { taskSettings } from "../../shared/adapters/local/task-settings.ts";
import { scoreKey, scorePrefix, trajectoryKey, trajectoryPrefix } from "../../shared/contracts/keys.ts";
import type { PipelinePlan } from "../../shared/contracts/pipeline-plan.ts";
import { parseRewardConfig } from "../../shared/reward/config.ts";
import { prune, type Rescored, rescore } from "../../shared/stages/reprocess.ts";
import { chatRow } from "../factories/logs.ts";
import { makePlan } from "../factories/plan.ts";
import { makeStation, type Station } from "../factories/station.ts";

const otherWeights = parseRewardConfig({ outcomeWeight: 0.8, processWeight: 0.1, efficiencyWeight: 0.1 });

async function rescored(
  station: Station,
  plan: Partial<PipelinePlan>,
  options: { readonly since?: number } = {},
): Promise<readonly Rescored[]> {
  const compute = new InlineCompute(await taskSettings(makePlan(plan)));
  const changed: Rescored[] = [];
  for await (const item of rescore(options, { ...station.local, compute })) changed.push(item);
  return changed;
}

async function filled(): Promise<Station> {
  const station = makeStation();
  for (const task of ["a", "b", "c"]) station.write(`team/${task}.json`, chatRow({ task }));
  await station.run();
  return station;
}

describe("scoring again", () => {
  it("puts the new score beside the old one and points the catalog to it", async () => {
    const station = await filled();
    const before = await station.select();
    const changed = await rescored(station, { reward: otherWeights });
    expect(changed.map(({ id }) => id).sort()).toEqual(before.map(({ id }) => id).sort());
    for (const entry of await station.select()) {
      const old = before.find(({ id }) => id === entry.id)?.scorer ?? "";
      expect(entry.scorer).not.toBe(old);
      expect(await station.keys(scorePrefix(entry.id))).toEqual(
        [scoreKey(entry.id, old), scoreKey(entry.id, entry.scorer ?? "")].sort(),
      );
    }
  });

  it("changes nothing the second time", async () => {
    const station = await filled();
    await rescored(station, { reward: otherWeights });
    const [rows, keys] = [await station.select(), await station.keys()];
    expect(await rescored(station, { reward: otherWeights })).toEqual([]);
    expect([await station.select(), await station.keys()]).toEqual([rows, keys]);
  });

  it("takes only what came in since the given time", async () => {
    const station = await filled();
    const times = (await station.select()).map(({ createdAt }) => createdAt).sort();
    const changed = await rescored(station, { reward: otherWeights }, { since: times[1] ?? 0 });
    expect(changed).toHaveLength(2);
  });
});

describe("pruning", () => {
  it("removes older revisions and scores of other scorers, and nothing that the catalog points to", async () => {
    const station = await filled();
    const { redaction } = makePlan();
    await station.run(
      { reward: otherWeights, redaction: { ...redaction, disabled: ["email"] } },
      { force: true },
    );
    const entries = await station.select();
    const [first] = entries;
    expect(await station.local.catalog.revisions(first?.id ?? "")).toHaveLength(2);
    const removed = await prune({}, station.local);
    expect(removed).toHaveLength(2 * entries.length);
    for (const { id, scorer, revision } of entries) {
      expect(await station.keys(trajectoryPrefix(id))).toEqual([trajectoryKey(id)]);
      expect(await station.keys(scorePrefix(id))).toEqual([scoreKey(id, scorer ?? "")]);
      expect(await station.local.catalog.revisions(id)).toEqual([revision]);
      expect((await station.document(id)).extra.gymline.provenance.revision).toBe(revision);
    }
    expect(await prune({}, station.local)).toEqual([]);
  });
});
