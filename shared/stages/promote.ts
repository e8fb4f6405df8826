import {
  EVALUATION_FINISHED,
  EVALUATION_REQUESTED,
  type LoopEvent,
  MODEL_PROMOTED,
  MODEL_REJECTED,
} from "../contracts/events.ts";
import type { LoopRun } from "../contracts/loop.ts";
import type { Decision, ModelLine, ModelState } from "../contracts/model.ts";
import type { LoopPorts, LoopView, RunMove } from "../loop/loop-ports.ts";
import { aboutRun, NEW_STEP } from "../loop/loop-record.ts";
import { wonShare } from "../loop/won-share.ts";
import type { EvaluatedRun } from "../loop/works.ts";
import { decide } from "../registry/gate.ts";
import { readLine } from "../registry/model-line.ts";
import {
  challengeOf,
  promoteModel,
  readDecision,
  rejectModel,
  StaleDecisionError,
} from "../registry/registry.ts";
import { giveVersionFeedback } from "./give-feedback.ts";
import { NoManifestError } from "./stored-manifest.ts";
import { evaluationOf, stopped } from "./train.ts";

/**
 * After the evaluation's jobs: the gate decides, the registry is changed, and what the dataset version achieved becomes
 * feedback on its trajectories. A champion that changed meanwhile is evaluated first.
 */
export async function afterEvaluation(view: LoopView, ports: LoopPorts): Promise<RunMove> {
  const { run, policy } = view;
  const version = run.version ?? "";
  const line = await readLine(run.model, ports.ledger);
  const now = line?.champion ?? null;
  // It was decided before, by whoever was stopped before he could say so.
  const decided = line?.versions[version]?.state;
  const evaluated = await ports.works.evaluated(run);
  const at: LoopRun = { ...run, evaluation: evaluated.evaluation };
  if (line !== undefined && (decided === "champion" || decided === "rejected")) {
    await giveWord({ view, evaluated, ports });
    const { decision, reason } = await wordOn(line, { version, state: decided, ports });
    return decided === "champion" ? promoted(at, ports, decision) : rejected(at, reason, decision);
  }
  if (now !== run.champion) return againstAnother(run, now);
  const decision = decide({
    model: run.model,
    candidate: { version, episodes: evaluated.candidate },
    champion: run.champion === null ? null : { version: run.champion, episodes: evaluated.champion ?? [] },
    planned: evaluated.planned,
    policy: policy.promotion,
    challenge: challengeOf(line),
    evaluation: evaluated.evaluation ?? undefined,
  });
  const reason = decision.reasons.join("; ") || "all conditions of the policy hold";
  const word = { by: "gate", reason, decision };
  const model = { name: run.model, version };
  switch (decision.verdict) {
    case "invalid":
      return {
        run: { ...at, state: "invalid", reason },
        events: [finished(at, decision), stopped(run, { state: "invalid", reason })],
      };
    case "reject":
      await rejectModel(model, { word, ports });
      await giveWord({ view, evaluated, ports });
      return rejected(at, reason, decision);
    case "promote":
      try {
        await promoteModel(model, { word, against: run.champion, ports });
      } catch (error) {
        if (error instanceof StaleDecisionError) return againstAnother(run, error.champion);
        throw error;
      }
      await giveWord({ view, evaluated, ports });
      return promoted(at, ports, decision);
  }
}

/** What was said as a version came to its state; without a decision where a person said it, or the record has it no more. */
async function wordOn(
  { changes }: ModelLine,
  of: { readonly version: string; readonly state: ModelState; readonly ports: LoopPorts },
): Promise<{ readonly decision: Decision | null; readonly reason: string }> {
  const change = changes.findLast(({ version, to }) => version === of.version && to === of.state);
  const key = change?.decision ?? null;
  const decision = key === null ? undefined : await readDecision(key, of.ports.store);
  return { decision: decision ?? null, reason: change?.reason ?? "it was rejected" };
}

function promoted(run: LoopRun, { works }: LoopPorts, decision: Decision | null): RunMove {
  const { version } = run;
  const next: LoopRun = works.collects
    ? { ...run, state: "collecting", steps: { ...run.steps, collect: NEW_STEP } }
    : { ...run, state: "promoted" };
  return {
    run: { ...next, reason: decision?.reasons.join("; ") || null },
    events: [
      ...(decision === null ? [] : [finished(run, decision)]),
      {
        type: MODEL_PROMOTED,
        detail: {
          schema: "gymline.model-promoted.v1",
          ...aboutRun(run),
          version: version ?? "",
          before: run.champion,
        },
      },
    ],
  };
}

function rejected(run: LoopRun, reason: string, decision: Decision | null): RunMove {
  const detail = {
    schema: "gymline.model-rejected.v1" as const,
    ...aboutRun(run),
    version: run.version ?? "",
    reason,
  };
  return {
    run: { ...run, state: "rejected", reason },
    events: [...(decision === null ? [] : [finished(run, decision)]), { type: MODEL_REJECTED, detail }],
  };
}

function againstAnother(run: LoopRun, champion: string | null): RunMove {
  const version = run.version ?? "";
  return {
    run: evaluationOf(run, champion),
    events: [
      {
        type: EVALUATION_REQUESTED,
        detail: { schema: "gymline.evaluation-requested.v1", ...aboutRun(run), version, champion },
      },
    ],
  };
}

function finished(run: LoopRun, { verdict }: Decision): LoopEvent {
  const { version, champion, evaluation } = run;
  return {
    type: EVALUATION_FINISHED,
    detail: {
      schema: "gymline.evaluation-finished.v1",
      ...aboutRun(run),
      version: version ?? "",
      champion,
      verdict,
      evaluation,
    },
  };
}

/** One source for each model version: given again, it changes nothing. */
async function giveWord({
  view: { run, policy },
  evaluated,
  ports,
}: {
  readonly view: LoopView;
  readonly evaluated: EvaluatedRun;
  readonly ports: LoopPorts;
}): Promise<void> {
  const score = wonShare(evaluated, policy.promotion);
  if (score === null) return;
  const feedback = { source: `model:${run.model}/${run.version}`, score };
  try {
    await giveVersionFeedback(run.dataset, { feedback, store: ports.store, catalog: ports.catalog });
  } catch (error) {
    // Somebody removed the version meanwhile: nobody knows any more whom the word is for.
    if (!(error instanceof NoManifestError)) throw error;
  }
}
