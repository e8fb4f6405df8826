import type { Finding } from "./detector.ts";
import { RedactionError } from "./errors.ts";
import { blankEscapes } from "./escapes.ts";
import { formatPlaceholder, mayHoldPlaceholder, placeholderPattern } from "./placeholder.ts";

/** Placeholders of one trajectory: the same secret gets the same one throughout. */
export interface RedactionSession {
  /** Replaces all secrets. Redacting the result again changes nothing. Throws RedactionError. */
  readonly redact: (text: string, record?: (type: string) => void) => string;
  /** Replaces one whole value known to be secret from its context. */
  readonly replace: (type: string, value: string) => string;
  /** Replaces plain occurrences of secrets learnt so far. */
  readonly redactLearnt: (text: string, record?: (type: string) => void) => string;
  /** Keeps new placeholders from colliding with those a text already holds. */
  readonly reserve: (text: string) => void;
  /** Whether a secret is known that `redactLearnt` looks for. */
  readonly hasLearnt: () => boolean;
  /** Replacements so far, by type. */
  readonly counts: () => Readonly<Record<string, number>>;
}

/** Each round replaces text, so a few rounds settle; more means a detector feeds on placeholders. */
const MAX_ROUNDS = 12;

/** Learnt values are at least this long. */
const HEAD = 8;

const learntTypes = new Set(["CREDENTIAL", "URL_CREDENTIAL", "API_KEY", "BEARER_TOKEN", "BASIC_AUTH", "JWT"]);

/** A value safe to replace wherever it stands: long, and no ordinary word or name. */
const isDistinctive = (value: string): boolean => {
  if (value.length < HEAD || value.length > 4096 || /\s/.test(value)) return false;
  if (/\d/.test(value) && /[^\d.,:/-]/.test(value))
    return !/^[a-z]+[-_]?\d{1,2}$/i.test(value) || value.length >= 9;
  return /[^\w.,:;/()-]/.test(value) || /^[A-Za-z]{20,}$/.test(value);
};

export const createRedactionSession = (scan: (text: string) => readonly Finding[]): RedactionSession => {
  const placeholders = new Map<string, string>();
  const learntByHead = new Map<string, string[]>();
  const next = new Map<string, number>();
  const taken = new Set<string>();
  const counts = new Map<string, number>();

  const count = (type: string): void => {
    counts.set(type, (counts.get(type) ?? 0) + 1);
  };

  const learn = (value: string): void => {
    const head = value.slice(0, HEAD);
    const values = [...(learntByHead.get(head) ?? []), value].toSorted((a, b) => b.length - a.length);
    learntByHead.set(head, values);
  };

  const placeholderFor = (type: string, value: string): string => {
    const known = placeholders.get(value);
    if (known !== undefined) return known;
    let number = (next.get(type) ?? 0) + 1;
    while (taken.has(formatPlaceholder(type, number))) number += 1;
    next.set(type, number);
    const placeholder = formatPlaceholder(type, number);
    placeholders.set(value, placeholder);
    if (learntTypes.has(type) && isDistinctive(value)) learn(value);
    return placeholder;
  };

  const reserve = (text: string): void => {
    if (!mayHoldPlaceholder(text)) return;
    for (const match of text.matchAll(placeholderPattern)) taken.add(match[0]);
  };

  const replace = (type: string, value: string): string => {
    count(type);
    return placeholderFor(type, value);
  };

  const redact = (text: string, record?: (type: string) => void): string => {
    let current = text;
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const findings = scan(current);
      if (findings.length === 0) return current;
      if (round === 0) reserve(current);
      const pieces: string[] = [];
      let from = 0;
      for (const { type, start, end } of findings) {
        pieces.push(current.slice(from, start), replace(type, current.slice(start, end)));
        record?.(type);
        from = end;
      }
      pieces.push(current.slice(from));
      current = pieces.join("");
    }
    throw new RedactionError("session", { reason: "the text does not settle" });
  };

  const isBoundary = (text: string, at: number): boolean =>
    !/[A-Za-z0-9]/.test(text.charAt(at - 1)) || !/[A-Za-z0-9]/.test(text.charAt(at));

  /** Learnt values by their first characters, so that many of them still cost one pass. */
  const longest = (text: string, at: number): string | undefined =>
    learntByHead
      .get(text.slice(at, at + HEAD))
      ?.find((value) => text.startsWith(value, at) && isBoundary(text, at + value.length));

  const redactLearnt = (text: string, record?: (type: string) => void): string => {
    if (learntByHead.size === 0 || text.length < HEAD) return text;
    if (learntByHead.size <= 16 && ![...learntByHead.keys()].some((head) => text.includes(head))) return text;
    const pieces: string[] = [];
    const words = blankEscapes(text) ?? text;
    let from = 0;
    for (let at = 0; at + HEAD <= text.length; at += 1) {
      if (!isBoundary(words, at)) continue;
      const value = longest(text, at);
      if (value === undefined) continue;
      const placeholder = placeholders.get(value) ?? "";
      const type = placeholder.slice(1, placeholder.lastIndexOf("_"));
      pieces.push(text.slice(from, at), placeholder);
      count(type);
      record?.(type);
      from = at + value.length;
      at = from - 1;
    }
    return from === 0 ? text : pieces.join("") + text.slice(from);
  };

  return {
    redact,
    replace,
    redactLearnt,
    reserve,
    hasLearnt: () => learntByHead.size > 0,
    counts: () => Object.fromEntries(counts),
  };
};
