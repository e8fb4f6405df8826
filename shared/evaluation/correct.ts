import type { Correction } from "../contracts/evaluation.ts";
import { benjaminiHochbergAdjusted } from "../statistics/benjamini-hochberg.ts";
import { bonferroniAdjusted } from "../statistics/bonferroni.ts";
import { holmAdjusted } from "../statistics/holm.ts";

type Values = readonly (number | null)[];

const CORRECTIONS: Readonly<Record<Correction, (values: Values) => Values>> = {
  holm: holmAdjusted,
  bonferroni: bonferroniAdjusted,
  benjamini_hochberg: benjaminiHochbergAdjusted,
  none: (values) => values,
};

/** P-values of one family after correction, in their order; null (no test) stays null and does not count. */
export function corrected(values: Values, correction: Correction): Values {
  return CORRECTIONS[correction](values);
}
