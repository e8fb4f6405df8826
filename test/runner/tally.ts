import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

export interface Skip {
  readonly name: string;
  /** Why, where the test says so; its name says so otherwise. */
  readonly reason?: string;
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly Skip[];
}

export const NOTHING: Tally = { passed: 0, failed: 0, skipped: [] };

export function add(left: Tally, right: Tally): Tally {
  return {
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    skipped: [...left.skipped, ...right.skipped],
  };
}

/**
 * Counts what Vitest ran. A test file or group that breaks outside its tests (an import, a hook) and an error
 * that no test caught count as a failure each, and so does a run that found no test at all: none of them may
 * pass for a success.
 */
export class TallyReporter implements Reporter {
  private modules: readonly TestModule[] = [];
  private stray = 0;
  private finished = false;

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    this.modules = modules;
    this.stray = errors.length;
    this.finished = true;
  }

  tally(): Tally {
    let passed = 0;
    let failed = this.finished ? this.stray : 1;
    const skipped: Skip[] = [];
    for (const module of this.modules) {
      failed += broken(module);
      for (const suite of module.children.allSuites()) failed += broken(suite);
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") passed += 1;
        else if (result.state === "skipped") skipped.push(skip(module, test, result.note));
        else failed += 1;
      }
    }
    if (passed + failed + skipped.length === 0) failed = 1;
    return { passed, failed, skipped };
  }
}

function broken(group: TestModule | TestSuite): number {
  return group.errors().length > 0 ? 1 : 0;
}

function skip(module: TestModule, test: TestCase, note: string | undefined): Skip {
  const name = `${module.relativeModuleId} > ${test.fullName}`;
  return note === undefined ? { name } : { name, reason: note };
}
