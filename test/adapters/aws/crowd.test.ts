import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Crowd } from "../../../shared/adapters/aws/crowd.ts";

/** A crowd with a question whose answer is the question, and what was asked together. */
function crowdOf() {
  const crowd = new Crowd();
  const asked: (readonly string[])[] = [];
  const ask = crowd.gathered<string, string>((questions) => {
    asked.push(questions);
    return questions.map(async (question) => {
      if (question === "bad") throw new Error("no");
      return question;
    });
  });
  return { crowd, asked, ask };
}

describe("a crowd", () => {
  it("asks together what all of its pieces ask for, and gives each its own answer", async () => {
    const { crowd, asked, ask } = crowdOf();
    const piece = (name: string) =>
      crowd.join(2, async () => [await ask(`${name}1`), await ask(`${name}2`), await ask(`${name}3`)]);
    expect(await Promise.all([piece("a"), piece("b"), piece("c")])).toEqual([
      ["a1", "a2", "a3"],
      ["b1", "b2", "b3"],
      ["c1", "c2", "c3"],
    ]);
    expect(asked).toEqual([["a1", "b1", "c1"], ["a2", "b2", "c2"], ["a3"], ["b3"], ["c3"]]);
  });

  it("asks at once for who is not in it, or alone in it", async () => {
    const { crowd, asked, ask } = crowdOf();
    expect(await Promise.all([ask("x"), ask("y")])).toEqual(["x", "y"]);
    expect(await crowd.join(5, () => Promise.all([ask("p"), ask("q")]))).toEqual(["p", "q"]);
    expect(asked).toEqual([["x"], ["y"], ["p", "q"]]);
  });

  it("tells only those of a fault whose fault it is", async () => {
    const { crowd, ask } = crowdOf();
    const settled = await Promise.allSettled(["good", "bad"].map((name) => crowd.join(1, () => ask(name))));
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  });

  it("waits for no piece that has ended, and not long for one that asks for nothing", async () => {
    const { crowd, asked, ask } = crowdOf();
    let slow = true;
    const idle = crowd.join(9, async () => {
      await sleep(400);
      slow = false;
    });
    expect(await crowd.join(9, () => ask("a"))).toBe("a");
    expect(slow).toBe(true);
    await idle;
    const quick = crowd.join(9, async () => undefined);
    const both = Promise.all([quick, crowd.join(9, () => ask("b"))]);
    await both;
    expect(asked).toEqual([["a"], ["b"]]);
  });

  it("lets pieces that wait for different things go on", async () => {
    const crowd = new Crowd();
    const questions: string[] = [];
    const make = (name: string) =>
      crowd.gathered<string, string>((list) => {
        questions.push(`${name} ${list.join()}`);
        return list.map(async (question) => question);
      });
    const [one, two] = [make("one"), make("two")];
    await Promise.all([crowd.join(1, () => one("a")), crowd.join(1, () => two("b"))]);
    expect(questions).toEqual(["one a", "two b"]);
  });
});
