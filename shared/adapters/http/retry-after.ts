/**
 * Milliseconds that a provider asks to wait: `retry-after-ms`, else `Retry-After` in seconds or as an HTTP date
 * (RFC 9110 §10.2.3). Null where it asks for nothing that can be read. `now`: milliseconds since the epoch.
 */
export function retryAfterMs(headers: Headers, now: number): number | null {
  const exact = amount(headers.get("retry-after-ms"));
  if (exact !== null) return exact;
  const value = headers.get("retry-after");
  const seconds = amount(value);
  if (seconds !== null) return seconds * 1000;
  // A date has letters: so "-5", which Date.parse takes for a year, asks for nothing.
  const date = value !== null && /[a-z]{3}/i.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function amount(value: string | null): number | null {
  return value !== null && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : null;
}
