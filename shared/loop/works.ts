import type { EvaluationEpisode } from "../contracts/evaluation-episode.ts";
import type { LoopRun, LoopStepName } from "../contracts/loop.ts";
import type { ModelFacts } from "../contracts/model.ts";
import type { PlannedEpisode } from "../registry/pair-episodes.ts";

/** What came of a training. */
export type TrainedModel = Pick<ModelFacts, "version" | "files" | "metrics" | "lineage">;

/** Episodes of both models, as they stand in what their jobs have written. */
export interface EvaluatedRun {
  readonly planned: readonly PlannedEpisode[];
  readonly candidate: readonly EvaluationEpisode[];
  /** null where the run has no champion. */
  readonly champion: readonly EvaluationEpisode[] | null;
  /** Id of the evaluation where one was stored. */
  readonly evaluation: string | null;
}

/**
 * What training, evaluating and collecting are where the loop runs: jobs on AWS Batch, or programs on this machine. All
 * of it may be asked for twice.
 */
export interface LoopWorks {
  /**
   * Sets a job going; where one of the same work is under way, gives that. null: it is done already.
   * A job that is submitted again goes on with what the one before has not done.
   */
  submit(step: LoopStepName, run: LoopRun): Promise<{ readonly job: string | null }>;
  /** undefined: its output is not there, or not whole. */
  trained(run: LoopRun): Promise<TrainedModel | undefined>;
  /** An episode that a job was to run and did not, for it failed, is there as `failed`. */
  evaluated(run: LoopRun): Promise<EvaluatedRun>;
  /** Whether a new champion's rollouts go into the drop. */
  readonly collects: boolean;
}
