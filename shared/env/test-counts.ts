/** What the summary of a test run says. */
export interface TestCounts {
  readonly passed: number;
  /** Failures and errors. */
  readonly failed: number;
}

type Reader = (text: string) => TestCounts | undefined;

/** Last lines first: a program under test may print what looks like a summary, the runner's own comes after. */
const READERS: readonly Reader[] = [pytest, jest, cargo, nodeTest, goTest, unittest, tap];

/** Counts of passed and failed tests in the output of a test runner; undefined where it holds no summary. */
export function testCounts(output: string): TestCounts | undefined {
  // Colours would stand between the words.
  const text = output.replace(/\u001b\[[0-9;]*m/g, "");
  for (const read of READERS) {
    const counts = read(text);
    if (counts !== undefined) return counts;
  }
  return undefined;
}

function pytest(text: string): TestCounts | undefined {
  // "=== 1 failed, 2 passed, 1 error in 0.12s ===", with -q without the bars.
  const lines = text.match(/^(?:=+ )?(?:no tests ran|\d+ [a-z]+(?:, \d+ [a-z]+)*) in [\d.:]+ ?s.*$/gm);
  const line = lines?.at(-1);
  if (line === undefined) return undefined;
  const count = (word: RegExp): number => Number(word.exec(line)?.[1] ?? 0);
  return { passed: count(/(\d+) passed/), failed: count(/(\d+) failed/) + count(/(\d+) errors?\b/) };
}

function jest(text: string): TestCounts | undefined {
  // "Tests:       1 failed, 4 passed, 5 total"
  const line = text.match(/^Tests: +.*\d+ total$/gm)?.at(-1);
  if (line === undefined) return undefined;
  return {
    passed: Number(/(\d+) passed/.exec(line)?.[1] ?? 0),
    failed: Number(/(\d+) failed/.exec(line)?.[1] ?? 0),
  };
}

function cargo(text: string): TestCounts | undefined {
  // One summary for each test program.
  const all = [...text.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed;/gm)];
  return all.length === 0 ? undefined : sum(all);
}

function nodeTest(text: string): TestCounts | undefined {
  // "# pass 3" of the TAP reporter, "ℹ pass 3" of the spec reporter.
  const passed = [...text.matchAll(/^(?:#|ℹ) pass (\d+)$/gm)].at(-1)?.[1];
  const failed = [...text.matchAll(/^(?:#|ℹ) fail (\d+)$/gm)].at(-1)?.[1];
  if (passed === undefined || failed === undefined) return undefined;
  const cancelled = [...text.matchAll(/^(?:#|ℹ) cancelled (\d+)$/gm)].at(-1)?.[1];
  return { passed: Number(passed), failed: Number(failed) + Number(cancelled ?? 0) };
}

function goTest(text: string): TestCounts | undefined {
  const passed = text.match(/^\s*--- PASS: /gm)?.length ?? 0;
  const failed = text.match(/^\s*--- FAIL: /gm)?.length ?? 0;
  return passed + failed === 0 ? undefined : { passed, failed };
}

function unittest(text: string): TestCounts | undefined {
  // "Ran 5 tests in 0.001s", then "OK" or "FAILED (failures=1, errors=2)".
  const ran = [...text.matchAll(/^Ran (\d+) tests? in [\d.]+s\s+(OK|FAILED)(.*)$/gm)].at(-1);
  if (ran === undefined) return undefined;
  const [, total, , rest = ""] = ran;
  const count = (word: string): number => Number(new RegExp(`\\b${word}=(\\d+)`).exec(rest)?.[1] ?? 0);
  const failed = count("failures") + count("errors") + count("unexpected successes");
  return { passed: Math.max(0, Number(total) - failed - count("skipped")), failed };
}

function tap(text: string): TestCounts | undefined {
  if (!/^1\.\.\d+/m.test(text)) return undefined;
  const passed = text.match(/^ok \d+(?!.*# (?:SKIP|TODO))/gim)?.length ?? 0;
  const failed = text.match(/^not ok \d+(?!.*# TODO)/gim)?.length ?? 0;
  return { passed, failed };
}

function sum(all: readonly RegExpExecArray[]): TestCounts {
  let [passed, failed] = [0, 0];
  for (const [, good, bad] of all) {
    passed += Number(good);
    failed += Number(bad);
  }
  return { passed, failed };
}
