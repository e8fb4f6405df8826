/** One run of a group: what it is worth, and the task it was at. */
export interface ScoredRun {
  readonly task: string;
  readonly value: number;
}

/** Runs at one task, which are alike and therefore drawn together. */
export interface Cluster {
  readonly task: string;
  readonly sum: number;
  readonly runs: number;
}

/** Runs by task, in the order of the tasks' names, so that a seed gives the same draws in whatever order runs come. */
export function clustersOf(runs: Iterable<ScoredRun>): readonly Cluster[] {
  const clusters = new Map<string, { task: string; sum: number; runs: number }>();
  for (const { task, value } of runs) {
    const cluster = clusters.get(task) ?? { task, sum: 0, runs: 0 };
    cluster.sum += value;
    cluster.runs += 1;
    clusters.set(task, cluster);
  }
  return [...clusters.values()].sort((a, b) => (a.task < b.task ? -1 : 1));
}

/** Mean over the runs of some clusters, each as often as it is named; null where there is none. */
export function meanOfClusters(clusters: readonly Cluster[], indices: Iterable<number>): number | null {
  let sum = 0;
  let runs = 0;
  for (const index of indices) {
    const cluster = clusters[index];
    if (cluster === undefined) continue;
    sum += cluster.sum;
    runs += cluster.runs;
  }
  return runs === 0 ? null : sum / runs;
}

/** So few tasks say nothing of how much tasks differ: a bootstrap over them gives far too narrow intervals. */
export const LEAST_CLUSTERS = 5;

/** The acceleration of a BCa interval takes as many passes as there are clusters: beyond this it costs too much. */
const ACCELERATED_UP_TO = 1000;

export function intervalMethod(clusters: number): "bca" | "percentile" {
  return clusters <= ACCELERATED_UP_TO ? "bca" : "percentile";
}
