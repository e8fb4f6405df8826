import { describe, expect, it } from "vitest";
import { Crowd } from "../../../shared/adapters/aws/crowd.ts";
import type { DynamoCatalog } from "../../../shared/adapters/aws/dynamo-catalog.ts";
import { idOf, makeNew, makeObject, makeScore, makeSession } from "../../factories/catalog-rows.ts";
import { useEngine } from "../../local-stack/engine.ts";
import { makeDataset } from "../../ports/catalog-datasets.contract.ts";
import { type CatalogTable, freshTable } from "./catalog-table.ts";

const engine = useEngine("ministack");

/** The calls that `work` makes, in their order. */
async function callsOf(table: CatalogTable, work: (catalog: DynamoCatalog) => Promise<unknown>) {
  const commands: string[] = [];
  await work(table.catalog({ interference: { kind: "watched", commands } }));
  return commands.map((command) => command.replace(/(Item|Items)?Command$/, ""));
}

describe("what a DynamoCatalog asks of its table", () => {
  it("is one read and one transaction for a new trajectory, and one read for one it has", async () => {
    const table = await freshTable(engine);
    const add = (catalog: DynamoCatalog) => catalog.add(makeNew("a", { blobs: ["b1", "b2"] }));
    expect(await callsOf(table, add)).toEqual(["BatchGet", "TransactWrite"]);
    expect(await callsOf(table, add)).toEqual(["BatchGet"]);
  });

  it("is nothing more for what was seen before, the score of a trajectory and its object along with it", async () => {
    const table = await freshTable(engine);
    const trajectory = makeNew("a");
    const seen = await table.catalog().see(trajectory);
    const finish = makeObject("team/a.json");
    expect(
      await callsOf(table, (catalog) => catalog.add(trajectory, { seen, score: makeScore(), finish })),
    ).toEqual(["TransactWrite"]);
    const catalog = table.catalog();
    expect(await catalog.object("team/a.json")).toEqual(finish);
    expect(await catalog.entry(idOf("a"))).toMatchObject(makeScore());
    expect(await catalog.scoredCount("team")).toBe(1);
  });

  it("is one read and one transaction for ten messages side by side", async () => {
    const table = await freshTable(engine);
    const commands: string[] = [];
    const crowd = new Crowd();
    const catalog = table.catalog({ interference: { kind: "watched", commands }, crowd });
    const one = async (name: string) => {
      const trajectory = makeNew(name);
      const seen = await catalog.see(trajectory);
      return catalog.add(trajectory, { seen, score: makeScore(), finish: makeObject(`team/${name}.json`) });
    };
    const names = Array.from({ length: 10 }, (_, index) => `${index}`);
    const added = await Promise.all(names.map((name) => crowd.join(2, () => one(name))));
    expect(added).toEqual(names.map(() => ({ kind: "new", supersedes: [], scored: true, finished: true })));
    expect(commands).toEqual(["BatchGetItemCommand", "TransactWriteItemsCommand"]);
    expect(await table.catalog().scoredCount("team")).toBe(10);
  });

  it("is one query more for a log of a session with others that begin alike", async () => {
    const table = await freshTable(engine);
    const add = (log: string) => (catalog: DynamoCatalog) =>
      catalog.add(makeNew(log, { session: makeSession("s", log) }));
    expect(await callsOf(table, add("a"))).toEqual(["BatchGet", "TransactWrite"]);
    expect(await callsOf(table, add("b"))).toEqual(["BatchGet", "TransactWrite"]);
    expect(await callsOf(table, add("ab"))).toEqual(["BatchGet", "Query", "TransactWrite"]);
  });

  it("is one read and one transaction for a first score, one write for another, none for the same", async () => {
    const table = await freshTable(engine);
    await table.catalog().add(makeNew("a"));
    const score = (scorer: string) => (catalog: DynamoCatalog) =>
      catalog.setScore(idOf("a"), makeScore({ scorer }));
    expect(await callsOf(table, score("one"))).toEqual(["Get", "TransactWrite"]);
    expect(await callsOf(table, score("two"))).toEqual(["Get", "Put"]);
    expect(await callsOf(table, score("two"))).toEqual(["Get"]);
  });

  it("is one read to know what an id is, and one query and one write for an object that did not change", async () => {
    const table = await freshTable(engine);
    await table.catalog().add(makeNew("a"));
    const session = makeSession("s", "a");
    expect(await callsOf(table, (catalog) => catalog.see(makeNew("a", { session })))).toEqual(["BatchGet"]);
    expect(await callsOf(table, (catalog) => catalog.finishObject(makeObject("team/a.json")))).toEqual([
      "Query",
      "Put",
    ]);
  });

  it("is two calls for fifty rows of a dataset, and three more for the dataset", async () => {
    const table = await freshTable(engine);
    const names = Array.from({ length: 50 }, (_, index) => `${index}`);
    for (const name of names) await table.catalog().add(makeNew(name));
    expect(await callsOf(table, (catalog) => catalog.registerDataset(makeDataset("1", names)))).toEqual([
      "Get",
      "BatchGet",
      "TransactWrite",
      "Get",
      "Put",
    ]);
  });

  it("is a page of each shard for a selection, however many trajectories there are", async () => {
    const table = await freshTable(engine);
    const catalog = table.catalog();
    for (let index = 0; index < 40; index += 1) await catalog.add(makeNew(`${index}`));
    const first = async (some: DynamoCatalog) => {
      for await (const _ of some.select({})) return;
    };
    expect(await callsOf(table, first)).toEqual(Array.from({ length: 16 }, () => "Query"));
    const ofTask = async (some: DynamoCatalog) => {
      for await (const _ of some.select({ task: "task" })) return;
    };
    expect(await callsOf(table, ofTask)).toEqual(["Query"]);
  });
});
