import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pairTask } from "../../shared/preferences/pair-task.ts";
import { resolveVotes, type VotedPair } from "../../shared/preferences/votes.ts";
import { attemptsArbitrary, makeAttempt, makeOptions } from "./factories.ts";

function vote(chosenId: string, rejectedId: string, more: Partial<VotedPair> = {}): VotedPair {
  return { taskId: "task", chosenId, rejectedId, votes: 3, share: 1, source: "votes", ...more };
}

const attempts = [makeAttempt("a", 0.9), makeAttempt("b", 0.5), makeAttempt("c", 0.4), makeAttempt("d", 0.1)];

describe("votes", () => {
  it("go before the rewards, and conflicts with them are counted", () => {
    const made = pairTask({ task: "task", attempts }, makeOptions(), [vote("d", "a", { share: 2 / 3 })]);
    expect(made.pairs.map(({ chosen, rejected, source }) => [chosen.id, rejected.id, source])).toEqual([
      ["d", "a", "votes"],
      ["b", "c", "reward"],
    ]);
    expect(made.pairs[0]?.vote).toEqual({ votes: 3, share: 2 / 3 });
    expect(made.votes).toEqual({ "against the rewards": 1 });
    expect(made.leftOut).toEqual({ "decided by votes instead": 1 });
  });

  it("decide where the rewards do not differ enough", () => {
    const close = [makeAttempt("a", 0.51), makeAttempt("b", 0.5)];
    const made = pairTask({ task: "task", attempts: close }, makeOptions(), [vote("b", "a")]);
    expect(made.pairs).toMatchObject([{ chosen: { id: "b" }, source: "votes" }]);
  });

  it("are added up in either direction; even ones decide nothing", () => {
    const split = [vote("a", "b", { votes: 2 }), vote("b", "a", { votes: 3 })];
    expect(resolveVotes(attempts, split).pairs).toMatchObject([
      { chosen: { id: "b" }, vote: { votes: 5, share: 0.6 } },
    ]);
    const even = [vote("a", "b", { votes: 3, share: 1 / 3 }), vote("a", "b", { votes: 3, share: 2 / 3 })];
    expect(resolveVotes(attempts, even)).toMatchObject({ pairs: [], counts: { even: 1 } });
  });

  it("of people go before a judge's, whose word counts where people are divided", () => {
    const judged = vote("a", "d", { source: "judge", votes: 9 });
    expect(resolveVotes(attempts, [judged, vote("d", "a", { votes: 1 })]).pairs).toMatchObject([
      { chosen: { id: "d" }, source: "votes", vote: { votes: 1 } },
    ]);
    const divided = vote("d", "a", { votes: 2, share: 0.5 });
    expect(resolveVotes(attempts, [judged, divided]).pairs).toMatchObject([
      { chosen: { id: "a" }, source: "judge" },
    ]);
  });

  it("on attempts that are not there, or on one with itself, are counted and change nothing", () => {
    expect(resolveVotes(attempts, [vote("a", "nobody"), vote("a", "a")])).toMatchObject({
      pairs: [],
      counts: { "names no attempt at the task": 1, "names one attempt twice": 1 },
    });
  });

  it("come out the same whatever their order, one pair for each two attempts", () => {
    const votes = fc.array(
      fc.record({
        taskId: fc.constant("task"),
        chosenId: fc.constantFrom("t0", "t1", "t2", "t3"),
        rejectedId: fc.constantFrom("t0", "t1", "t2", "t3"),
        votes: fc.integer({ min: 1, max: 5 }),
        share: fc.constantFrom(0, 0.2, 0.5, 0.8, 1),
        source: fc.constantFrom("votes" as const, "judge" as const),
      }),
    );
    const decisions = (given: Parameters<typeof resolveVotes>): readonly string[] =>
      resolveVotes(...given)
        .pairs.map(({ chosen, rejected, source }) => `${chosen.id}>${rejected.id} ${source}`)
        .toSorted();
    fc.assert(
      fc.property(attemptsArbitrary, votes, (some, voted) => {
        const forwards = decisions([some, voted]);
        expect(decisions([some, voted.toReversed()])).toEqual(forwards);
        expect(new Set(forwards).size).toBe(forwards.length);
        const { pairs, decided } = resolveVotes(some, voted);
        expect(decided.size).toBe(pairs.length);
        for (const { vote: count } of pairs) expect(count?.share).toBeGreaterThan(0.5);
      }),
    );
  });
});
