import { SPLIT_NAMES, type SplitName } from "../split.ts";
import type { RowFacts } from "../tally.ts";
import { distributionOf, lengthEdges, shareEdges, Values } from "./distribution.ts";
import type { QualityReport, QualitySection } from "./quality-report.ts";

/** Tools that are named; agents may call anything. */
const MOST_TOOLS = 100;
/** Different names of one kind that are held. */
const MOST_NAMES = 10_000;

/** Adds up what stands in a dataset: 32 bytes a trajectory and 8 a row, besides the different names. */
export class QualityTally {
  readonly #splits = new Map<SplitName, Part>();

  addTrajectory(split: SplitName, facts: RowFacts): void {
    this.#of(split).addTrajectory(facts);
  }

  addRow(split: SplitName, { tokens }: { readonly tokens: number }): void {
    this.#of(split).addRow(tokens);
  }

  sections(): Pick<QualityReport, "all" | "splits"> {
    const splits = SPLIT_NAMES.flatMap((name) => {
      const part = this.#splits.get(name);
      return part === undefined ? [] : [[name, sectionOf([part])] as const];
    });
    return { all: sectionOf([...this.#splits.values()]), splits: Object.fromEntries(splits) };
  }

  #of(split: SplitName): Part {
    const part = this.#splits.get(split) ?? new Part();
    this.#splits.set(split, part);
    return part;
  }
}

class Part {
  rows = 0;
  trajectories = 0;
  readonly steps = new Values();
  readonly messages = new Values();
  readonly tokens = new Values();
  readonly rewards = new Values();
  readonly outcome = new Names();
  readonly tools = new Names();
  readonly domain = new Names();
  readonly agent = new Names();
  readonly model = new Names();
  readonly format = new Names();
  readonly redactions = new Names();

  addRow(tokens: number): void {
    this.rows += 1;
    this.tokens.add(tokens);
  }

  addTrajectory(facts: RowFacts): void {
    const { reward, success, calls, redacted } = facts;
    this.trajectories += 1;
    this.steps.add(facts.steps);
    this.messages.add(facts.messages);
    if (reward !== null) this.rewards.add(reward);
    this.outcome.add(success === null ? "unknown" : success ? "success" : "failure");
    for (const [tool, count] of Object.entries(calls)) this.tools.add(tool, count);
    this.domain.add(facts.domain);
    this.agent.add(facts.agent);
    this.model.add(facts.model ?? "unknown");
    this.format.add(facts.format);
    for (const [type, count] of Object.entries(redacted)) this.redactions.add(type, count);
  }
}

/** Counts by name; names beyond what is held are counted together. */
class Names {
  readonly counts = new Map<string, number>();
  other = 0;

  add(name: string, count = 1): void {
    const known = this.counts.get(name);
    if (known === undefined && this.counts.size >= MOST_NAMES) this.other += count;
    else this.counts.set(name, (known ?? 0) + count);
  }
}

function sectionOf(parts: readonly Part[]): QualitySection {
  const values = (of: "steps" | "messages" | "tokens" | "rewards"): readonly Values[] =>
    parts.map((part) => part[of]);
  const names = (of: "outcome" | "domain" | "agent" | "model" | "format" | "redactions") => {
    const { named, other } = sumOf(
      parts.map((part) => part[of]),
      MOST_NAMES,
    );
    return other === 0 ? named : { ...named, other };
  };
  const tools = sumOf(
    parts.map((part) => part.tools),
    MOST_TOOLS,
  );
  return {
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    trajectories: parts.reduce((sum, { trajectories }) => sum + trajectories, 0),
    length: {
      steps: distributionOf(values("steps"), lengthEdges),
      messages: distributionOf(values("messages"), lengthEdges),
      tokens: distributionOf(values("tokens"), lengthEdges),
    },
    reward: distributionOf(values("rewards"), shareEdges),
    outcome: names("outcome"),
    tools: tools.named,
    other_calls: tools.other,
    domain: names("domain"),
    agent: names("agent"),
    model: names("model"),
    format: names("format"),
    redactions: names("redactions"),
  };
}

/** The most frequent names first, then by name; those after the first `most` together. */
function sumOf(
  all: readonly Names[],
  most: number,
): { readonly named: Record<string, number>; readonly other: number } {
  const sum = new Map<string, number>();
  let other = 0;
  for (const { counts, other: beyond } of all) {
    other += beyond;
    for (const [name, count] of counts) sum.set(name, (sum.get(name) ?? 0) + count);
  }
  const sorted = [...sum].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  for (const [, count] of sorted.slice(most)) other += count;
  return { named: Object.fromEntries(sorted.slice(0, most)), other };
}
