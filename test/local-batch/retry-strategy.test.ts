import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type FailedAttempt,
  type RetryStrategy,
  retryStrategySchema,
  runsAgain,
} from "../../infra/local/batch/retry-strategy.ts";

type Condition = NonNullable<RetryStrategy["evaluateOnExit"]>[number];

const text = fc.string({ unit: fc.constantFrom("a", "B", ".", ":", " ", "*"), maxLength: 4 });
const code = fc.integer({ min: 0, max: 255 });
const failed: fc.Arbitrary<FailedAttempt> = fc.record(
  { exitCode: code, reason: text, statusReason: text },
  { requiredKeys: [] },
);
const glob = text
  .map((start) => start.replaceAll("*", ""))
  .chain((start) => fc.constantFrom(start, `${start}*`));
const condition: fc.Arbitrary<Condition> = fc
  .record(
    {
      onExitCode: code.chain((value) => fc.constantFrom(`${value}`, `${value}`.slice(0, 1), "1*", "*")),
      onReason: glob,
      onStatusReason: glob,
      action: fc.constantFrom("RETRY" as const, "EXIT" as const),
    },
    { requiredKeys: ["action"] },
  )
  .map((given) => given as Condition);
const strategy = (attempts: number): fc.Arbitrary<RetryStrategy> =>
  fc.array(condition, { maxLength: 5 }).map((evaluateOnExit) => ({ attempts, evaluateOnExit }));

/** The documented rule, as a regular expression instead of by comparing starts. */
function fits(pattern: string | undefined, value: string): boolean {
  if (pattern === undefined) return true;
  const quoted = pattern.replaceAll(/[.]/g, "\\.").replace(/\*$/, "[^]*");
  return new RegExp(`^${quoted}$`).test(value);
}

function fitsAll(each: Condition, { exitCode, reason = "", statusReason = "" }: FailedAttempt): boolean {
  return (
    fits(each.onExitCode, exitCode === undefined ? "" : `${exitCode}`) &&
    fits(each.onReason, reason) &&
    fits(each.onStatusReason, statusReason)
  );
}

describe("a retry strategy", () => {
  it("lets the first condition decide whose parts all match, and retries where none does", () => {
    fc.assert(
      fc.property(strategy(10), failed, fc.integer({ min: 1, max: 9 }), (given, attempt, made) => {
        const first = given.evaluateOnExit?.find((each) => fitsAll(each, attempt));
        expect(runsAgain(given, attempt, made)).toBe((first?.action ?? "RETRY") === "RETRY");
      }),
    );
  });

  it("never allows more attempts than it has", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }).chain(strategy),
        failed,
        fc.nat(20),
        (given, attempt, more) => {
          expect(runsAgain(given, attempt, (given.attempts ?? 1) + more)).toBe(false);
        },
      ),
    );
  });

  it("has one attempt where it says nothing", () => {
    expect(runsAgain({}, { exitCode: 1 }, 1)).toBe(false);
  });

  it("retries what Spot took and nothing else, as the documentation writes it", () => {
    const spot = retryStrategySchema.parse({
      attempts: 3,
      evaluateOnExit: [
        { onStatusReason: "Host EC2*", action: "RETRY" },
        { onReason: "*", action: "EXIT" },
      ],
    });
    expect(runsAgain(spot, { statusReason: "Host EC2 (instance i-1) terminated." }, 1)).toBe(true);
    expect(runsAgain(spot, { exitCode: 1, statusReason: "Essential container in task exited" }, 1)).toBe(
      false,
    );
  });

  it("takes actions in any case, and patterns in theirs alone", () => {
    const given = retryStrategySchema.parse({
      attempts: 2,
      evaluateOnExit: [{ onStatusReason: "host*", action: "eXiT" }],
    });
    expect(given.evaluateOnExit?.[0]?.action).toBe("EXIT");
    expect(runsAgain(given, { statusReason: "host gone" }, 1)).toBe(false);
    expect(runsAgain(given, { statusReason: "Host gone" }, 1)).toBe(true);
  });

  it.each([
    { name: "more than ten attempts", given: { attempts: 11 } },
    { name: "no attempts", given: { attempts: 0 } },
    {
      name: "more than five conditions",
      given: { attempts: 2, evaluateOnExit: Array(6).fill({ action: "EXIT" }) },
    },
    { name: "conditions without attempts", given: { evaluateOnExit: [{ action: "EXIT" }] } },
    { name: "another action", given: { attempts: 2, evaluateOnExit: [{ action: "WAIT" }] } },
    {
      name: "letters in an exit code",
      given: { attempts: 2, evaluateOnExit: [{ action: "EXIT", onExitCode: "1a" }] },
    },
    {
      name: "a pattern of more than 512 characters",
      given: { attempts: 2, evaluateOnExit: [{ action: "EXIT", onReason: "x".repeat(513) }] },
    },
  ])("is refused with $name", ({ given }) => {
    expect(retryStrategySchema.safeParse(given).success).toBe(false);
  });
});
