import { utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scoreKey, trajectoryKey } from "../../shared/contracts/keys.ts";
import { readScore } from "../../shared/stages/score-trajectory.ts";
import { chatLines, chatRow } from "../factories/logs.ts";
import { makePlan } from "../factories/plan.ts";
import { makeStation } from "../factories/station.ts";
import { OTHER, outcomes, sessionLog, sha256 } from "./ingest-helpers.ts";

describe("ingest", () => {
  it("stores a log under the hash of its record, with its place, score and facts", async () => {
    const station = makeStation();
    const log = chatRow({ task: "one", success: false, model: "m" });
    station.write("team/logs.jsonl", `\n${log}\n`);
    const { summary } = await station.run();
    expect(summary).toMatchObject({ objects: 1, records: 1, rejected: 0, unchanged: 0 });
    const [entry] = await station.select();
    expect(entry).toMatchObject({
      id: sha256(log),
      taskId: "one",
      success: false,
      model: "m",
      domain: "coding",
    });
    expect(await station.local.catalog.places(sha256(log))).toMatchObject([
      { key: "team/logs.jsonl", project: "team", line: 2, index: 0 },
    ]);
    const document = await station.document(sha256(log));
    expect(document.extra.gymline).toMatchObject({ id: sha256(log), content_id: entry?.contentId });
    const score = readScore(await station.local.store.read(scoreKey(sha256(log), entry?.scorer ?? "")));
    expect(score).toMatchObject({ trajectory_id: sha256(log), total: entry?.reward, outcome: 0 });
  });

  it("takes one log that was dropped under several names and in several projects once", async () => {
    const station = makeStation();
    const log = chatRow({ task: "one" });
    station.write("blue/a.json", log);
    station.write("blue/b.json", log);
    station.write("green/rows.jsonl", `${chatRow({ task: "two" })}\n${log}\n`);
    expect(await outcomes(station)).toEqual({ new: 2, duplicate: 2 });
    expect(await station.tasks({ project: "blue" })).toEqual(["one"]);
    expect(await station.tasks({ project: "green" })).toEqual(["one", "two"]);
    const places = await station.local.catalog.places(sha256(log));
    expect(places.map(({ key, line }) => [key, line])).toEqual([
      ["blue/a.json", 1],
      ["blue/b.json", 1],
      ["green/rows.jsonl", 2],
    ]);
  });

  it("changes nothing when the same drop is run again, and reads none of it", async () => {
    const station = makeStation();
    station.write("team/a.json", chatRow());
    station.write("team/bad.json", "{");
    await station.run();
    const before = await station.keys();
    const { summary, reports } = await station.run();
    expect(summary).toMatchObject({ unchanged: 2, outdated: 0, records: 0, rejected: 0, rejectedBefore: 1 });
    expect(reports).toEqual([]);
    expect(await outcomes(station, {}, { force: true })).toEqual({ duplicate: 1 });
    expect(await station.keys()).toEqual(before);
  });

  it("reads a changed file again, by its size or its time, and drops the places it no longer has", async () => {
    const station = makeStation();
    const [one, two, three] = ["one", "two", "six"].map((task) => chatRow({ task }));
    station.write("team/a.jsonl", `${one}\n${two}\n`);
    await station.run();
    station.write("team/a.jsonl", `${one}\n${three}\n`);
    utimesSync(join(station.drop, "team/a.jsonl"), 1, 1);
    expect(await outcomes(station)).toEqual({ new: 1, duplicate: 1 });
    expect(await station.tasks({ project: "team" })).toEqual(["one", "six"]);
    expect(await station.tasks()).toEqual(["one", "six", "two"]);
  });

  it("keeps what came from a file that is gone", async () => {
    const station = makeStation();
    station.write("team/a.json", chatRow({ task: "one" }));
    station.write("team/b.json", chatRow({ task: "two" }));
    await station.run();
    station.erase("team/a.json");
    await station.run();
    expect(await station.tasks({ project: "team" })).toEqual(["one", "two"]);
  });

  it.each<readonly [string, (calls: number) => readonly [path: string, content: string]]>([
    ["named by the source, in one file", (calls: number) => ["team/a.json", sessionLog(calls)]],
    ["named by the source, in new files", (calls: number) => [`team/${calls}.json`, sessionLog(calls)]],
    [
      "that is a file of its own",
      (calls: number) => {
        const list = Array.from({ length: calls }, (_, call) => [`run ${call}`, "output"] as const);
        return ["team/log.jsonl", chatLines({ calls: list, answer: "" })];
      },
    ],
  ])("lets the longer log of a session supersede the shorter one: %s", async (_, fileOf) => {
    const station = makeStation();
    for (const calls of [2, 5, 3]) {
      station.write(...fileOf(calls));
      await station.run();
    }
    const entries = await station.select();
    expect(entries.map(({ calls }) => calls)).toEqual([5]);
    expect(await station.select({ includeSuperseded: true })).toHaveLength(3);
  });

  it("keeps sessions of the same name apart when they belong to two projects", async () => {
    const station = makeStation();
    station.write("blue/a.json", sessionLog(2));
    station.write("green/a.json", sessionLog(4));
    expect(await outcomes(station)).toEqual({ new: 2 });
    expect(await station.select()).toHaveLength(2);
  });

  it("stores attachments by their hash, once", async () => {
    const station = makeStation();
    const image = Uint8Array.from({ length: 100 }, (_, index) => index);
    station.write("team/a.json", chatRow({ task: "one", image }));
    station.write("team/b.json", chatRow({ task: "two", image }));
    await station.run();
    expect(await station.keys("blobs/")).toEqual([`blobs/${sha256(image)}`]);
    expect(Buffer.from(await station.local.store.read(`blobs/${sha256(image)}`)).equals(image)).toBe(true);
  });

  it("stores no secret in the clear, in no object and not in the catalog", async () => {
    const station = makeStation();
    const secret = `sk-proj-${"Ab1Cd2Ef3Gh4".repeat(4)}`;
    const calls = [[`curl -H 'Authorization: Bearer ${secret}' x`, `token ${secret}`]] as const;
    station.write(
      "team/a.json",
      chatRow({ task: "one", calls, prompt: `Use ${secret}.`, session: `s ${secret}` }),
    );
    station.write("team/bad.json", `{"messages": [${JSON.stringify(secret)}`);
    station.write("team/odd.json", JSON.stringify({ [secret]: secret }));
    await station.run();
    await station.export();
    const [entry] = await station.select();
    expect(entry?.redactions).toBeGreaterThan(2);
    const texts = await Promise.all(
      (await station.keys()).filter((key) => !key.endsWith(".zst")).map(station.text),
    );
    texts.push(JSON.stringify(await station.document(entry?.id ?? "")), JSON.stringify(entry));
    expect(texts.length).toBeGreaterThan(5);
    for (const text of texts) expect(text).not.toContain(secret);
  });
});

