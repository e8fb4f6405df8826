import { describe, expect, it } from "vitest";
import { gdiOf } from "../../shared/curation/gdi.ts";
import { giveFeedback, giveVersionFeedback } from "../../shared/stages/give-feedback.ts";
import { NoManifestError } from "../../shared/stages/stored-manifest.ts";
import { idOf } from "../factories/catalog-rows.ts";
import { chatRow } from "../factories/logs.ts";
import { makeStation, type Station } from "../factories/station.ts";

const TASKS = ["one", "two", "three"];

async function stored(): Promise<Station> {
  const station = makeStation();
  for (const task of TASKS) station.write(`team/${task}.json`, chatRow({ task, prompt: `Do ${task}.` }));
  await station.run();
  return station;
}

describe("feedback", () => {
  it("is given to all trajectories of a dataset version that are still there, and changes nothing when repeated", async () => {
    const station = await stored();
    const result = await station.export({ limit: 2, minReward: 0 });
    if (result.kind === "empty") throw new Error("the dataset is empty");
    const { name, version } = result.manifest;
    const inside = (await station.select())
      .filter(({ exportCount }) => exportCount === 1)
      .map(({ id }) => id);
    expect(inside).toHaveLength(2);
    const { store, catalog } = station.local;
    const feedback = { source: `model trained on ${name}/${version}`, score: 0.75 };
    const give = () => giveVersionFeedback({ name, version }, { feedback, store, catalog });
    expect(await give()).toEqual({ set: 2, unchanged: 0, absent: 0 });
    expect(await give()).toEqual({ set: 0, unchanged: 2, absent: 0 });
    for (const entry of await station.select()) {
      expect(entry.feedback).toBe(inside.includes(entry.id) ? 0.75 : null);
    }
    await station.forget(inside[0] ?? "");
    expect(await give()).toEqual({ set: 0, unchanged: 1, absent: 1 });
  });

  it("of a version that is not there is refused with the object that is missing", async () => {
    const { local } = await stored();
    const giving = giveVersionFeedback(
      { name: "sft", version: "0123456789ab" },
      { ...local, feedback: { source: "x", score: 1 } },
    );
    await expect(giving).rejects.toThrow(NoManifestError);
    await expect(giving).rejects.toThrow(/datasets\/sft\/0123456789ab\/manifest\.json is not there/);
  });

  it("is refused where it is no score or names no source", async () => {
    const { local } = await stored();
    for (const feedback of [
      { source: "", score: 0.5 },
      { source: "a\nb", score: 0.5 },
      { source: "x", score: 1.2 },
      { source: "x", score: Number.NaN },
    ]) {
      await expect(giveFeedback([idOf("a")], { ...local, feedback })).rejects.toThrow();
    }
  });

  it("counts in the GDI from then on, while freshness falls from day to day", async () => {
    const station = await stored();
    const { catalog } = station.local;
    const [first] = await station.select();
    const id = first?.id ?? "";
    await giveFeedback([id], { catalog, feedback: { source: "a", score: 1 } });
    await giveFeedback([id], { catalog, feedback: { source: "b", score: 0.5 } });
    const entry = await catalog.entry(id);
    if (entry === undefined || first === undefined) throw new Error("there is no entry");
    const now = entry.createdAt;
    expect([gdiOf(first, now).feedback, gdiOf(entry, now).feedback]).toEqual([0.5, 0.75]);
    expect(gdiOf(entry, now).total - gdiOf(first, now).total).toBeCloseTo(0.2 * 0.25, 4);
    const month = now + 30 * 86_400_000;
    expect([gdiOf(entry, now).freshness, gdiOf(entry, month).freshness]).toEqual([1, 0.4]);
    await giveFeedback([id], { catalog, feedback: { source: "a", score: null } });
    expect((await catalog.entry(id))?.feedback).toBe(0.5);
  });

  it("decides what gets into a dataset that goes by the GDI, and in which order it stands", async () => {
    const station = await stored();
    const { catalog, store } = station.local;
    const ids = (await station.select()).map(({ id }) => id).sort();
    for (const [index, id] of ids.entries()) {
      await giveFeedback([id], { catalog, feedback: { source: "x", score: index / 2 } });
    }
    const result = await station.export({
      mix: { order: "gdi" },
      limit: 2,
      split: { train: 1, validation: 0, test: 0, seed: 42 },
    });
    if (result.kind === "empty") throw new Error("the dataset is empty");
    const text = Buffer.from(await store.read(`${result.prefix}train.jsonl`)).toString("utf8");
    const rows = text
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { id: string }).id);
    expect(rows).toEqual([ids[2], ids[1]]);
  });
});
