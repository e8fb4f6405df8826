import { relative, resolve } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * What takes minutes, the longest first: paths in `test/`, or beginnings of them. Needs no precision: it keeps a long
 * file from starting last, with the other workers idle. Files that need the trainer's Python come late in it, so that
 * it is installed meanwhile.
 */
export const LONGEST: readonly string[] = [
  "end-to-end/localstack.",
  "end-to-end/ministack.",
  "end-to-end/",
  "crash/",
  "docker/",
  "local-batch/",
  "sandbox/",
  "adapters/sandbox/",
  "local-stack/",
  "trainer/",
  "demo/",
  "dataset/",
  "cli/usage.",
  "package/",
];

/** Orders test files: those of `LONGEST`, then the other slow ones, unit tests last. Elsewise as Vitest does. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}

function rankOf({ project, moduleId }: TestSpecification): number {
  return rank(project.name, relative(resolve(import.meta.dirname, ".."), moduleId));
}

/** The place of a file, by its path in `test/`, among those of its run: files of the lowest start first. */
export function rank(project: string, path: string): number {
  if (project === "unit") return LONGEST.length + 1;
  const place = LONGEST.findIndex((start) => path.startsWith(start));
  return place < 0 ? LONGEST.length : place;
}