describe("a rejected input", () => {
  it("has a report beside the store's objects, which goes when the file is mended", async () => {
    const station = makeStation();
    station.write("team/sub/a.jsonl", `${chatRow({ task: "one" })}\n{"messages": \n`);
    const { summary } = await station.run();
    expect(summary).toMatchObject({ records: 1, rejected: 1, counts: { new: 1 } });
    const report: unknown = JSON.parse(await station.text("rejected/team/sub/a.jsonl.report.json"));
    expect(report).toMatchObject({
      schema: "gymline.rejections.v1",
      object: "team/sub/a.jsonl",
      total: 1,
      rejections: [{ source: "team/sub/a.jsonl", line: 2, code: "unfinished-json" }],
    });
    station.write("team/sub/a.jsonl", `${chatRow({ task: "one" })}\n${chatRow({ task: "two" })}\n`);
    expect((await station.run()).summary).toMatchObject({ rejected: 0, rejectedBefore: 0 });
    expect(await station.keys("rejected/")).toEqual([]);
    expect(await station.tasks()).toEqual(["one", "two"]);
  });

  it("is tried again when the settings changed, unlike files that were read well", async () => {
    const station = makeStation();
    station.write("team/good.json", chatRow({ task: "one" }));
    station.write("team/deep.json", chatRow({ task: "two", more: { deep: [[[[[[1]]]]]] } }));
    const shallow = { limits: { ...makePlan().limits, maxDepth: 6 } };
    expect((await station.run(shallow)).summary).toMatchObject({ rejected: 1, counts: { new: 1 } });
    expect((await station.run()).summary).toMatchObject({
      unchanged: 1,
      outdated: 1,
      rejected: 0,
      counts: { new: 1 },
    });
    expect(await station.tasks()).toEqual(["one", "two"]);
  });

  it.each([
    ["a backslash in its name", "team/a\\..\\b.json"],
    ["a percent sign in its name", "team/100%5C.json"],
    ["a name as long as a file system takes", `team/${"n".repeat(250)}.json`],
    ["a very long path", `team/${`${"d".repeat(200)}/`.repeat(6)}x.json`],
    ["a name that looks like a report", "team/a.json.report.json"],
  ])("may have %s", async (_, path) => {
    const station = makeStation();
    station.write(path, "{");
    station.write("team/a.json", "{");
    station.write("team/z.json", chatRow({ task: "one" }));
    const { summary } = await station.run();
    expect(summary).toMatchObject({ objects: 3, rejected: 2, counts: { new: 1 } });
    const reports = await station.keys("rejected/");
    const objects = await Promise.all(reports.map(async (key) => JSON.parse(await station.text(key)).object));
    expect(objects.sort()).toEqual([path, "team/a.json"].sort());
    station.write(path, chatRow({ task: "two" }));
    expect((await station.run()).summary).toMatchObject({ rejected: 0, rejectedBefore: 1 });
    expect(await station.keys("rejected/")).toEqual(["rejected/team/a.json.report.json"]);
  });

  it("may lie in a folder that looks like the report of a file", async () => {
    const station = makeStation();
    station.write("team/a.json", "{");
    station.write("team/a.json.report.json/b.json", "{");
    const { summary } = await station.run();
    expect(summary.rejected).toBe(2);
    expect(await station.keys("rejected/")).toHaveLength(2);
  });
});

