import { z } from "zod";
import type { ScoreRow } from "../contracts/catalog-row.ts";
import type { ScoreEvidence } from "../contracts/evidence.ts";
import { getDomainProfile } from "../domains/builtin.ts";
import { chooseDomain } from "../domains/choose-domain.ts";
import type { DomainProfile } from "../domains/profile.ts";
import type { RewardConfig } from "../reward/config.ts";
import { factSteps } from "../reward/fact-steps.ts";
import type { Calibration, CriticReading } from "../reward/readings.ts";
import { type ReferenceBook, referenceFor } from "../reward/references.ts";
import type { RubricBook } from "../reward/rubrics.ts";
import { scoreDocumentSchema } from "../reward/score-document.ts";
import { type ScoreRequest, scoreTrajectoryByRules } from "../reward/score-rules.ts";
import { scorerId, scorerIdWith } from "../reward/scorer-id.ts";
import { trajectorySignals } from "../reward/signals/trajectory-signals.ts";
import { type FactStep, type TrajectoryFacts, trajectoryFacts } from "../reward/trajectory-facts.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import { taskKeyOf } from "../trajectory/task-key.ts";
import { currentJudgement, humanReading, modelReading } from "./score-evidence.ts";

/** How trajectories are scored. */
export interface ScoreSettings {
  readonly reward: RewardConfig;
  /** Scores everything by this profile, whatever the trajectory declares. */
  readonly profile?: DomainProfile;
  /** Rubrics and sets of the user's own, over those that are built in. */
  readonly rubrics?: RubricBook;
  readonly calibration?: Calibration;
  /** Typical sizes of runs; without them, built-in ones. */
  readonly references?: ReferenceBook;
  /** The learned critic, where one is installed. */
  readonly critic?: ((trajectory: Trajectory, facts: TrajectoryFacts) => Promise<CriticReading>) | undefined;
}

/** What was found out about one trajectory before it is scored. */
export interface ScoreReadings {
  readonly evidence?: ScoreEvidence | undefined;
  readonly critic?: CriticReading | undefined;
}

/** The stored score: the rule layer's document with what it came from. `steps[i]` is the i-th agent step. */
export const storedScoreSchema = scoreDocumentSchema.extend({
  trajectory_id: z.string(),
  revision: z.string(),
  scorer: z.string(),
  domain: z.string(),
});

export type StoredScore = z.infer<typeof storedScoreSchema>;

/** A score of our own store; like documents, checked in full by `gymline doctor --deep` only. */
export function readScore(bytes: Uint8Array): StoredScore {
  const value: { readonly schema?: unknown } = JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"),
  );
  if (value?.schema !== SCORE_SCHEMA)
    throw new TypeError(`a stored score has not the schema ${SCORE_SCHEMA}`);
  return value as StoredScore;
}

const SCORE_SCHEMA = "gymline.score.v1";

export interface ScoredTrajectory {
  readonly row: ScoreRow;
  readonly document: StoredScore;
}

const ids = new WeakMap<ScoreSettings, Map<string, string>>();

/** The profile a trajectory is scored by: the explicit one, else by what it declares, else by its tools. */
export function profileFor(trajectory: Trajectory, explicit: DomainProfile | undefined): DomainProfile {
  if (explicit !== undefined) return explicit;
  const toolNames = new Set<string>();
  for (const step of trajectory.steps) {
    for (const call of step.tool_calls ?? []) toolNames.add(call.function_name);
  }
  return getDomainProfile(chooseDomain({ declared: trajectory.extra.gymline.domain, toolNames }).domain);
}

/** What scoring looks at, worked out once. */
interface Look {
  readonly profile: DomainProfile;
  readonly steps: readonly FactStep[];
  /** Absent where knowlyr-gym's composition is asked for, which looks at single steps only. */
  readonly facts: TrajectoryFacts | undefined;
}

function lookAt(trajectory: Trajectory, settings: ScoreSettings): Look {
  const profile = profileFor(trajectory, settings.profile);
  const steps = factSteps(trajectory);
  const compatible = settings.reward.composition === "compatible";
  return { profile, steps, facts: compatible ? undefined : trajectoryFacts(steps, profile) };
}

