import type { StoredScore } from "../../shared/stages/score-trajectory.ts";
import { figure, many } from "./terminal.ts";

/** The total of a score; null where no layer could say anything. */
export function rewardOf(score: StoredScore): number | null {
  return score.layers.length === 0 ? null : score.total;
}

/** What a total is made of, a line for each thing worth a line: names and texts. */
export function scoreLines(score: StoredScore): readonly (readonly [name: string, text: string])[] {
  const lines: [string, string][] = [];
  const weight = score.parts.reduce((sum, part) => sum + part.weight, 0);
  const parts = score.parts.map((each) => {
    const share = weight > 0 ? ` × ${figure(each.weight / weight)}` : "";
    return `${each.part} ${figure(each.value)}${share}`;
  });
  const { calibration, judge, critic_model: critic, annotators, reference } = score;
  const before = calibration === undefined ? undefined : score.automatic?.[calibration.layer];
  const calibrated =
    calibration === undefined
      ? ""
      : `; ${calibration.layer} calibrated, ${figure(before ?? null)} before (${calibration.version})`;
  const sum = parts.length === 0 ? "nothing says so" : parts.join(" + ");
  lines.push(["reward", `${figure(rewardOf(score))} = ${sum}${calibrated}; domain ${score.domain}`]);
  for (const { code, score: value, weight: own, message } of score.signal_scores) {
    if (value === null) continue;
    lines.push(["signal", `${code} ${figure(value)} × ${own}: ${message}`]);
  }
  if (reference !== undefined) {
    const of = {
      task: "this task",
      agent: "this agent",
      domain: "the domain",
      builtin: "the domain",
      given: "a good run",
    };
    const from = reference.n > 0 ? ` (median of ${many(reference.n, "run")})` : "";
    lines.push([
      "length",
      `${many(score.step_count, "agent step")}; ${of[reference.of]} takes ${reference.steps}${from}`,
    ]);
  }
  if (judge !== undefined) {
    const votes = judge.samples > 1 ? `, ${judge.samples} votes each` : "";
    lines.push(["judge", `${judge.model} scored ${many(judge.scored, "step")}${votes} (${judge.judge})`]);
  }
  if (critic !== undefined) {
    const change = `${figure(critic.initial)} at the start, ${figure(score.critic)} at the end`;
    lines.push(["critic", `chance of success ${change} (${critic.version})`]);
  }
  if (annotators !== undefined)
    lines.push(["people", `${figure(score.human)} from ${many(annotators, "annotator")}`]);
  return lines;
}

type Step = StoredScore["steps"][number];

/** What each layer says of a step, where more than one does; "" else. */
export function stepLayers({ layers, credit }: Step): string {
  const said = Object.entries(layers).filter(([, value]) => value !== null);
  const texts = said.length < 2 ? [] : said.map(([name, value]) => `${name} ${figure(value)}`);
  if (credit !== undefined) texts.push(`credit ${credit < 0 ? "" : "+"}${figure(credit)}`);
  return texts.join(", ");
}
