import type { Random } from "./random.ts";

/** What is drawn as one: single observations, or all observations of a cluster together. */
export type Units = readonly (readonly number[])[];

/** Observations 0 … n − 1, each by itself. */
export function singleUnits(n: number): Units {
  return Array.from({ length: n }, (_, index) => [index]);
}

/** Observations by cluster, in the order in which the clusters first occur. `clusters[i]` names that of observation i. */
export function clusterUnits(clusters: readonly string[]): Units {
  const units = new Map<string, number[]>();
  for (const [index, name] of clusters.entries()) {
    const unit = units.get(name);
    if (unit === undefined) units.set(name, [index]);
    else unit.push(index);
  }
  return [...units.values()];
}

/** The statistic of `resamples` samples of as many units, drawn with replacement. It is given observations' indices. */
export function bootstrapReplicates<T>(of: {
  readonly units: Units;
  readonly statistic: (indices: readonly number[]) => T;
  readonly resamples: number;
  readonly random: Random;
}): T[] {
  const { units, statistic, resamples, random } = of;
  return Array.from({ length: resamples }, () => {
    const indices: number[] = [];
    for (let drawn = 0; drawn < units.length; drawn += 1) {
      for (const index of units[random.int(units.length)] ?? []) indices.push(index);
    }
    return statistic(indices);
  });
}

/** The statistic without each unit in turn. */
export function jackknifeReplicates<T>(units: Units, statistic: (indices: readonly number[]) => T): T[] {
  return units.map((_, left) => statistic(units.flatMap((unit, index) => (index === left ? [] : unit))));
}
