import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { SqliteCatalog } from "../../shared/adapters/local/sqlite-catalog.ts";
import { idOf, makeNew, makeRow, makeScore } from "../factories/catalog-rows.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { all } from "../ports/catalog.contract.ts";

/** The tables as version 1 of the catalog had them, without the indexes. */
const VERSION_1 = `
create table objects (
  key text primary key, project text not null, fingerprint text not null, revision text not null,
  records integer not null, trajectories integer not null, rejected integer not null
) without rowid;
create table trajectories (
  id text primary key, content_id text not null, revision text not null,
  task_key text not null, task_id text, repo text, domain text not null, format text not null,
  agent text not null, model text, success integer, outcome_score real,
  steps integer not null, agent_steps integer not null, calls integer not null,
  redactions integer not null, warnings integer not null, tokens text not null,
  source_bytes integer not null, started_at text,
  scorer text, reward real, process real, outcome real, efficiency real,
  feedback real, export_count integer not null default 0, created_at integer not null,
  session_key text, prefixes blob, superseded_by text
) without rowid;
create table places (
  id text not null, object_key text not null, entry text not null, position integer not null, ordinal integer not null,
  project text not null, line integer, json_path text, generation text not null,
  primary key (object_key, entry, position, ordinal)
) without rowid;
create table revisions (id text not null, revision text not null, primary key (id, revision)) without rowid;
create table blobs (sha256 text not null, id text not null, primary key (sha256, id)) without rowid;
create table datasets (
  name text not null, version text not null, format text not null, created_at integer not null,
  primary key (name, version)
) without rowid;
create table dataset_rows (
  id text not null, name text not null, version text not null, split text not null,
  primary key (id, name, version)
) without rowid;
create table tombstones (
  id text primary key, session_key text, root text not null, created_at integer not null
) without rowid;
pragma user_version = 1;
`;

function catalogOfVersion1(): string {
  const path = join(temporaryFolder("catalog"), "catalog.sqlite");
  const old = new DatabaseSync(path);
  old.exec(VERSION_1);
  const trajectory =
    old.prepare(`insert into trajectories (id, content_id, revision, task_key, task_id, domain,
    format, agent, model, success, steps, agent_steps, calls, redactions, warnings, tokens, source_bytes, scorer,
    reward, export_count, created_at) values (?, ?, 'rev1', 'task', 'task', 'coding', 'atif', 'agent', 'model', 1, 4, 2,
    1, 0, 0, 'text_only', 100, ?, ?, ?, 7)`);
  const place = old.prepare("insert into places values (?, ?, '', ?, 0, ?, 1, null, 'g1')");
  const add = (name: string, scorer: string | null, projects: readonly string[]) => {
    const reward = scorer === null ? null : 0.5;
    trajectory.run(idOf(name), idOf(`content of ${name}`), scorer, reward, scorer === null ? 0 : 1);
    projects.forEach((project, index) => {
      place.run(idOf(name), `${project}/${name}.json`, index, project);
    });
  };
  add("a", "scorer", ["one", "one", "two"]);
  add("b", "scorer", ["one"]);
  add("waiting", null, ["two"]);
  old.exec(`insert into datasets values ('sft', '1', 'sft-messages', 3)`);
  old.prepare("insert into dataset_rows values (?, 'sft', '1', 'train')").run(idOf("a"));
  old.close();
  return path;
}

it("A catalog of version 1 is taken over with the counts of what it had scored", async () => {
  const path = catalogOfVersion1();
  for (const round of [1, 2]) {
    const catalog = new SqliteCatalog({ path, clock: { now: () => 9 } });
    expect(await catalog.scoredCount(), `round ${round}`).toBe(2);
    expect(await catalog.scoredCount("one")).toBe(2);
    expect(await catalog.scoredCount("two")).toBe(1);
    expect(await catalog.unscored({ before: 8, limit: 9 })).toEqual([idOf("waiting")]);
    expect(await catalog.entry(idOf("a"))).toMatchObject({
      ...makeRow("a"),
      reward: 0.5,
      exportCount: 1,
      createdAt: 7,
    });
    expect(await all(catalog.datasets())).toEqual([
      { name: "sft", version: "1", format: "sft-messages", rows: 1, createdAt: 3, announced: false },
    ]);
    await catalog.close();
  }
});

it("A catalog of version 1 works like a new one once it is taken over", async () => {
  const catalog = new SqliteCatalog({ path: catalogOfVersion1(), clock: { now: () => 9 } });
  expect(await catalog.setScore(idOf("waiting"), makeScore())).toBe("first");
  expect(await catalog.setScore(idOf("a"), makeScore({ scorer: "s2" }))).toBe("again");
  await catalog.add(makeNew("b", { place: { key: "three/b.json", project: "three" } }));
  expect(await catalog.scoredCount()).toBe(3);
  expect(await catalog.scoredCount("two")).toBe(2);
  expect(await catalog.scoredCount("three")).toBe(1);
  expect(await catalog.feedbackOf(idOf("a"))).toEqual([]);
  await catalog.setFeedback(idOf("a"), { source: "label:ann", score: 0.5 });
  expect(await catalog.entry(idOf("a"))).toMatchObject({ feedback: 0.5 });
  await catalog.announceDataset("sft", "1");
  expect(await all(catalog.datasets())).toMatchObject([{ announced: true }]);
  expect(await catalog.ledger.put("lease", "me", 0)).toBe("stored");
  await catalog.close();
});

it("A catalog of an earlier version that is only read knows of no feedback", async () => {
  const catalog = new SqliteCatalog({ path: catalogOfVersion1(), clock: { now: () => 9 }, readOnly: true });
  expect(await catalog.feedbackOf(idOf("a"))).toEqual([]);
  expect(await catalog.entry(idOf("a"))).toMatchObject({ feedback: null });
  await catalog.close();
});
