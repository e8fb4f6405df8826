import type { JudgedTrajectory } from "../../shared/judge/judge-steps.ts";
import type { Rubric } from "../../shared/reward/rubrics.ts";
import { rubricSetForDomain } from "../../shared/reward/rubrics.ts";
import type { Step } from "../../shared/trajectory/schema.ts";

/** The rubrics of coding that a model judges. */
export const codingRubrics: readonly Rubric[] = rubricSetForDomain("coding").filter(
  ({ evaluator }) => evaluator === "model",
);

/** Rubrics of any id; the type is narrower than what the judge takes. */
export function rubricsNamed(...ids: readonly string[]): readonly Rubric[] {
  return ids.map((id) => ({
    id: id as Rubric["id"],
    name: id,
    description: `Whether the step is ${id}.`,
    weight: 1 / ids.length,
    evaluator: "model",
  }));
}

export interface TurnFacts {
  readonly user?: string;
  readonly thought?: string;
  readonly message?: string;
  readonly tool?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly output?: string;
}

/** A trajectory of one task message and these turns, as far as the judge looks at it. */
export function trajectoryOf(turns: readonly TurnFacts[], task = "Fix the failing test."): JudgedTrajectory {
  const steps: Step[] = [{ step_id: 1, source: "user", message: task } as Step];
  for (const turn of turns) {
    if (turn.user !== undefined) {
      steps.push({ step_id: steps.length + 1, source: "user", message: turn.user } as Step);
    }
    const id = `call_${steps.length}`;
    steps.push({
      step_id: steps.length + 1,
      source: "agent",
      message: turn.message ?? "",
      ...(turn.thought === undefined ? {} : { reasoning_content: turn.thought }),
      ...(turn.tool === undefined
        ? {}
        : {
            tool_calls: [{ tool_call_id: id, function_name: turn.tool, arguments: turn.params ?? {} }],
            observation: { results: [{ source_call_id: id, content: turn.output ?? "" }] },
          }),
    } as Step);
  }
  return { steps };
}
