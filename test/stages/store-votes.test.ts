import { describe, expect, it } from "vitest";
import { pairKey, pairOfKey, voteKey } from "../../shared/contracts/keys.ts";
import type { ObjectStore } from "../../shared/ports/object-store.ts";
import type { VotePage, VotingService } from "../../shared/ports/voting-service.ts";
import { pullVotes, takeVotes } from "../../shared/stages/pull-votes.ts";
import { storedVotes, storePair, storeVote, votesAbout } from "../../shared/stages/store-votes.ts";
import { pairRecord } from "../../shared/votes/choose-pairs.ts";
import type { PairRecord } from "../../shared/votes/vote.ts";
import { idOf } from "../factories/catalog-rows.ts";
import { chatRow } from "../factories/logs.ts";
import { makeStation, type Station } from "../factories/station.ts";
import { makePair, makeVote } from "../votes/vote-factory.ts";

async function stored(): Promise<{
  readonly station: Station;
  readonly pair: PairRecord;
  readonly other: PairRecord;
}> {
  const station = makeStation();
  for (const prompt of ["one", "two", "three"])
    station.write(`team/${prompt}.json`, chatRow({ task: "t", prompt }));
  await station.run();
  const [a = "", b = "", c = ""] = (await station.select()).map(({ id }) => id);
  const pairs = [
    pairRecord({ taskKey: "t", ids: [a, b] }, 1),
    pairRecord({ taskKey: "t", ids: [b, c] }, 1),
  ] as const;
  for (const pair of pairs) await storePair(pair, station.local);
  return { station, pair: pairs[0], other: pairs[1] };
}

function serviceOf(pages: readonly VotePage[], asked: (string | undefined)[] = []): VotingService {
  return {
    push: async () => undefined,
    votes: async function* (since) {
      asked.push(since);
      const from = since === undefined ? 0 : pages.findIndex(({ next }) => next === since) + 1;
      yield* pages.slice(from);
    },
  };
}

describe("pairs in the store", () => {
  it("keep the sides that they were first stored with", async () => {
    const { station, pair } = await stored();
    const turned = { ...pair, left_id: pair.right_id, right_id: pair.left_id };
    expect(await storePair(turned, station.local)).toEqual(pair);
    expect((await storedVotes(station.local.store)).pairs).toContainEqual(pair);
  });

  it("are none where a trajectory of theirs is not there", async () => {
    const { station, pair } = await stored();
    const absent = pairRecord({ taskKey: "t", ids: [pair.left_id, idOf("absent")] }, 1);
    expect(await storePair(absent, station.local)).toBeUndefined();
    expect(await station.keys("pairs-of/")).toHaveLength(4);
  });
});

describe("votes in the store", () => {
  it("are one for each voter: the latest", async () => {
    const { station, pair } = await stored();
    const { store } = station.local;
    const first = makeVote(pair, "ann", "left");
    expect(await storeVote(first, store)).toBe("added");
    expect(await storeVote(first, store)).toBe("unchanged");
    const later = makeVote(pair, "ann", "right", { at: "2026-02-02T12:00:00Z" });
    expect(await storeVote(later, store)).toBe("replaced");
    expect(await storeVote(first, store)).toBe("outdated");
    expect(await storeVote(makeVote(pair, "bob", "tie"), store)).toBe("added");
    expect((await storedVotes(store)).votes).toEqual([later, makeVote(pair, "bob", "tie")]);
  });

  it("are refused on pairs that are not there, or that are others than those voted on", async () => {
    const { station, pair } = await stored();
    const { store } = station.local;
    expect(await storeVote(makeVote(makePair("x", "y"), "ann", "left"), store)).toBe("unknown-pair");
    expect(await storeVote(makeVote(pair, "ann", "left", { left_id: idOf("x") }), store)).toBe("other-pair");
    expect((await storedVotes(store)).votes).toEqual([]);
  });

  it("leave nothing where their pair goes while they come in", async () => {
    const { station, pair } = await stored();
    const { store } = station.local;
    const slow: ObjectStore = Object.create(store);
    slow.put = async (key, bytes) => {
      await store.erase(pairKey(pair.pair_id));
      await store.put(key, bytes);
    };
    expect(await storeVote(makeVote(pair, "ann", "left"), slow)).toBe("unknown-pair");
    expect(await store.exists(voteKey(pair.pair_id, "ann"))).toBe(false);
  });
});

