import { describe, expect, it } from "vitest";
import { CatalogBusyError } from "../../../shared/adapters/aws/conflicts.ts";
import { Crowd } from "../../../shared/adapters/aws/crowd.ts";
import {
  type Added,
  type Catalog,
  FencedError,
  ForgottenMeanwhileError,
} from "../../../shared/ports/catalog.ts";
import { idOf, makeNew, makeObject, makeScore, makeSession } from "../../factories/catalog-rows.ts";
import { useEngine } from "../../local-stack/engine.ts";
import { selected } from "../../ports/catalog.contract.ts";
import { makeDataset } from "../../ports/catalog-datasets.contract.ts";
import { freshTable } from "./catalog-table.ts";

const engine = useEngine("ministack");

const numbers = (length: number) => Array.from({ length }, (_, index) => index);

describe("several processes with one DynamoCatalog", () => {
  it("store a trajectory once that all of them add", async () => {
    const table = await freshTable(engine);
    const added = await Promise.all(numbers(20).map(() => table.catalog().add(makeNew("a"))));
    expect(added.filter(({ kind }) => kind === "new")).toHaveLength(1);
    expect(added.filter(({ kind }) => kind === "duplicate")).toHaveLength(19);
    expect(await table.catalog().places(idOf("a"))).toHaveLength(1);
  });

  it("keep each place of a trajectory that they find in different objects", async () => {
    const table = await freshTable(engine);
    const inProject = (index: number) => ({ key: `p${index % 4}/${index}`, project: `p${index % 4}` });
    await Promise.all(
      numbers(20).map((index) => table.catalog().add(makeNew("a", { place: inProject(index) }))),
    );
    const catalog = table.catalog();
    expect(await catalog.places(idOf("a"))).toHaveLength(20);
    // The row knows of each of them: it leaves a project with the last one there.
    await Promise.all(
      numbers(20)
        .filter((index) => index % 4 === 0)
        .map((index) => table.catalog().finishObject(makeObject(`p0/${index}`, { fingerprint: "g2" }))),
    );
    expect(await selected(catalog, { project: "p0" })).toEqual([]);
    expect(await selected(catalog, { project: "p1" })).toEqual([idOf("a")]);
  });

  it("end with one log of a session that nothing supersedes, in whatever order its states arrive", async () => {
    for (let round = 0; round < 3; round += 1) {
      const table = await freshTable(engine);
      const logs = numbers(12).map((index) => "abcdefghijkl".slice(0, index + 1));
      const shuffled = logs.toSorted(() => Math.random() - 0.5);
      const added = await Promise.all(
        shuffled.map((log) => table.catalog().add(makeNew(log, { session: makeSession("s", log) }))),
      );
      expect(await selected(table.catalog())).toEqual([idOf("abcdefghijkl")]);
      // Each shorter one was superseded once: on its arrival, or by one that came later.
      const later = added.flatMap((one: Added) => (one.kind === "new" ? one.supersedes : []));
      const atOnce = added.filter(({ kind }) => kind === "superseded");
      expect(new Set(later).size).toBe(later.length);
      expect(later.length + atOnce.length).toBe(11);
    }
  });

  it("count each of fifty first scores, and one of twenty that are all for the same trajectory", async () => {
    const table = await freshTable(engine);
    await Promise.all(numbers(50).map((index) => table.catalog().add(makeNew(`${index}`))));
    await Promise.all(numbers(50).map((index) => table.catalog().setScore(idOf(`${index}`), makeScore())));
    const catalog = table.catalog();
    expect(await catalog.scoredCount()).toBe(50);
    expect(await catalog.scoredCount("team")).toBe(50);
    await catalog.add(makeNew("same"));
    const set = await Promise.all(
      numbers(20).map((index) => table.catalog().setScore(idOf("same"), makeScore({ scorer: `s${index}` }))),
    );
    expect(set.filter((kind) => kind === "first")).toHaveLength(1);
    expect(await catalog.scoredCount()).toBe(51);
  });

  it("count a trajectory once in a project that it is added to while it is scored", async () => {
    const table = await freshTable(engine);
    for (const name of numbers(15).map(String)) {
      await table.catalog().add(makeNew(name));
      const place = { key: `other/${name}`, project: "other" };
      await Promise.all([
        table.catalog().setScore(idOf(name), makeScore()),
        table.catalog().add(makeNew(name, { place })),
      ]);
    }
    expect(await table.catalog().scoredCount("other")).toBe(15);
    expect(await table.catalog().scoredCount("team")).toBe(15);
    expect(await table.catalog().scoredCount()).toBe(15);
  });

  it("register a dataset once that all of them register", async () => {
    const table = await freshTable(engine);
    const names = numbers(70).map(String);
    await Promise.all(names.map((name) => table.catalog().add(makeNew(name))));
    const done = await Promise.all(
      numbers(5).map(() => table.catalog().registerDataset(makeDataset("1", names))),
    );
    expect(done.filter((kind) => kind === "registered")).toHaveLength(1);
    for (const name of names) {
      expect(await table.catalog().entry(idOf(name))).toMatchObject({ exportCount: 1 });
    }
  });

  it("complete no dataset of one whose lease is taken over at the last moment", async () => {
    const table = await freshTable(engine);
    await table.catalog().add(makeNew("a"));
    const ledger = table.ledger();
    await ledger.put("lease", "me", 0);
    let transactions = 0;
    const before = async (commandName: string) => {
      if (commandName !== "TransactWriteItemsCommand") return;
      transactions += 1;
      // The first one counts the row, the second one completes the dataset.
      if (transactions === 2) await ledger.put("lease", "somebody else", 1);
    };
    const catalog = table.catalog({ interference: { kind: "preceded", before } });
    const fence = { key: "lease", version: 1 };
    await expect(catalog.registerDataset(makeDataset("1", ["a"]), fence)).rejects.toThrow(FencedError);
    expect(await table.catalog().hasDataset("sft", "1")).toBe(false);
    const next = { key: "lease", version: 2 };
    expect(await table.catalog().registerDataset(makeDataset("1", ["a"]), next)).toBe("registered");
    expect(await table.catalog().entry(idOf("a"))).toMatchObject({ exportCount: 1 });
  });

  it("bring nothing back that one of them forgets while others add to it", async () => {
    for (let round = 0; round < 5; round += 1) {
      const table = await freshTable(engine);
      const logs = ["ab", "abc", "abcd", "abcde"];
      const session = (log: string) => makeSession("s", log);
      await table.catalog().add(makeNew("abc", { session: session("abc") }));
      const adding = logs.map(async (log, index) => {
        const place = { key: `p/${log}${index}`, project: "p" };
        await table.catalog().add(makeNew(log, { place, session: session(log), generation: "g2" }));
      });
      const outcomes = await Promise.allSettled([...adding, table.catalog().forget(idOf("abc"))]);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(ForgottenMeanwhileError);
      }
      const catalog = table.catalog();
      expect(await catalog.entry(idOf("abc"))).toBeUndefined();
      expect(await catalog.places(idOf("abc"))).toEqual([]);
      // A shorter one went along, or came too late.
      expect(await catalog.entry(idOf("ab"))).toBeUndefined();
      expect(await catalog.idsFrom("p/abc1")).toEqual([]);
      const late = await catalog.see(makeNew("later", { session: session("later") }));
      expect(late.known).toBe("forgotten");
    }
  });

  it.each([
    ["it was forgotten itself", "late"],
    ["another log of its session was", "sibling"],
  ])("store nothing of a trajectory while it is being added, if %s", async (_, forgotten) => {
    const table = await freshTable(engine);
    await table.catalog().add(makeNew("sibling", { session: makeSession("s", "x") }));
    let forgot = false;
    const before = async (commandName: string) => {
      if (forgot || commandName !== "TransactWriteItemsCommand") return;
      forgot = true;
      await table.catalog().forget(idOf(forgotten));
    };
    const catalog = table.catalog({ interference: { kind: "preceded", before } });
    const late = makeNew("late", { session: makeSession("s", "y".repeat(600)) });
    await expect(catalog.add(late)).rejects.toThrow(ForgottenMeanwhileError);
    expect(await table.catalog().entry(idOf("late"))).toBeUndefined();
    expect(await table.catalog().idsFrom(late.place.key)).toEqual([]);
    const left = (await table.keys()).filter(({ pk }) => pk.endsWith(idOf("late"))).map(({ sk }) => sk);
    expect(left).toEqual(forgotten === "late" ? ["TOMB"] : []);
  });

  it("list nothing that went after the index named it", async () => {
    const table = await freshTable(engine);
    for (const name of ["stays", "goes", "is scored"]) await table.catalog().add(makeNew(name));
    let changed = false;
    const before = async (commandName: string) => {
      if (changed || commandName !== "BatchGetItemCommand") return;
      changed = true;
      await table.catalog().forget(idOf("goes"));
      await table.catalog().setScore(idOf("is scored"), makeScore());
    };
    const catalog = table.catalog({ interference: { kind: "preceded", before } });
    expect(await catalog.unscored({ before: 1, limit: 9 })).toEqual([idOf("stays")]);
    changed = false;
    const prefix = idOf("stays").slice(0, 4);
    const goner = { id: `${prefix}${"0".repeat(60)}` };
    await table.catalog().add(makeNew("goes too", { row: goner }));
    const forgetting = async (commandName: string) => {
      if (commandName === "BatchGetItemCommand") await table.catalog().forget(goner.id);
    };
    const other = table.catalog({ interference: { kind: "preceded", before: forgetting } });
    expect(await other.idsWithPrefix(prefix, 9)).toEqual([idOf("stays")]);
  });

  it("get through, however often the service refuses them for a while", async () => {
    const table = await freshTable(engine);
    let calls = 0;
    // Three of four are refused.
    const refuses = () => (calls++ & 3) !== 3;
    const catalog = table.catalog({ interference: { kind: "contended", refuses } });
    for (const log of ["a", "abc", "ab"]) {
      await catalog.add(makeNew(log, { session: makeSession("s", log), blobs: ["b"] }));
      await catalog.setScore(idOf(log), makeScore());
    }
    await catalog.registerDataset(makeDataset("1", ["abc"]));
    expect(await catalog.scoredCount()).toBe(3);
    expect(await selected(catalog)).toEqual([idOf("abc")]);
    expect(await catalog.forget(idOf("abc"))).toMatchObject({ orphanBlobs: ["b"] });
    expect(await selected(catalog, { includeSuperseded: true })).toEqual([]);
  });

  it("finish an object with all that was added of it, though two read different states of it", async () => {
    for (let round = 0; round < 5; round += 1) {
      const table = await freshTable(engine);
      const key = "team/x";
      const read =
        (name: string, generation: string, index = 0) =>
        async () => {
          const trajectory = makeNew(name, { place: { key, index }, generation });
          const catalog = table.catalog();
          const seen = await catalog.see(trajectory);
          const finish = makeObject(key, { fingerprint: generation });
          const { finished } = await catalog.add(trajectory, { seen, score: makeScore(), finish });
          if (finished !== true) await catalog.finishObject(finish);
        };
      const runs = [read("old", "g1"), read("new", "g2"), read("new", "g2")];
      await Promise.all(runs.map((run) => run()));
      const catalog = table.catalog();
      const state = await catalog.object(key);
      const held = { g1: "old", g2: "new" }[state?.fingerprint ?? ""] ?? "";
      expect(await catalog.idsFrom(key)).toEqual([idOf(held)]);
      expect(await catalog.scoredCount()).toBe(2);
    }
  });

  it("forget the places of an object that was begun, overwritten and read anew", async () => {
    const table = await freshTable(engine);
    const catalog = table.catalog();
    const key = "team/x";
    // Of three trajectories two were stored when the process was killed.
    for (const index of [0, 1]) await catalog.add(makeNew(`old ${index}`, { place: { key, index } }));
    expect(await catalog.object(key)).toBeUndefined();
    const finish = makeObject(key, { fingerprint: "g2" });
    const added = await catalog.add(makeNew("new", { place: { key }, generation: "g2" }), { finish });
    expect(added).not.toHaveProperty("finished");
    await catalog.finishObject(finish);
    expect(await catalog.idsFrom(key)).toEqual([idOf("new")]);
  });

  it("finish no object along with a trajectory that has a report", async () => {
    const table = await freshTable(engine);
    const catalog = table.catalog();
    await catalog.noteReport("team/x");
    expect(await catalog.object("team/x")).toBeUndefined();
    const finish = makeObject("team/x");
    const added = await catalog.add(makeNew("a", { place: { key: "team/x" } }), { finish });
    expect(added).toEqual({ kind: "new", supersedes: [] });
    await catalog.finishObject(finish);
    expect(await catalog.object("team/x")).toEqual(finish);
  });

  it("store each of what is added side by side, whatever befalls the transactions they share", async () => {
    const table = await freshTable(engine);
    let calls = 0;
    // Every third transaction.
    const refuses = (): boolean => {
      calls += 1;
      return calls % 3 === 1;
    };
    const crowds = numbers(3).map(() => {
      const crowd = new Crowd();
      return { crowd, catalog: table.catalog({ crowd, interference: { kind: "contended", refuses } }) };
    });
    const add = async (catalog: Catalog, name: string, index: number): Promise<Added> => {
      const trajectory = makeNew(name, {
        place: { key: `p/${index}`, project: "p" },
        ...(index % 3 === 0 ? { session: makeSession("s", "abcdefghij".slice(0, 1 + index)) } : {}),
      });
      const seen = await catalog.see(trajectory);
      return catalog.add(trajectory, { seen, score: makeScore() });
    };
    // All processes are told of the same ten, and one of them twice.
    const work = crowds.flatMap(({ crowd, catalog }) =>
      [...numbers(10), 5].map((index) => crowd.join(2, () => add(catalog, `t${index}`, index))),
    );
    const added = await Promise.all(work);
    const created = added.filter(({ kind }) => kind === "new" || kind === "superseded");
    expect(created).toHaveLength(10);
    expect(created.every(({ scored }) => scored === true)).toBe(true);
    const catalog = table.catalog();
    expect(await catalog.scoredCount()).toBe(10);
    expect(await catalog.scoredCount("p")).toBe(10);
    for (const index of numbers(10)) expect(await catalog.places(idOf(`t${index}`))).toHaveLength(1);
  });

  it("say so when they cannot get through", async () => {
    const table = await freshTable(engine);
    const catalog = table.catalog({ interference: { kind: "contended", refuses: () => true } });
    await expect(catalog.add(makeNew("a"))).rejects.toThrow(CatalogBusyError);
    expect(await table.catalog().entry(idOf("a"))).toBeUndefined();
  });

  it("ask again for what the service left undone of a batch", async () => {
    const table = await freshTable(engine);
    const catalog = table.catalog({ interference: { kind: "short" } });
    const blobs = numbers(60).map((index) => `blob-${index}`);
    await catalog.add(makeNew("a", { blobs, session: makeSession("s", "a".repeat(600)) }));
    await catalog.registerDataset(makeDataset("1", ["a", "b", "c"]));
    expect(await catalog.entry(idOf("a"))).toMatchObject({ exportCount: 1 });
    const { orphanBlobs } = await catalog.forget(idOf("a"));
    expect(orphanBlobs).toEqual(blobs.toSorted());
    const left = (await table.keys()).map(({ sk }) => sk.split("#")[0] ?? "");
    expect(left).not.toContain("PREFIX");
    expect(left).not.toContain("REV");
  });
});
