import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { checkEvidence } from "../../shared/adapters/local/check-evidence.ts";
import type { StoreProblem } from "../../shared/adapters/local/check-store.ts";
import {
  judgeBatchKey,
  judgeCacheKey,
  judgementKey,
  judgeStateKey,
  labelKey,
  pairKey,
  pairOfKey,
  voteKey,
} from "../../shared/contracts/keys.ts";
import { importLabel } from "../../shared/stages/import-labels.ts";
import { storePair, storeVote } from "../../shared/stages/store-votes.ts";
import { pairRecord } from "../../shared/votes/choose-pairs.ts";
import type { PairRecord } from "../../shared/votes/vote.ts";
import { label } from "../factories/evidence.ts";
import { chatRow } from "../factories/logs.ts";
import { modelServer } from "../factories/model-server/model-server.ts";
import { type Desk, makeDesk, scores } from "../stages/judge/judge-desk.ts";

interface Bench {
  readonly desk: Desk;
  readonly id: string;
  readonly judge: string;
  readonly hash: string;
  readonly pair: PairRecord;
  write(key: string, text: string): void;
  remove(key: string): void;
  problems(options?: { readonly deep?: boolean; readonly busy?: boolean }): Promise<readonly StoreProblem[]>;
  codes(options?: { readonly deep?: boolean; readonly busy?: boolean }): Promise<readonly string[]>;
}

/** A store with everything in it that models and people can say. */
async function bench(): Promise<Bench> {
  const logs = [chatRow({ task: "one" }), chatRow({ task: "one", calls: [["other", "words"]] })];
  const desk = await makeDesk(await modelServer(scores(0.5)), { logs });
  const { local } = desk.station;
  await desk.direct();
  const [id = "", other = ""] = desk.ids;
  const [judgement] = (await desk.judgements()).filter((each) => each.trajectory_id === id);
  const { judge = "", cache_keys: [hash = ""] = [] } = judgement ?? {};
  await importLabel(label({ trajectory_id: id, score: 0.5 }), local);
  const pair = pairRecord({ taskKey: "one", ids: [id, other] }, 1);
  await storePair(pair, local);
  const { pair_id } = pair;
  const at = "2026-01-01T00:00:00Z";
  await storeVote({ schema: "gymline.vote.v1", pair_id, voter: "ann", choice: "left", at }, local.store);
  const problems: Bench["problems"] = async ({ deep = true, busy = false } = {}) => {
    const found: StoreProblem[] = [];
    for await (const each of checkEvidence({ local, deep, busy })) found.push(each);
    return found;
  };
  return {
    desk,
    id,
    judge,
    hash,
    pair,
    write: (key, text) => {
      mkdirSync(dirname(local.store.pathOf(key)), { recursive: true });
      writeFileSync(local.store.pathOf(key), text);
    },
    remove: (key) => rmSync(local.store.pathOf(key)),
    problems,
    codes: async (options) => (await problems(options)).map(({ code }) => code),
  };
}

describe("a check of what models and people said", () => {
  it("finds nothing wrong where all is in order", async () => {
    const { problems, desk } = await bench();
    expect(readdirSync(desk.station.local.folder)).toEqual(
      expect.arrayContaining(["judgements", "judge-cache", "labels", "pairs", "pairs-of", "votes"]),
    );
    expect(await problems()).toEqual([]);
  });

  it("names each damaged file with a remedy, and quotes nothing of it", async () => {
    const { id, judge, hash, pair, write, problems, codes } = await bench();
    const damaged = {
      "bad-judgement": judgementKey(id, judge),
      "bad-judge-state": judgeStateKey(id, judge),
      "bad-judge-answer": judgeCacheKey(hash),
      "bad-label": labelKey(id, "ann"),
      "bad-pair": pairOfKey(id, pair.pair_id),
      "bad-vote": voteKey(pair.pair_id, "ann"),
    };
    for (const key of Object.values(damaged)) write(key, '{"schema": private words');
    const found = await problems();
    expect(Object.fromEntries(found.map(({ code, place }) => [code, place]))).toEqual(damaged);
    for (const { reason, remedy } of found) {
      expect(reason).toBe("it is no JSON");
      expect(remedy).toMatch(/remove the file|put a copy/);
    }
    expect(await codes({ deep: false })).toEqual([]);
  });

  it("finds an object that lies under the name of another", async () => {
    const { id, write, problems } = await bench();
    write(
      labelKey(id, "ann"),
      JSON.stringify(label({ trajectory_id: id, score: 1, changes: { annotator: "bob" } })),
    );
    expect(await problems()).toMatchObject([
      { code: "bad-label", reason: "it is about something else than its name says" },
    ]);
  });

  it("finds what is noted and gone, and what is there and not noted", async () => {
    const { id, judge, write, remove, codes, problems } = await bench();
    remove(judgementKey(id, judge));
    remove(labelKey(id, "ann"));
    expect([...(await codes({ deep: false }))].sort()).toEqual(["missing-judgement", "missing-label"]);
    write(
      labelKey(id, "zed"),
      JSON.stringify(label({ trajectory_id: id, score: 1, changes: { annotator: "zed" } })),
    );
    expect(await problems()).toContainEqual(expect.objectContaining({ code: "unnoted-label" }));
    expect(await codes({ busy: true })).not.toContain("unnoted-label");
  });

  it("finds votes without a pair, pairs that forgetting would not find, and lists of closed batches", async () => {
    const { pair, write, remove, codes } = await bench();
    write(judgeBatchKey("0123456789ab"), "{}");
    remove(pairOfKey(pair.left_id, pair.pair_id));
    expect(await codes({ deep: false })).toEqual(["stray-judge-batch", "missing-pair"]);
    remove(pairKey(pair.pair_id));
    expect(await codes({ deep: false })).toEqual(["stray-judge-batch", "stray-vote"]);
  });

  it("finds foreign files, and what is left of a forgotten trajectory", async () => {
    const { desk, id, write, codes } = await bench();
    write("labels/notes.txt", "mine");
    expect(await codes()).toEqual(["foreign-file"]);
    await desk.station.forget(id);
    write(labelKey(id, "ann"), JSON.stringify(label({ trajectory_id: id, score: 1 })));
    expect(await codes()).toContain("forgotten-label");
    await desk.station.forget(id);
    expect(await codes()).toEqual(["foreign-file"]);
  });
});

describe("forgetting", () => {
  it("takes the answers of a judge along though its judgement is damaged", async () => {
    const { desk, id, judge, write } = await bench();
    write(judgementKey(id, judge), "{");
    write(judgeStateKey(id, judge), "{");
    const before = (await desk.station.keys("judge-cache/")).length;
    await desk.station.forget(id);
    expect(await desk.station.keys("judge-cache/")).toHaveLength(before - 1);
    expect((await desk.station.keys()).filter((key) => key.includes(id))).toEqual([]);
  });
});
