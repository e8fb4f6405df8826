import { createHash } from "node:crypto";

/** Where things lie in the store; the same keys on disk and in S3. */

export function trajectoryKey(id: string, revision?: string): string {
  const suffix = revision === undefined ? "" : `.${revision}`;
  return `trajectories/${id.slice(0, 2)}/${id}${suffix}.json.zst`;
}

export function trajectoryPrefix(id: string): string {
  return `trajectories/${id.slice(0, 2)}/${id}`;
}

export function scoreKey(id: string, scorer: string): string {
  return `scores/${id.slice(0, 2)}/${id}.${scorer}.json`;
}

export function scorePrefix(id: string): string {
  return `scores/${id.slice(0, 2)}/${id}.`;
}

/** `judge`: hash of everything that shapes what the judge says. */
export function judgementKey(id: string, judge: string): string {
  return `${judgementPrefix(id)}${judge}.json`;
}

export function judgementPrefix(id: string): string {
  return `judgements/${id.slice(0, 2)}/${id}.`;
}

/** An answer of a model; `hash` is the SHA-256 of the question and of all that shapes the answer. */
export function judgeCacheKey(hash: string): string {
  return `judge-cache/${hash.slice(0, 2)}/${hash}.json`;
}

/** What is under way between a judge and a trajectory: which answers may be in the cache, and what came of them. */
export function judgeStateKey(id: string, judge: string): string {
  return `${judgementPrefix(id)}${judge}.state.json`;
}

/** What was asked in one batch of a judge. */
export function judgeBatchKey(submission: string): string {
  return `judge-batches/${submission}.json`;
}

export function labelKey(id: string, annotator: string): string {
  return `${labelPrefix(id)}${annotator}.json`;
}

export function labelPrefix(id: string): string {
  return `labels/${id.slice(0, 2)}/${id}.`;
}

/** A pair of trajectories that people or judges vote on. */
export function pairKey(pairId: string): string {
  return `pairs/${pairId.slice(0, 2)}/${pairId}.json`;
}

/** That a pair names this trajectory: the way from a trajectory to the votes on it. */
export function pairOfKey(id: string, pairId: string): string {
  return `${pairOfPrefix(id)}${pairId}.json`;
}

export function pairOfPrefix(id: string): string {
  return `pairs-of/${id.slice(0, 2)}/${id}.`;
}

export function voteKey(pairId: string, voter: string): string {
  return `${votePrefix(pairId)}${voter}.json`;
}

export function votePrefix(pairId: string): string {
  return `votes/${pairId.slice(0, 2)}/${pairId}.`;
}

export function blobKey(sha256: string): string {
  return `blobs/${sha256}`;
}

/**
 * Names of dropped files may be anything a file system takes: what a key cannot hold is percent-encoded, and a
 * folder that looks like a report is told from one. A name too long for a key is cut and told apart by its hash.
 */
export function rejectionReportKey(dropKey: string): string {
  const folders = dropKey.split("/").map(encodeSegment);
  const name = folders.pop() ?? "";
  const path = [...folders.map((folder) => folder.replace(/\.report\.json$/, ".report%2Ejson")), name].join(
    "/",
  );
  return `rejected/${shortened(path)}${REPORT}`;
}

const REPORT = ".report.json";

function encodeSegment(segment: string): string {
  const encoded = segment.replace(/[%\\\0]/g, (found) => encodeURIComponent(found));
  return encoded === "" || encoded === "." || encoded === ".." ? `%${encoded}` : encoded;
}

function shortened(path: string): string {
  const longest = Math.max(...path.split("/").map((segment) => Buffer.byteLength(segment)));
  if (Buffer.byteLength(path) <= 900 && longest <= 240) return path;
  const hash = createHash("sha256").update(path).digest("hex");
  const start = path.slice(0, path.indexOf("/") + 1);
  return `${Buffer.byteLength(start) <= 240 ? start : ""}long%${hash}`;
}

/** Why the last export of a dataset in a deployment wrote no version. */
export function exportReportKey(dataset: string): string {
  return `failed-exports/${dataset}${REPORT}`;
}

export function datasetPrefix(name: string, version: string): string {
  return `datasets/${name}/${version}/`;
}

interface VersionOf {
  readonly name: string;
  readonly version: string;
}

/** What is known of a model's version once and for all. */
export function modelFactsKey({ name, version }: VersionOf): string {
  return `${modelPrefix(name, version)}model.json`;
}

/** Why a version was promoted or rejected; `hash` of the decision itself. */
export function modelDecisionKey({ name, version }: VersionOf, hash: string): string {
  return `${modelPrefix(name, version)}decisions/${hash}.json`;
}

/** A run of the loop that has ended (`gymline.loop-run.v1`). */
export function loopRunKey(model: string, run: string): string {
  return `loops/${model}/${run}.json`;
}

/** The plan of a run's training (`gymline.training-plan.v1`): by it the run finds its model again. */
export function loopTrainingKey(model: string, run: string): string {
  return `loops/${model}/${run}.training.json`;
}

export function evaluationKey(id: string): string {
  return `${EVALUATIONS}${id}.json`;
}

/** One line for each episode of an evaluation. */
export function evaluationEpisodesKey(id: string): string {
  return `${EVALUATIONS}${id}.episodes.jsonl`;
}

/** All evaluations; with the first characters of an id, those that begin so. */
export const EVALUATIONS = "evaluations/";

/** What the jobs of a rollout do (`gymline.rollout-plan.v1`). */
export function rolloutPlanKey(run: string): string {
  return `rollouts/${run}/plan.json`;
}

export function rolloutTasksKey(run: string): string {
  return `rollouts/${run}/tasks.jsonl`;
}

/** A repository that tasks of a rollout begin from, as a git bundle. */
export function rolloutRepositoryKey(run: string, bundle: string): string {
  return `rollouts/${run}/repositories/${bundle}`;
}

/** How one episode of a rollout went (`gymline.episode.v1`). */
export function rolloutEpisodeKey(run: string, episode: string): string {
  return `${rolloutEpisodePrefix(run)}${episode}.json`;
}

export function rolloutEpisodePrefix(run: string): string {
  return `rollouts/${run}/episodes/`;
}

/** What an episode's entry will be once its log is dropped; `hash`: SHA-256 of the log. */
export function rolloutPendingKey(run: string, episode: string, hash: string): string {
  return `${rolloutPendingPrefix(run)}${episode}.${hash}.json`;
}

export function rolloutPendingPrefix(run: string): string {
  return `rollouts/${run}/pending/`;
}

/** How far the job of one shard is (`gymline.rollout-progress.v1`). */
export function rolloutProgressKey(run: string, shard: number): string {
  return `${rolloutProgressPrefix(run)}${String(shard).padStart(5, "0")}.json`;
}

export function rolloutProgressPrefix(run: string): string {
  return `rollouts/${run}/progress/`;
}

export const DEFAULT_PROJECT = "default";

/** The project label of a dropped object: its top folder. */
export function projectOf(dropKey: string): string {
  const slash = dropKey.indexOf("/");
  return slash > 0 ? dropKey.slice(0, slash) : DEFAULT_PROJECT;
}

/** Where everything of a trained model lies; its `manifest.json` is written last. */
export function modelPrefix(name: string, version: string): string {
  return `models/${name}/${version}/`;
}

/** What a training job needs while it is under way: its plan and its checkpoints. */
export function trainingPrefix(run: string): string {
  return `trainings/${run}/`;
}
