import type { Finding } from "./detector.ts";
import { mayHoldPlaceholder, placeholderPattern } from "./placeholder.ts";

/** Which type names a span that several detectors found; earlier is more specific. */
const precedence = [
  "PRIVATE_KEY",
  "API_KEY",
  "JWT",
  "BASIC_AUTH",
  "BEARER_TOKEN",
  "URL_CREDENTIAL",
  "RESIDENT_ID",
  "BANK_CARD",
  "IBAN",
  "SSN",
  "PHONE",
  "INTERNAL_URL",
  "PRIVATE_IP",
  "CREDENTIAL",
  "EMAIL",
];

const rank = (type: string): number => precedence.indexOf(type); // custom types rank first: -1

/**
 * Makes findings disjoint and sorted: the one that covers another wins, two of the same span take
 * the more specific type, and partly overlapping ones become their union, so that nothing leaks.
 */
export const mergeFindings = (text: string, findings: readonly Finding[]): readonly Finding[] => {
  const secretEnds = new Set(findings.filter(({ type }) => type !== "EMAIL").map(({ end }) => end));
  // "password@host" in a URL is no address: what stands before the "@" is the secret.
  const isAddress = ({ type, start, end }: Finding): boolean =>
    type !== "EMAIL" || !secretEnds.has(start + text.slice(start, end).lastIndexOf("@"));
  const sorted = findings
    .filter((finding) => finding.end > finding.start && isAddress(finding))
    .toSorted((a, b) => a.start - b.start || b.end - a.end || rank(a.type) - rank(b.type));
  const merged: Finding[] = [];
  for (const finding of sorted) {
    const last = merged.at(-1);
    if (last === undefined || finding.start >= last.end) {
      merged.push(finding);
    } else if (finding.end > last.end) {
      const type = rank(finding.type) < rank(last.type) ? finding.type : last.type;
      merged[merged.length - 1] = { type, start: last.start, end: finding.end };
    }
  }
  return merged;
};

/** Cuts placeholders out of findings; what is left counts only if it holds a letter or digit. */
export const excludePlaceholders = (text: string, findings: readonly Finding[]): readonly Finding[] => {
  if (findings.length === 0 || !mayHoldPlaceholder(text)) return findings;
  const holes = [...text.matchAll(placeholderPattern)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
  }));
  if (holes.length === 0) return findings;
  const kept: Finding[] = [];
  let firstHole = 0;
  for (const { type, start, end } of findings) {
    while ((holes[firstHole]?.end ?? Number.POSITIVE_INFINITY) <= start) firstHole += 1;
    let from = start;
    let touched = false;
    for (let index = firstHole; (holes[index]?.start ?? end) < end; index += 1) {
      const hole = holes[index];
      if (hole === undefined) break;
      touched = true;
      if (hole.start > from && /[\p{L}\p{N}]/u.test(text.slice(from, hole.start))) {
        kept.push({ type, start: from, end: hole.start });
      }
      from = hole.end;
    }
    if (from < end && (!touched || /[\p{L}\p{N}]/u.test(text.slice(from, end))))
      kept.push({ type, start: from, end });
  }
  return kept;
};
