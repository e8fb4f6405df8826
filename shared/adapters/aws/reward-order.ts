/**
 * A text by which trajectories sort: higher rewards first, those without one last, equal ones by id. The first part
 * is the complement of the number's IEEE-754 bits in hex, so the order is exact for every double.
 */
export function rewardOrder(reward: number | null, id: string): string {
  return `${reward === null ? NO_REWARD : rewardText(reward)}#${id}`;
}

/** Sorts after all hex digits. */
const NO_REWARD = "null";

/** Everything with at least this reward sorts before it, everything else after. */
export function rewardBound(least: number): string {
  // `$` is the character after `#`.
  return `${rewardText(least)}$`;
}

function rewardText(reward: number): string {
  const view = new DataView(new ArrayBuffer(8));
  // Minus zero equals zero, and must not sort apart from it.
  view.setFloat64(0, reward === 0 ? 0 : reward);
  const bits = view.getBigUint64(0);
  // Positive numbers sort like their bits; negative ones, which no reward is, the other way round and before them.
  const ascending = bits >> 63n === 1n ? ~bits : bits | (1n << 63n);
  return BigInt.asUintN(64, ~ascending).toString(16).padStart(16, "0");
}
