import { describe, expect, it } from "vitest";
import { atifDocument, chatLines, chatRow } from "../factories/logs.ts";
import { makeStation } from "../factories/station.ts";
import { OTHER, outcomes, sessionLog, sha256 } from "./ingest-helpers.ts";

describe("a forgotten trajectory", () => {
  it("is gone with its scores and attachments, and does not come back", async () => {
    const station = makeStation();
    const log = chatRow({ task: "gone", image: Uint8Array.of(1, 2, 3) });
    station.write("blue/a.json", log);
    station.write("blue/b.json", chatRow({ task: "stays", image: Uint8Array.of(4) }));
    await station.run();
    await station.run(OTHER, { force: true });
    const { removed } = await station.forget(sha256(log));
    expect(removed.length).toBeGreaterThanOrEqual(4);
    const gone = (keys: readonly string[]): void => {
      expect(keys.filter((key) => key.includes(sha256(log)))).toEqual([]);
    };
    gone(await station.keys());
    expect(await station.keys("blobs/")).toHaveLength(1);
    expect(await outcomes(station, {}, { force: true })).toEqual({ forgotten: 1, revised: 1 });
    station.write("green/renamed.jsonl.copy", `${chatRow({ task: "new" })}\n${log}\n`);
    expect(await outcomes(station)).toEqual({ forgotten: 1, new: 1 });
    gone(await station.keys());
    expect(await station.tasks({ includeSuperseded: true })).toEqual(["new", "stays"]);
    expect(await station.keys("blobs/")).toHaveLength(1);
  });

  it("does not come back when its session has grown, nor in its shorter logs", async () => {
    const station = makeStation();
    for (const calls of [1, 3]) station.write(`team/${calls}.json`, sessionLog(calls));
    await station.run();
    const [longest] = await station.select();
    const { ids } = await station.forget(longest?.id ?? "");
    expect(ids).toHaveLength(2);
    station.write("team/5.json", sessionLog(5));
    station.write("team/copy-of-1.json", sessionLog(1));
    expect(await outcomes(station, {}, { force: true })).toEqual({ forgotten: 4 });
    expect(await station.select({ includeSuperseded: true })).toEqual([]);
    expect(await station.keys("trajectories/")).toEqual([]);
  });

  it("does not come back when the file that is its session has grown", async () => {
    const station = makeStation();
    const lines = (turns: number): string =>
      chatLines({
        calls: Array.from({ length: turns }, (_, turn) => [`run ${turn}`, "out"] as const),
        answer: "",
      });
    station.write("team/log.jsonl", lines(2));
    await station.run();
    const [entry] = await station.select();
    await station.forget(entry?.id ?? "");
    station.write("team/log.jsonl", lines(4));
    expect(await outcomes(station)).toEqual({ forgotten: 1 });
    expect(await station.select({ includeSuperseded: true })).toEqual([]);
  });

  it("leaves other logs of the same session name alone that are there already", async () => {
    const station = makeStation();
    const logs = ["one", "two"].map((task) => sessionLog(2, { task, prompt: task }));
    station.write("team/a.jsonl", logs.join("\n"));
    await station.run();
    await station.forget(sha256(logs[0] ?? ""));
    expect(await outcomes(station, {}, { force: true })).toEqual({ forgotten: 1, duplicate: 1 });
    station.write("team/a.jsonl", `${logs.join("\n")}\n`);
    expect(await outcomes(station)).toEqual({ forgotten: 1, duplicate: 1 });
    expect(await station.tasks({ project: "team" })).toEqual(["two"]);
  });

  it("leaves others in the same project alone", async () => {
    const station = makeStation();
    station.write("team/a.json", atifDocument({ task: "one" }));
    station.write("team/b.json", atifDocument({ task: "two" }));
    await station.run();
    const [entry] = await station.select({ task: "one" });
    await station.forget(entry?.id ?? "");
    station.write("team/c.json", atifDocument({ task: "three" }));
    expect(await outcomes(station)).toEqual({ new: 1 });
    expect(await station.tasks()).toEqual(["three", "two"]);
  });
});
