/** Counts of one test run as its output states them. */
interface TestCounts {
  readonly passed: number;
  readonly failed: number;
}

/** Summaries stand at the end; reading no more keeps a long log cheap. */
const tail = 4_000;

/** Every summary has one of these. Words are rarer than digits: looking back from them takes a third of the time. */
const summary = /(?:pass|fail)(?:ed|ing)(?<=\d (?:pass|fail)(?:ed|ing))|Ran \d|^--- |^ok /m;

/**
 * Reads the summary of a test run: pytest, jest, vitest, mocha, cargo, go and unittest. Null where the
 * output has none.
 */
export function readTestCounts(output: string): TestCounts | null {
  const text = output.length > tail ? output.slice(-tail) : output;
  if (!summary.test(text)) return null;
  const count = (word: RegExp): number | null => {
    let last: number | null = null;
    for (const match of text.matchAll(word)) last = Number(match[1]);
    return last;
  };
  const passed = count(/\b(\d{1,7}) (?:passed|passing)\b/g);
  const failures = count(/\b(\d{1,7}) (?:failed|failing)\b/g);
  const errors = count(/\b(\d{1,7}) errors?\b(?! (?:found|in))/g);
  if (passed !== null || failures !== null) {
    return {
      passed: passed ?? 0,
      failed: (failures ?? 0) + (failures === null && passed === null ? 0 : (errors ?? 0)),
    };
  }
  const ran = count(/\bRan (\d{1,7}) tests? in\b/g);
  if (ran !== null) {
    const failed = (count(/\bfailures=(\d{1,7})/g) ?? 0) + (count(/\berrors=(\d{1,7})/g) ?? 0);
    return { passed: Math.max(0, ran - failed), failed };
  }
  const goFailed = text.match(/^--- FAIL: /gm)?.length ?? 0;
  const goPassed = text.match(/^(?:--- PASS: |ok {1,4}\t?\S)/gm)?.length ?? 0;
  return goFailed + goPassed > 0 ? { passed: goPassed, failed: goFailed } : null;
}
