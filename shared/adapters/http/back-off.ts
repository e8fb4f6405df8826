export interface BackOff {
  /** Longest wait before the second try, in milliseconds; doubles with each further try. */
  readonly baseDelayMs: number;
  /** No wait is longer, unless the provider asks for one. */
  readonly longestDelayMs: number;
}

/**
 * Milliseconds to wait after so many failures: a random part of a time that doubles ("full jitter", AWS Architecture
 * Blog, Exponential Backoff And Jitter, 2015). Where the provider asks to wait, that comes first, and a random part
 * of the base delay on top keeps calls that were sent off together from coming back together.
 * `random`: from 0 up to 1.
 */
export function backOffMs(
  { baseDelayMs, longestDelayMs }: BackOff,
  after: { readonly failures: number; readonly retryAfterMs: number | null; readonly random: number },
): number {
  if (after.retryAfterMs !== null) return after.retryAfterMs + after.random * baseDelayMs;
  return after.random * Math.min(longestDelayMs, baseDelayMs * 2 ** (after.failures - 1));
}
