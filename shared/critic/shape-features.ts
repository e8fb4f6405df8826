import type { CallRole } from "../reward/call-facts.ts";
import type { CriticStep } from "./critic-step.ts";
import { type FeatureGroup, type FeatureGroupSpec, flag, logOf, RecentMean, share } from "./feature-group.ts";

const roles: readonly CallRole[] = [
  ...(["read", "search", "edit", "tests", "command", "submit", "think", "say", "navigate", "tool"] as const),
];
const lastRoles: readonly CallRole[] = ["read", "search", "edit", "tests", "command", "submit", "tool"];
/** "Recent": so many steps or calls. */
const recent = 5;

/** How long the run is, what it consists of and how much is said in it. */
export const shapeFeatures: FeatureGroupSpec = {
  features: [
    ["steps", "ln(1 + agent steps)", "down", "relative"],
    ["calls", "ln(1 + calls)", "down", "relative"],
    ["calls_per_step", "calls ÷ steps, at most 5"],
    ["silent_share", "share of steps without a call"],
    ["silent_last", "the last step has no call"],
    ["tools", "ln(1 + different tools)", "down"],
    ...roles.map(
      (role) =>
        [
          `share_${role}`,
          `share of calls with the role "${role}"`,
          role === "submit" ? "up" : undefined,
        ] as const,
    ),
    ...lastRoles.map((role) => [`last_${role}`, `the last call has the role "${role}"`] as const),
    ["submitted", "a call handed the work in", "up"],
    ["submits", "ln(1 + calls that handed the work in)"],
    ["thought_total", "ln(1 + characters of all thoughts)", "down", "relative"],
    ["thought_mean", "mean over steps of ln(1 + characters of the thought)", "down", "relative"],
    ["thought_last", "ln(1 + characters of the last thought)", "down", "relative"],
    ["thought_trend", "thought_mean of the last 5 steps minus thought_mean", "down"],
    ["thought_none_share", "share of steps without a thought"],
    ["action_mean", "mean over steps of ln(1 + characters of the arguments)"],
    ["action_last", "ln(1 + characters of the last arguments)"],
    ["output_mean", "mean over calls of ln(1 + characters of the output)"],
    ["output_last", "ln(1 + characters of the last output)"],
    ["output_total", "ln(1 + characters of all outputs)", "down", "relative"],
    ["output_empty_share", "share of calls that brought no output"],
    ["output_empty_recent", "the same over the last 5 calls"],
  ],
  create: () => new ShapeGroup(),
};

class ShapeGroup implements FeatureGroup {
  #steps = 0;
  #calls = 0;
  #silent = 0;
  #silentLast = false;
  readonly #tools = new Set<string>();
  readonly #byRole = new Map<CallRole, number>();
  #last: CallRole | null = null;
  readonly #thought = new Lengths();
  readonly #thoughtRecent = new RecentMean(recent);
  #thoughtNone = 0;
  readonly #action = new Lengths();
  readonly #output = new Lengths();
  #empty = 0;
  readonly #emptyRecent = new RecentMean(recent);

  add({ facts: step }: CriticStep): void {
    this.#steps++;
    this.#silentLast = step.calls.length === 0;
    if (this.#silentLast) this.#silent++;
    this.#thought.add(step.thoughtLength);
    this.#thoughtRecent.add(logOf(step.thoughtLength));
    if (step.thoughtLength === 0) this.#thoughtNone++;
    this.#action.add(step.actionLength);
    for (const { view, role } of step.calls) {
      this.#calls++;
      this.#tools.add(view.at.tool);
      this.#byRole.set(role, (this.#byRole.get(role) ?? 0) + 1);
      this.#last = role;
      const { length } = view.at.output;
      this.#output.add(length);
      if (length === 0) this.#empty++;
      this.#emptyRecent.add(flag(length === 0));
    }
  }

  values(): readonly number[] {
    const submits = this.#byRole.get("submit") ?? 0;
    return [
      logOf(this.#steps),
      logOf(this.#calls),
      Math.min(5, share(this.#calls, this.#steps)),
      share(this.#silent, this.#steps),
      flag(this.#silentLast),
      logOf(this.#tools.size),
      ...roles.map((role) => share(this.#byRole.get(role) ?? 0, this.#calls)),
      ...lastRoles.map((role) => flag(this.#last === role)),
      flag(submits > 0),
      logOf(submits),
      logOf(this.#thought.total),
      this.#thought.mean(),
      this.#thought.last,
      this.#thoughtRecent.mean() - this.#thought.mean(),
      share(this.#thoughtNone, this.#steps),
      this.#action.mean(),
      this.#action.last,
      this.#output.mean(),
      this.#output.last,
      logOf(this.#output.total),
      share(this.#empty, this.#calls),
      this.#emptyRecent.mean(),
    ];
  }
}

/** Lengths of texts, by their logarithms. */
class Lengths {
  total = 0;
  last = 0;
  #sum = 0;
  #count = 0;

  add(length: number): void {
    this.total += length;
    this.last = logOf(length);
    this.#sum += this.last;
    this.#count++;
  }

  mean(): number {
    return share(this.#sum, this.#count);
  }
}
