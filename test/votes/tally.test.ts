import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { strengths } from "../../shared/votes/bradley-terry.ts";
import { tallies } from "../../shared/votes/tally.ts";
import { votedPreferences } from "../../shared/votes/voted-preferences.ts";
import { voterAgreement } from "../../shared/votes/voter-agreement.ts";
import { idOf } from "../factories/catalog-rows.ts";
import { makePair, makeVote, makeVotes } from "./vote-factory.ts";

const pair = makePair("a", "b");

describe("votes on a pair", () => {
  it("are counted, with a majority and the share of those who chose", () => {
    const [tally] = tallies([pair], makeVotes(pair, "llrlts"));
    expect(tally).toMatchObject({ left: 3, right: 1, tie: 1, skip: 1, majority: "left" });
    expect(tally?.share).toMatchObject({ value: 0.75, n: 4, interval: { method: "wilson" } });
    expect(tally?.agreement).toMatchObject({ value: 0.6, n: 5 });
  });

  it("have no majority where they are even, and no share where nobody chose", () => {
    expect(tallies([pair], makeVotes(pair, "lr"))[0]?.majority).toBeUndefined();
    expect(tallies([pair], makeVotes(pair, "ts"))[0]?.share).toMatchObject({ value: null, n: 0 });
    expect(tallies([pair], [])).toEqual([]);
  });

  it("of one voter count once: the latest", () => {
    const votes = [
      makeVote(pair, "ann", "right", { at: "2026-02-01T13:00:00Z" }),
      makeVote(pair, "ann", "left", { at: "2026-02-01T12:00:00Z" }),
    ];
    expect(tallies([pair], votes)[0]).toMatchObject({ left: 0, right: 1 });
  });

  it("on unknown pairs do not count", () => {
    expect(tallies([pair], makeVotes(makePair("a", "z"), "ll"))).toEqual([]);
  });

  it("are turned where they say that the sides were the other way round", () => {
    const turned = makeVote(pair, "ann", "left", { left_id: pair.right_id });
    const foreign = makeVote(pair, "bob", "left", { left_id: idOf("z") });
    expect(tallies([pair], [turned, foreign])[0]).toMatchObject({ left: 0, right: 1 });
  });
});

describe("preferences by vote", () => {
  const options = { minVotes: 3, minAgreement: 0.6 };

  it("name who was chosen, with votes, share and interval", () => {
    expect(votedPreferences([pair], makeVotes(pair, "rrrl"), options)).toEqual([
      {
        taskId: "task",
        chosenId: idOf("b"),
        rejectedId: idOf("a"),
        votes: 4,
        share: 0.75,
        interval: expect.objectContaining({ method: "wilson", level: 0.95 }),
      },
    ]);
  });

  it.each(["ll", "llsss", "lrlr", "llttt", "llrrtl"])("are none of the votes %s", (choices) => {
    expect(votedPreferences([pair], makeVotes(pair, choices), options)).toEqual([]);
  });

  it("never depend on which side an attempt stands", () => {
    const choices = fc.string({ unit: fc.constantFrom("l", "r", "t", "s"), maxLength: 12 });
    const turn = (text: string) => [...text].map((each) => ({ l: "r", r: "l" })[each] ?? each).join("");
    const turned = { ...pair, left_id: pair.right_id, right_id: pair.left_id };
    fc.assert(
      fc.property(choices, (text) => {
        expect(votedPreferences([turned], makeVotes(turned, turn(text)), options)).toEqual(
          votedPreferences([pair], makeVotes(pair, text), options),
        );
      }),
    );
  });
});

