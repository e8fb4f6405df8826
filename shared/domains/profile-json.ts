import { rubricsOf } from "../reward/rubrics.ts";
import type { DomainProfile } from "./profile.ts";

/** A profile in the JSON form of profile files, with the weight of every rubric; `parseDomainProfile` reads it. */
export function domainProfileJson(profile: DomainProfile): Readonly<Record<string, unknown>> {
  const { outcomeSpec, rubricWeights } = profile;
  const weights = rubricsOf(profile).map(({ id, weight }) => [id, weight] as const);
  return {
    domain: profile.domain,
    display_name: profile.displayName,
    tools: profile.tools.map(({ statefulKey, ...tool }) => ({
      name: tool.name,
      category: tool.category,
      stateful_key: statefulKey,
      aliases: tool.aliases,
      ...(tool.effect === undefined ? {} : { effect: tool.effect }),
      repeatable: tool.repeatable,
    })),
    outcome_spec: {
      success_field: outcomeSpec.successField,
      score_field: outcomeSpec.scoreField,
      total_field: outcomeSpec.totalField,
      failed_field: outcomeSpec.failedField,
      partial_credit_field: outcomeSpec.partialCreditField,
    },
    task_fields: profile.taskFields,
    default_rubric_weights: { ...rubricWeights, ...Object.fromEntries(weights) },
  };
}
