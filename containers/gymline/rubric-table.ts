import type { Evaluator, Rubric } from "../../shared/reward/rubrics.ts";
import { printable, table } from "./terminal.ts";

const SCORED_BY: Readonly<Record<Evaluator, string>> = {
  rule: "rules",
  model: "a judge",
  human: "people",
  critic: "the critic",
};

const COLUMNS = [
  { title: "rubric" },
  { title: "weight", align: "right" },
  { title: "scored by" },
  { title: "description" },
] as const;

/** Rubrics with who scores them. */
export function rubricTable(rubrics: readonly Rubric[]): string {
  return table(
    COLUMNS,
    rubrics.map(({ id, weight, evaluator, description }) => [
      id,
      String(weight),
      SCORED_BY[evaluator],
      printable(description),
    ]),
  );
}
