const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9})\d*)?)?\s*(Z|z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * A timestamp as ATIF takes it: ISO 8601, at most microseconds, an existing day. Numbers are epoch seconds,
 * milliseconds, microseconds or nanoseconds by their magnitude. A time without a zone stays without one.
 * @returns undefined for anything that is no point in time.
 */
export function isoTimestamp(value: unknown): string | undefined {
  if (typeof value === "number") return fromEpoch(value);
  if (typeof value !== "string") return undefined;
  const match = ISO.exec(value.trim());
  if (match === null) return undefined;
  const [, year = "", month = "", day = "", hour, minute = "00", second = "00", fraction, zone] = match;
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(day) || year === "0000") return undefined;
  if (hour === undefined) return `${year}-${month}-${day}`;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (zone !== undefined && zone.length > 1) {
    if (Number(zone.slice(1, 3)) > 23 || Number(zone.slice(-2)) > 59) return undefined;
  }
  const part = fraction === undefined ? "" : `.${fraction.slice(0, 6)}`;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${part}${zone === "z" ? "Z" : (zone ?? "")}`;
}

function fromEpoch(value: number): string | undefined {
  if (!Number.isFinite(value) || value <= 0) return undefined;
  const exponent = Math.floor(Math.log10(value));
  const milliseconds =
    exponent < 11 ? value * 1e3 : exponent < 14 ? value : exponent < 17 ? value / 1e3 : value / 1e6;
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999) return undefined;
  return date.toISOString();
}