describe("what names a trajectory in votes", () => {
  it("is found from either side, and nothing of other pairs with it", async () => {
    const { station, pair, other } = await stored();
    const { store } = station.local;
    await storeVote(makeVote(pair, "ann", "left"), store);
    await storeVote(makeVote(other, "ann", "left"), store);
    const shared =
      [pair.left_id, pair.right_id].find((id) => [other.left_id, other.right_id].includes(id)) ?? "";
    const alone = pair.left_id === shared ? pair.right_id : pair.left_id;
    expect(await votesAbout(alone, store)).toEqual([
      voteKey(pair.pair_id, "ann"),
      pairKey(pair.pair_id),
      pairOfKey(shared, pair.pair_id),
      pairOfKey(alone, pair.pair_id),
    ]);
    expect(await votesAbout(shared, store)).toHaveLength(8);
    for (const key of await votesAbout(alone, store)) await store.erase(key);
    expect(await storedVotes(store)).toEqual({ pairs: [other], votes: [makeVote(other, "ann", "left")] });
    expect(await votesAbout(alone, store)).toEqual([]);
  });

  it("is found to the end by who goes on after a kill at any point", async () => {
    const { station, pair } = await stored();
    const { store } = station.local;
    await storeVote(makeVote(pair, "ann", "left"), store);
    const id = pair.left_id;
    for (;;) {
      const [key] = await votesAbout(id, store);
      if (key === undefined) break;
      await store.erase(key);
    }
    const left = await station.keys();
    expect(left.filter((key) => key.includes(pair.pair_id))).toEqual([]);
  });
});

describe("votes as feedback", () => {
  it("are the share of a voter's votes that went for a trajectory, over all pairs that it is in", async () => {
    const { station, pair, other } = await stored();
    const { catalog } = station.local;
    // The trajectory in the middle stands in both pairs.
    const middle =
      [other.left_id, other.right_id].find((id) => id === pair.left_id || id === pair.right_id) ?? "";
    const choices = {
      first: pair.left_id === middle ? "left" : "right",
      second: other.left_id === middle ? "right" : "left",
    } as const;
    await takeVotes(
      [
        makeVote(pair, "ann", choices.first),
        makeVote(other, "ann", choices.second),
        makeVote(pair, "bob", "tie"),
        makeVote(other, "zoe", "skip"),
      ],
      station.local,
    );
    expect(await catalog.feedbackOf(middle)).toEqual([
      { source: "votes:ann", score: 0.5 },
      { source: "votes:bob", score: 0.5 },
    ]);
    const [loser = ""] = [pair.left_id, pair.right_id].filter((id) => id !== middle);
    expect(await catalog.feedbackOf(loser)).toEqual([
      { source: "votes:ann", score: 0 },
      { source: "votes:bob", score: 0.5 },
    ]);
    expect(await catalog.entry(loser)).toMatchObject({ feedback: 0.25 });
    const later = { ...makeVote(pair, "bob", "skip"), at: "2027-01-01T00:00:00Z" };
    await takeVotes([later], station.local);
    expect(await catalog.feedbackOf(loser)).toEqual([{ source: "votes:ann", score: 0 }]);
  });
});

describe("votes of a service", () => {
  it("are taken in page by page, and the next time from where they ended", async () => {
    const { station, pair } = await stored();
    const { store, catalog } = station.local;
    const ports = { store, catalog, ledger: catalog.ledger };
    const pages: VotePage[] = [
      { votes: [makeVote(pair, "ann", "left"), { choice: 4 }], next: "1" },
      { votes: [makeVote(pair, "bob", "left"), makeVote(makePair("x", "y"), "bob", "tie")], next: "2" },
    ];
    const asked: (string | undefined)[] = [];
    const source = { service: serviceOf(pages, asked), url: "http://votes.test", fromStart: false };
    const first = await pullVotes(source, ports);
    expect(first.counts).toMatchObject({ added: 2, "unknown-pair": 1 });
    expect(first.refused).toMatchObject([{ place: "page 1, votes[1]" }]);
    pages.push({ votes: [makeVote(pair, "zoe", "tie")], next: "3" });
    expect((await pullVotes(source, ports)).counts).toMatchObject({ added: 1, unchanged: 0 });
    expect((await pullVotes({ ...source, fromStart: true }, ports)).counts).toMatchObject({ unchanged: 3 });
    expect((await pullVotes({ ...source, url: "http://other.test" }, ports)).counts).toMatchObject({
      unchanged: 3,
    });
    expect(asked).toEqual([undefined, "2", undefined, undefined]);
  });

  it("go on after the last whole page where the service failed", async () => {
    const { station, pair } = await stored();
    const { store, catalog } = station.local;
    const ports = { store, catalog, ledger: catalog.ledger };
    const asked: (string | undefined)[] = [];
    const service: VotingService = {
      push: async () => undefined,
      votes: async function* (since) {
        asked.push(since);
        if (since === undefined) {
          yield { votes: [makeVote(pair, "ann", "left")], next: "1" };
          throw new Error("down");
        }
        yield { votes: [makeVote(pair, "bob", "left")], next: null };
      },
    };
    const source = { service, url: "http://votes.test", fromStart: false };
    await expect(pullVotes(source, ports)).rejects.toThrow("down");
    expect((await pullVotes(source, ports)).counts).toMatchObject({ added: 1 });
    expect([asked, (await storedVotes(store)).votes.length]).toEqual([[undefined, "1"], 2]);
  });
});
