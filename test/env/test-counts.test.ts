import fc from "fast-check";
import { expect, it } from "vitest";
import { testCounts } from "../../shared/env/test-counts.ts";

it.each([
  ["pytest", "..F\n=== 1 failed, 2 passed in 0.12s ===", 2, 1],
  ["pytest in colour", "\u001b[31m\u001b[1m1 failed\u001b[0m, 2 passed, 1 error in 0.12s\u001b[0m", 2, 2],
  ["pytest -q", "3 passed, 1 skipped, 2 warnings in 61.00s (0:01:01)", 3, 0],
  ["pytest without tests", "no tests ran in 0.01s", 0, 0],
  ["Node.js, TAP", "# tests 4\n# pass 3\n# fail 1\n# cancelled 0", 3, 1],
  ["Node.js, spec", "ℹ tests 4\nℹ pass 2\nℹ fail 1\nℹ cancelled 1", 2, 2],
  ["Jest", "Tests:       1 failed, 4 passed, 5 total", 4, 1],
  [
    "Cargo",
    "test result: ok. 2 passed; 0 failed; 0 ignored\ntest result: FAILED. 1 passed; 3 failed; 0",
    3,
    3,
  ],
  ["Go", "=== RUN A\n--- PASS: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)", 1, 1],
  ["unittest", "Ran 5 tests in 0.001s\n\nFAILED (failures=1, errors=2, skipped=1)", 1, 3],
  ["unittest, all well", "Ran 5 tests in 0.001s\n\nOK", 5, 0],
  ["TAP", "1..3\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP", 1, 1],
])("counts the tests of %s", (_, output, passed, failed) => {
  expect(testCounts(output)).toEqual({ passed, failed });
});

it("finds no counts where there is no summary", () => {
  for (const output of ["", "all good", "3 passed", "passed: 3 in all"])
    expect(testCounts(output)).toBeUndefined();
});

it("takes the runner's own summary, the last one, not one that was printed before", () => {
  const output = "99 passed in 0.01s\nsome text\n1 failed, 2 passed in 0.03s\n";
  expect(testCounts(output)).toEqual({ passed: 2, failed: 1 });
});

it("reads every count back that pytest could print", () => {
  const counts = fc.record({ passed: fc.nat(9999), failed: fc.nat(9999), errors: fc.nat(99) });
  fc.assert(
    fc.property(counts, fc.lorem(), ({ passed, failed, errors }, noise) => {
      const parts = [
        `${failed} failed`,
        `${passed} passed`,
        `${errors} ${errors === 1 ? "error" : "errors"}`,
      ];
      const output = `${noise}\n==== ${parts.join(", ")} in 1.23s ====\n`;
      expect(testCounts(output)).toEqual({ passed, failed: failed + errors });
    }),
  );
});