/** Scores as the settings say: the critic has its say where one is installed, and so has what models and people said. */
export async function scoreBySettings(
  trajectory: Trajectory,
  settings: ScoreSettings,
  evidence?: ScoreEvidence,
): Promise<ScoredTrajectory> {
  const look = lookAt(trajectory, settings);
  const critic = look.facts === undefined ? undefined : await settings.critic?.(trajectory, look.facts);
  return scored(trajectory, { settings, look, readings: { evidence, critic } });
}

/** Scores by what is at hand, without asking a critic. Pure. */
export function scoreTrajectory(
  trajectory: Trajectory,
  settings: ScoreSettings,
  readings: ScoreReadings = {},
): ScoredTrajectory {
  return scored(trajectory, { settings, look: lookAt(trajectory, settings), readings });
}

function scored(
  trajectory: Trajectory,
  {
    settings,
    look,
    readings,
  }: { readonly settings: ScoreSettings; readonly look: Look; readonly readings: ScoreReadings },
): ScoredTrajectory {
  const { profile, steps } = look;
  const facts = trajectory.extra.gymline;
  const { revision } = facts.provenance;
  const { evidence, critic } = readings;
  const { reward: config, rubrics, calibration } = settings;
  const judgement = evidence === undefined ? undefined : currentJudgement(evidence, revision);
  const labels = evidence?.labels ?? [];
  const document = scoreTrajectoryByRules({
    steps,
    ...(look.facts === undefined ? {} : measures(trajectory, { facts: look.facts, settings })),
    outcome: facts.outcome,
    profile,
    config,
    rubrics,
    calibration,
    critic,
    judge: judgement === undefined ? undefined : modelReading(judgement, steps.length),
    human: humanReading(labels),
  });
  const basis = scorerOf(settings, profile, critic?.version);
  const scorer =
    judgement === undefined && labels.length === 0
      ? basis
      : scorerIdWith(basis, {
          layers: [
            ...(judgement === undefined ? [] : ["judge" as const]),
            ...(labels.length === 0 ? [] : ["people" as const]),
          ],
          said: { judge: judgement?.judge, steps: judgement?.steps, labels },
        });
  return {
    row: {
      scorer,
      reward: document.layers.length === 0 ? null : document.total,
      process: document.process,
      outcome: document.outcome,
      efficiency: document.efficiency,
    },
    document: { ...document, trajectory_id: facts.id, revision, scorer, domain: profile.domain },
  };
}

/**
 * What the run looks like as a whole. Its length is set against other runs of its task. The signals take sizes of the
 * agent or the domain instead: against its own task's, a run would say nothing of how hard the task is.
 */
function measures(
  trajectory: Trajectory,
  { facts, settings }: { readonly facts: TrajectoryFacts; readonly settings: ScoreSettings },
): Pick<ScoreRequest, "signals" | "reference"> {
  const references = settings.references?.references ?? null;
  const key = { domain: facts.domain, agent: trajectory.agent.name };
  const reference = referenceFor(references, { ...key, taskKey: null });
  const taskKey = references === null ? null : taskKeyOf(trajectory);
  const { steps: usual, of, n } = referenceFor(references, { ...key, taskKey });
  return {
    signals: trajectorySignals({ facts, reference }, settings.reward.signals),
    reference: { steps: usual, of, n },
  };
}

/** Hashing settings and profile for each trajectory would cost more than scoring it. */
function scorerOf(settings: ScoreSettings, profile: DomainProfile, critic: string | undefined): string {
  const known = ids.get(settings) ?? new Map<string, string>();
  ids.set(settings, known);
  const name = `${critic ?? ""} ${profile.domain}`;
  const found = known.get(name);
  if (found !== undefined) return found;
  const { reward: config, rubrics, calibration, references } = settings;
  const versions = { critic, calibration: calibration?.version, references: references?.version };
  const id = scorerId({ config, profile, rubrics, ...versions });
  known.set(name, id);
  return id;
}
