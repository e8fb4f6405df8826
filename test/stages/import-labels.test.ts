import { describe, expect, it } from "vitest";
import type { FileLabel } from "../../shared/annotation/labels-file.ts";
import { labelKey } from "../../shared/contracts/keys.ts";
import type { Label } from "../../shared/contracts/label.ts";
import { evidenceOf } from "../../shared/stages/add-evidence.ts";
import { importLabel, importLabels, type LabelPorts, labelsOf } from "../../shared/stages/import-labels.ts";
import { makeLabel } from "../annotation/label-factory.ts";
import { idOf } from "../factories/catalog-rows.ts";
import { chatRow } from "../factories/logs.ts";
import { makeStation, type Station } from "../factories/station.ts";

async function stored(
  tasks = ["one", "two"],
): Promise<{ readonly station: Station; readonly ports: LabelPorts; readonly ids: readonly string[] }> {
  const station = makeStation();
  for (const task of tasks) station.write(`team/${task}.json`, chatRow({ task }));
  await station.run();
  const { store, catalog } = station.local;
  const ids = (await station.select()).map(({ id }) => id);
  return { station, ports: { store, catalog, ledger: catalog.ledger }, ids };
}

const filed = (labels: readonly Label[]): readonly FileLabel[] =>
  labels.map((label, index) => ({ label, file: "ann.json", place: `labels[${index}]` }));

describe("labels that are taken in", () => {
  it("stand in the store and are noted in the ledger", async () => {
    const { ports, ids } = await stored();
    const [first = "", second = ""] = ids;
    const labels = [makeLabel(first), makeLabel(second), makeLabel(first, { annotator: "bob" })];
    const result = await importLabels(filed(labels), ports);
    expect(result).toEqual({
      counts: { added: 3, replaced: 0, unchanged: 0, outdated: 0 },
      refused: [],
      changed: [...ids].sort(),
    });
    expect(await labelsOf(first, ports)).toEqual([makeLabel(first), makeLabel(first, { annotator: "bob" })]);
    expect((await evidenceOf(first, ports.ledger)).annotators).toEqual(["ann", "bob"]);
  });

  it("change nothing when they come again, and replace earlier ones of the same annotator", async () => {
    const { ports, ids } = await stored();
    const [id = ""] = ids;
    await importLabels(filed([makeLabel(id)]), ports);
    const again = await importLabels(filed([makeLabel(id)]), ports);
    expect([again.counts.unchanged, again.changed]).toEqual([1, []]);
    const better = makeLabel(id, { score: 1, labelled_at: "2026-02-01T12:00:00Z" });
    expect((await importLabels(filed([better]), ports)).counts.replaced).toBe(1);
    expect(await labelsOf(id, ports)).toEqual([better]);
  });

  it("count as feedback of their annotators, also where a kill came between the label and the feedback", async () => {
    const { ports, ids } = await stored();
    const [id = ""] = ids;
    const label = makeLabel(id, { score: 0.25 });
    await importLabels(filed([label, makeLabel(id, { annotator: "bob", score: 1 })]), ports);
    expect(await ports.catalog.feedbackOf(id)).toEqual([
      { source: "label:ann", score: 0.25 },
      { source: "label:bob", score: 1 },
    ]);
    await ports.catalog.setFeedback(id, { source: "label:ann", score: null });
    expect((await importLabels(filed([label]), ports)).counts).toMatchObject({ unchanged: 1 });
    expect(await ports.catalog.entry(id)).toMatchObject({ feedback: 0.625 });
  });

  it("do not take the place of later ones, in whatever order the files come", async () => {
    const { ports, ids } = await stored();
    const [id = ""] = ids;
    const late = makeLabel(id, { score: 1, labelled_at: "2026-02-01T12:00:00+02:00" });
    const early = makeLabel(id, { score: 0, labelled_at: "2026-02-01T11:00:00+02:00" });
    await importLabels(filed([late, early]), ports);
    expect(await labelsOf(id, ports)).toEqual([late]);
    expect((await importLabels(filed([early]), ports)).counts).toMatchObject({ outdated: 1, replaced: 0 });
    expect(await labelsOf(id, ports)).toEqual([late]);
    expect(await ports.catalog.entry(id)).toMatchObject({ feedback: 1 });
  });

  it("of unknown trajectories are listed with their place, and the others come in", async () => {
    const { ports, ids } = await stored();
    const labels = [makeLabel("nowhere"), makeLabel(ids[0] ?? "")];
    const { counts, refused } = await importLabels(filed(labels), ports);
    expect(counts.added).toBe(1);
    const reason = "the store holds no such trajectory";
    expect(refused).toMatchObject([
      { file: "ann.json", place: "labels[0]", trajectoryId: idOf("nowhere"), reason },
    ]);
  });

  it("of steps that there are not are refused", async () => {
    const { ports, ids } = await stored();
    const label = makeLabel(ids[0] ?? "", { steps: [{ index: 3, score: 1 }] });
    const reason = expect.stringContaining("agent step 3");
    expect(await importLabel(label, ports)).toMatchObject({ kind: "refused", reason });
    expect(await importLabel(makeLabel(ids[0] ?? "", { steps: [{ index: 2, score: 1 }] }), ports)).toEqual({
      kind: "added",
    });
  });

  it("of a forgotten trajectory are refused and leave nothing", async () => {
    const { station, ports, ids } = await stored();
    const [id = ""] = ids;
    await station.forget(id);
    const { refused } = await importLabels(filed([makeLabel(id)]), ports);
    expect(refused).toMatchObject([{ trajectoryId: id, reason: "the trajectory was forgotten" }]);
    expect(await ports.store.exists(labelKey(id, "ann"))).toBe(false);
  });

  it("of a trajectory that is forgotten while they come in leave nothing", async () => {
    const { station, ports, ids } = await stored();
    const [id = ""] = ids;
    const slow: LabelPorts = {
      ...ports,
      ledger: {
        get: (key) => ports.ledger.get(key),
        list: (prefix) => ports.ledger.list(prefix),
        remove: (key, expected) => ports.ledger.remove(key, expected),
        put: async (key, value, expected) => {
          await station.forget(id);
          return ports.ledger.put(key, value, expected);
        },
      },
    };
    expect(await importLabel(makeLabel(id), slow)).toMatchObject({ kind: "refused" });
    expect(await ports.store.exists(labelKey(id, "ann"))).toBe(false);
    expect((await evidenceOf(id, ports.ledger)).annotators).toEqual([]);
  });

  it("are noted by a repeat where a kill came between label and note", async () => {
    const { ports, ids } = await stored();
    const [id = ""] = ids;
    await ports.store.put(labelKey(id, "ann"), Buffer.from(JSON.stringify(makeLabel(id))));
    expect((await importLabels(filed([makeLabel(id)]), ports)).counts.unchanged).toBe(1);
    expect((await evidenceOf(id, ports.ledger)).annotators).toEqual(["ann"]);
  });
});