describe("strengths by Bradley and Terry", () => {
  const from = (...games: readonly (readonly [string, string, string])[]) => {
    const pairs = games.map(([a, b]) => makePair(a, b));
    const votes = games.flatMap(([, , choices], index) => makeVotes(pairs[index] ?? pair, choices));
    return strengths(tallies(pairs, votes));
  };
  const order = (found: ReturnType<typeof from>) =>
    found
      .map(({ trajectoryId }) => ["a", "b", "c", "d"].find((name) => idOf(name) === trajectoryId))
      .join("");

  it("put attempts in order, also those that never met", () => {
    expect(order(from(["a", "b", "lllr"], ["b", "c", "lllr"], ["c", "d", "llr"]))).toBe("abcd");
  });

  it("solve the equations that the maximum has: what was won is what was to be expected", () => {
    const found = from(["a", "b", "llrt"], ["b", "c", "rrl"], ["a", "c", "lr"]);
    const of = (name: string) => found.find(({ trajectoryId }) => trajectoryId === idOf(name))?.strength ?? 0;
    const p = (x: number) => 1 / (1 + Math.exp(-x));
    expect(2.5 + 1 + 0.5).toBeCloseTo(4 * p(of("a") - of("b")) + 2 * p(of("a") - of("c")) + p(of("a")), 8);
    expect(1.5 + 1 + 0.5).toBeCloseTo(4 * p(of("b") - of("a")) + 3 * p(of("b") - of("c")) + p(of("b")), 8);
    expect(found.reduce((sum, { strength }) => sum + p(strength), 0)).toBeCloseTo(1.5, 8);
  });

  it("are finite for one that never lost, with an interval that more votes narrow", () => {
    const [few] = from(["a", "b", "lll"]);
    const [many] = from(["a", "b", "lllllllllrrrrrrllllllllllllrrrrrrrrrr"]);
    const width = (found: typeof few) => (found?.interval.high ?? 0) - (found?.interval.low ?? 0);
    expect(few?.strength).toBeGreaterThan(0);
    expect(Number.isFinite(few?.strength)).toBe(true);
    expect(width(many)).toBeLessThan(width(few));
  });

  it("are the same distance from 0 for two that only met each other, and 0 for even votes", () => {
    const [first, second] = from(["a", "b", "llr"]);
    expect(first?.strength).toBeCloseTo(-(second?.strength ?? 0), 10);
    for (const { strength, n } of from(["a", "b", "lrt"])) expect([strength, n]).toEqual([0, 3]);
    expect(from()).toEqual([]);
  });

  it("end with finite figures for any votes", () => {
    const game = fc.tuple(
      fc.constantFrom("a", "b"),
      fc.constantFrom("c", "d"),
      fc.string({ unit: fc.constantFrom("l", "r", "t", "s"), minLength: 1, maxLength: 40 }),
    );
    fc.assert(
      fc.property(fc.uniqueArray(game, { selector: ([a, b]) => a + b }), (games) => {
        const found = from(...games);
        for (const { strength, interval } of found) {
          expect([strength, interval.low, interval.high].every(Number.isFinite)).toBe(true);
          expect(interval.low ?? 0).toBeLessThan(strength);
        }
      }),
    );
  });
});

describe("agreement of voters", () => {
  const pairs = ["b", "c", "d", "e"].map((name) => makePair("a", name));
  const all = (choices: readonly string[]) =>
    choices.flatMap((each, index) => makeVotes(pairs[index] ?? pair, each));

  it("is 1 where all choose the same, and below 0 where they choose opposites", () => {
    expect(voterAgreement(pairs, all(["ll", "rr", "tt"]), { seed: 1 }).alpha).toMatchObject({
      value: 1,
      n: 3,
    });
    const { alpha } = voterAgreement(pairs, all(["lr", "rl", "lr"]), { seed: 1 });
    expect(alpha.value).toBeLessThan(0);
  });

  it("counts how often each voter chose as most others did", () => {
    const { voters } = voterAgreement(pairs, all(["lll", "rrl", "lls"]), { seed: 1 });
    expect(voters).toEqual([
      { voter: "v0", votes: 3, withMajority: { agreed: 2, of: 2 } },
      { voter: "v1", votes: 3, withMajority: { agreed: 2, of: 2 } },
      { voter: "v2", votes: 2, withMajority: { agreed: 1, of: 2 } },
    ]);
  });

  it("has no figure where no pair has two votes", () => {
    expect(voterAgreement(pairs, all(["l", "s"]), { seed: 1 }).alpha).toEqual({
      value: null,
      n: 0,
      why: "too_few",
    });
  });
});
