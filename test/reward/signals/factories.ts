import { getDomainProfile } from "../../../shared/domains/builtin.ts";
import { referenceFor } from "../../../shared/reward/references.ts";
import type { RuleCall } from "../../../shared/reward/rule-step.ts";
import type { Signal, SignalCode } from "../../../shared/reward/signals/signal.ts";
import { type SignalsConfig, trajectorySignals } from "../../../shared/reward/signals/trajectory-signals.ts";
import { type FactStep, trajectoryFacts } from "../../../shared/reward/trajectory-facts.ts";
import { call } from "../factories.ts";

export function bash(command: string, output = "", exitCode: number | null = 0): RuleCall {
  return { ...call("bash", { command }, output), exitCode };
}

export function edit(path: string, output = "The file has been edited."): RuleCall {
  return call("str_replace_editor", { command: "str_replace", path, old_str: "a", new_str: "b" }, output);
}

export const submit = call("submit");

export function saying(thought: string, ...calls: readonly RuleCall[]): FactStep {
  return { thought, message: thought, calls };
}

export function signalsOf(
  steps: readonly FactStep[],
  { domain = "coding", config }: { readonly domain?: string; readonly config?: SignalsConfig } = {},
): readonly Signal[] {
  const facts = trajectoryFacts(steps, getDomainProfile(domain));
  return trajectorySignals(
    { facts, reference: referenceFor(null, { taskKey: null, domain, agent: "" }) },
    config,
  );
}

export function signalOf(code: SignalCode, steps: readonly FactStep[], domain?: string): Signal {
  const found = signalsOf(steps, domain === undefined ? {} : { domain }).find((each) => each.code === code);
  if (found === undefined) throw new Error(`there is no signal ${code}`);
  return found;
}
