import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { SqliteCatalog } from "../../shared/adapters/local/sqlite-catalog.ts";
import { CatalogVersionError } from "../../shared/adapters/local/sqlite-session.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { idOf, makeNew, makeObject, makeScore, makeSession } from "../factories/catalog-rows.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { catalogContract, clockOf, type StartCatalog } from "../ports/catalog.contract.ts";
import { datasetContract } from "../ports/catalog-datasets.contract.ts";
import { feedbackContract } from "../ports/catalog-feedback.contract.ts";
import { scoreContract } from "../ports/catalog-scores.contract.ts";
import { selectionContract } from "../ports/catalog-selection.contract.ts";
import { sessionContract } from "../ports/catalog-sessions.contract.ts";
import { ledgerContract } from "../ports/ledger.contract.ts";

function opened(
  path: string,
  options: { readonly now?: number; readonly readOnly?: boolean } = {},
): SqliteCatalog {
  const clock = { now: () => options.now ?? 0 };
  return new SqliteCatalog({ path, clock, readOnly: options.readOnly ?? false });
}

function started(now: number | Clock): SqliteCatalog {
  const catalog = new SqliteCatalog({ path: ":memory:", clock: clockOf(now) });
  onTestFinished(() => catalog.close());
  return catalog;
}

const start: StartCatalog = async (now) => started(now);
catalogContract("SqliteCatalog", start);
sessionContract("SqliteCatalog", start);
selectionContract("SqliteCatalog", start);
scoreContract("SqliteCatalog", start);
feedbackContract("SqliteCatalog", start);
datasetContract("SqliteCatalog", async (now) => {
  const catalog = started(now);
  return { catalog, ledger: catalog.ledger };
});
ledgerContract("SqliteLedger", async () => started(0).ledger);

const module = new URL("../../shared/adapters/local/sqlite-catalog.ts", import.meta.url).href;
const factory = new URL("../factories/catalog-rows.ts", import.meta.url).href;

/** Adds trajectories, each with its score, until it is killed. */
const WRITER = `
  const { SqliteCatalog } = await import(${JSON.stringify(module)});
  const { makeNew, makeScore, idOf } = await import(${JSON.stringify(factory)});
  const catalog = new SqliteCatalog({ path: process.argv[1], clock: { now: () => 7 } });
  for (let index = 0; ; index += 1) {
    await catalog.add(makeNew(String(index)));
    await catalog.setScore(idOf(String(index)), makeScore());
    if (index === 2000) process.stdout.write("under way");
  }
`;

describe("SqliteCatalog", () => {
  it("holds after closing and opening again what it held before", async () => {
    const path = join(temporaryFolder("catalog"), "catalog.sqlite");
    const before = opened(path, { now: 5 });
    await before.add(makeNew("a", { session: makeSession("s", "ab"), blobs: ["b"] }));
    await before.add(makeNew("gone"));
    await before.setScore(idOf("a"), makeScore());
    await before.finishObject(makeObject("team/a.json"));
    await before.forget(idOf("gone"));
    const entry = await before.entry(idOf("a"));
    await before.close();
    const after = opened(path);
    expect(await after.entry(idOf("a"))).toEqual(entry);
    expect(await after.object("team/a.json")).toEqual(makeObject("team/a.json"));
    expect(await after.forgotten(idOf("gone"))).toBe(true);
    expect(await after.add(makeNew("b", { session: makeSession("s", "abc") }))).toEqual({
      kind: "new",
      supersedes: [idOf("a")],
    });
    await after.close();
  });

  it("can be read beside the process that writes, which sees what was made durable", async () => {
    const path = join(temporaryFolder("catalog"), "catalog.sqlite");
    const writer = opened(path);
    await writer.add(makeNew("a"));
    await writer.flush();
    await writer.add(makeNew("b"));
    const reader = opened(path, { readOnly: true });
    expect(await reader.entry(idOf("a"))).toBeDefined();
    expect(await reader.entry(idOf("b"))).toBeUndefined();
    await writer.flush();
    expect(await reader.entry(idOf("b"))).toBeDefined();
    await expect(reader.add(makeNew("c"))).rejects.toThrow(/readonly/);
    await reader.close();
    await writer.close();
  });

  it("makes changes durable every few hundred, without being asked", async () => {
    const path = join(temporaryFolder("catalog"), "catalog.sqlite");
    const writer = opened(path);
    for (let index = 0; index < 1000; index += 1) await writer.add(makeNew(`${index}`));
    const reader = opened(path, { readOnly: true });
    let durable = 0;
    for await (const _ of reader.select({})) durable += 1;
    expect(durable).toBeGreaterThan(700);
    await reader.close();
    await writer.close();
  });

  it("holds a whole beginning of the changes when its process is killed", async () => {
    const path = join(temporaryFolder("catalog"), "catalog.sqlite");
    const child = spawn(process.execPath, ["--input-type=module", "-e", WRITER, path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await ended;
    const catalog = opened(path);
    let index = 0;
    let unscored = 0;
    for (; ; index += 1) {
      const entry = await catalog.entry(idOf(String(index)));
      if (entry === undefined) break;
      if (entry.scorer === null) unscored += 1;
    }
    let total = 0;
    for await (const _ of catalog.select({})) total += 1;
    expect(total).toBe(index);
    expect(index).toBeGreaterThan(1700);
    expect(unscored).toBeLessThanOrEqual(1);
    await catalog.close();
  });

  it("undoes a change that failed half-way, and no other", async () => {
    const catalog = opened(":memory:");
    await catalog.add(makeNew("a"));
    const broken = { name: "sft", version: "1", format: "f", rows: [{ id: idOf("a"), split: "x" }] };
    await expect(
      catalog.registerDataset({ ...broken, rows: [...broken.rows, ...broken.rows] }),
    ).rejects.toThrow(/UNIQUE/);
    await catalog.add(makeNew("b"));
    expect(await catalog.entry(idOf("a"))).toMatchObject({ exportCount: 0 });
    expect(await catalog.entry(idOf("b"))).toBeDefined();
    await catalog.close();
  });

  it("refuses the catalog of a later version, and leaves it as it is", async () => {
    const path = join(temporaryFolder("catalog"), "catalog.sqlite");
    const later = new DatabaseSync(path);
    later.exec("create table novelty (x); pragma user_version = 999");
    later.close();
    for (const readOnly of [true, false]) {
      expect(() => opened(path, { readOnly })).toThrow(CatalogVersionError);
      expect(() => opened(path, { readOnly })).toThrow(/999.*update gymline/);
    }
    const still = new DatabaseSync(path);
    expect(still.prepare("select name from sqlite_master").all()).toEqual([{ name: "novelty" }]);
    still.close();
  });

  it("says which file is no catalog", async () => {
    const path = join(temporaryFolder("catalog"), "catalog.sqlite");
    writeFileSync(path, "this is no database, whatever its name says".repeat(50));
    expect(() => opened(path)).toThrow(path);
  });
});
