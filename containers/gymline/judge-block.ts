import type { Judgement } from "../../shared/contracts/judgement.ts";
import { pc } from "./colours.ts";
import { usdText } from "./judge-report.ts";
import { figure, many, out, printable } from "./terminal.ts";

/** What judges said of a trajectory, step by step. */
export function printJudgements(judgements: readonly Judgement[], revision: string): void {
  if (judgements.length === 0) out("\nno judge has looked at it: gymline judge");
  for (const each of judgements) {
    const { model, judge, coverage, samples, failures, manipulation = [], created_at, usd } = each;
    const old = each.revision === revision ? "" : pc.yellow(" (of an older revision; does not count)");
    out(`\n${pc.bold(`judge ${printable(model)}`)} (${judge}), ${created_at}${old}`);
    const votes = samples > 1 ? `, ${samples} answers each` : "";
    out(
      `  ${coverage.scored} of ${many(coverage.steps, "agent step")} scored, ${coverage.asked} asked about in ${many(coverage.windows, "window")}${votes}; ${usdText(usd)}`,
    );
    for (const { window, reason } of failures)
      out(`  ${pc.yellow(`▼ window ${window}`)} ${printable(reason)}`);
    if (manipulation.length > 0) {
      out(`  ${pc.yellow("▼ text that speaks to the judge")} in window ${manipulation.join(", ")}`);
    }
    for (const { index, scores, rationale, disagreement = {} } of each.steps) {
      const said = Object.entries(scores).map(([id, score]) => {
        const spread = disagreement[id];
        return `${id} ${figure(score, 2)}${spread === undefined ? "" : `±${figure(spread, 2)}`}`;
      });
      out(`  ${String(index).padStart(4)}  ${printable(said.join(", "))}`);
      if (rationale !== "") out(`        ${pc.dim(printable(rationale))}`);
    }
  }
}