describe("other settings", () => {
  it("leave the old document beside the new one, and score the new one", async () => {
    const station = makeStation();
    const calls = [["whoami", "mail me at jane.doe@example.org"]] as const;
    const log = chatRow({ task: "one", calls });
    const id = sha256(log);
    station.write("team/a.json", log);
    await station.run();
    const [before] = await station.select();
    expect(await outcomes(station, OTHER, { force: true })).toEqual({ revised: 1 });
    const [after] = await station.select();
    expect(after?.revision).not.toBe(before?.revision);
    expect(await station.keys("trajectories/")).toEqual([
      trajectoryKey(id, before?.revision),
      trajectoryKey(id),
    ]);
    expect((await station.document(id)).extra.gymline.provenance.revision).toBe(after?.revision);
    expect((await station.document(id, before?.revision)).extra.gymline.provenance.revision).toBe(
      before?.revision,
    );
    const score = readScore(await station.local.store.read(scoreKey(id, after?.scorer ?? "")));
    expect(score.revision).toBe(after?.revision);
    expect(await outcomes(station, OTHER, { force: true })).toEqual({ duplicate: 1 });
    expect(await station.keys("trajectories/")).toHaveLength(2);
    expect([...(await station.local.catalog.revisions(id))].sort()).toEqual(
      [before?.revision, after?.revision].sort(),
    );
  });

  it("may be taken back: the first document comes back to its place", async () => {
    const station = makeStation();
    const log = chatRow({ task: "one" });
    station.write("team/a.json", log);
    await station.run();
    const first = await station.local.store.read(trajectoryKey(sha256(log)));
    await station.run(OTHER, { force: true });
    await station.run({}, { force: true });
    const back = await station.local.store.read(trajectoryKey(sha256(log)));
    expect(Buffer.from(back).equals(first)).toBe(true);
    expect(await station.keys("trajectories/")).toHaveLength(3);
  });
});
