/**
 * Rounds to four decimal places, ties to even, judged on the exact binary value (as Python's `round` does).
 * Not finite: returned as it is.
 */
export function round4(value: number): number {
  if (Number.isInteger(value)) return value;
  // A double lies exactly between two four-place decimals only if it is an odd multiple of 1/32.
  const thirtySeconds = value * 32;
  if (Number.isInteger(thirtySeconds) && thirtySeconds % 2 !== 0) {
    const below = Math.floor(value * 10_000);
    return (below % 2 === 0 ? below : below + 1) / 10_000;
  }
  // Above 1e21 toFixed switches to exponents; such values have no decimal places to round.
  return Math.abs(value) < 1e15 ? Number(value.toFixed(4)) : value;
}

/** The same, of what may not be known. */
export function round4OrNull(value: number | null): number | null {
  return value === null ? null : round4(value);
}
