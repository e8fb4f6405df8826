import { scanJson } from "../reading/json-scan.ts";
import { credentialKind } from "./credential-key.ts";
import {
  countLiterals,
  countStrings,
  indentOf,
  mapLiterals,
  parseExactly,
  writeJson,
} from "./json-literals.ts";
import { place, type Rewriter, reservePlaceholders, rewriteStrings } from "./redact-value.ts";
import type { RedactionSession } from "./redaction-session.ts";
import type { Redactor } from "./redactor.ts";

/** One replacement in a file, or several of one type in one place. */
export interface TextFinding {
  readonly type: string;
  /** From 1: of the line, or of the line on which the JSON value starts. */
  readonly line: number;
  /** JSON pointer inside the value, with redacted keys; "" for plain text. */
  readonly pointer: string;
  readonly count: number;
}

export interface RedactedText {
  readonly text: string;
  /** `json`: one value. `json-lines`: a value on each line; lines that hold none are redacted as text. */
  readonly kind: "json" | "json-lines" | "text";
  readonly counts: Readonly<Record<string, number>>;
  readonly findings: readonly TextFinding[];
}

/** Findings listed; more are only counted. */
const LISTED = 1000;
const MAX_DEPTH = 200;
const MAX_ROUNDS = 8;

/**
 * Redacts a whole text file with one numbering of placeholders. Values of JSON and JSON Lines are redacted one by
 * one, so they stay valid; lines and values without a finding keep their bytes, changed ones keep their numbers and
 * indentation. Redacting the result again changes nothing. @throws RedactionError
 */
export const redactTextFile = (text: string, redactor: Redactor): RedactedText => {
  const session = redactor.session();
  const log = createLog();
  const whole = parsed(text);
  if (whole !== undefined) {
    reservePlaceholders(whole.value, session);
    const result = redactUnit({ text, session, redactor, log, line: 1 });
    const learnt = session.hasLearnt() ? relearn({ text: result, session, log, line: 1 }) : result;
    return { text: learnt, kind: "json", counts: session.counts(), findings: log.findings() };
  }
  const lines = text.split("\n");
  const first = lines.find((line) => line.trim() !== "") ?? "";
  if (parsed(first) === undefined) return redactPlain({ text, session, redactor, log });
  session.reserve(text);
  let result = lines.map((unit, index) => {
    const line = index + 1;
    const inner = redactUnit({ text: unit, session, redactor, log, line });
    return parsed(inner) === undefined ? session.redact(inner, (type) => log.add(line, "", type)) : inner;
  });
  if (session.hasLearnt())
    result = result.map((unit, index) => relearn({ text: unit, session, log, line: index + 1 }));
  return {
    text: result.join("\n"),
    kind: "json-lines",
    counts: session.counts(),
    findings: log.findings(),
  };
};

interface Unit {
  readonly text: string;
  readonly session: RedactionSession;
  readonly log: Log;
  readonly line: number;
}

interface Log {
  readonly add: (line: number, pointer: string, type: string) => void;
  readonly findings: () => readonly TextFinding[];
}

const createLog = (): Log => {
  const found = new Map<string, { type: string; line: number; pointer: string; count: number }>();
  return {
    add: (line, pointer, type) => {
      const key = `${line} ${type} ${pointer}`;
      const known = found.get(key);
      if (known !== undefined) known.count += 1;
      else if (found.size < LISTED) found.set(key, { type, line, pointer, count: 1 });
    },
    findings: () => [...found.values()].toSorted((a, b) => a.line - b.line),
  };
};

const opensValue = (text: string): boolean => /^\s*[[{]/.test(text);

/** An object or array that is the whole text; undefined where it is none, or nested too deep to be walked. */
const parsed = (text: string): { readonly value: unknown } | undefined => {
  if (!opensValue(text)) return undefined;
  if (scanJson(Buffer.from(text), MAX_DEPTH).tooDeepAt !== undefined) return undefined;
  try {
    // A number that is a password must be seen as one, so it stays a number.
    const keep = (key: string): boolean => key === "value" || credentialKind(key) !== undefined;
    return { value: parseExactly(text, keep) };
  } catch {
    // The error is left behind: its message quotes the text.
    return undefined;
  }
};

/** Below the root everything is text: no field is exempt, as signatures in trajectories are. */
const root = place("", "text");

const redactUnit = (unit: Unit & { readonly redactor: Redactor }): string => {
  const { session, redactor, log, line } = unit;
  const rewriter: Rewriter = {
    text: (value, at) => session.redact(value, (type) => log.add(line, at.path, type)),
    whole: (value, at) => {
      const [only] = redactor.scan(value);
      const type =
        only !== undefined && only.start === 0 && only.end === value.length ? only.type : "CREDENTIAL";
      log.add(line, at.path, type);
      return session.replace(type, value);
    },
  };
  const record = (type: string): void => log.add(line, "", type);
  const pass = (text: string): string =>
    rewritten(text, rewriter, (value) => mapLiterals(value, (literal) => session.redact(literal, record)));
  // What stands beside a new placeholder may look like a secret in its turn.
  let current = unit.text;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const next = pass(current);
    if (next === current) break;
    current = next;
  }
  return current;
};

/** Replaces secrets wherever they stand, once they are known from one place. */
const relearn = (unit: Unit): string => {
  const { session, log, line } = unit;
  const text: Rewriter["text"] = (value, at) =>
    session.redactLearnt(value, (type) => log.add(line, at.path, type));
  return rewritten(unit.text, { text, whole: text }, (value) =>
    session.redactLearnt(value, (type) => log.add(line, "", type)),
  );
};

const rewritten = (text: string, rewriter: Rewriter, plain: (text: string) => string): string => {
  const json = parsed(text);
  if (json === undefined) return plain(text);
  const value = rewriteStrings({ node: json.value, at: root, rewriter });
  // Of a key that stands there twice only the last value was seen, so the text itself cannot be let through.
  if (value === json.value && countStrings(value) === countLiterals(text)) return text;
  const before = /^\s*/.exec(text)?.[0] ?? "";
  const after = text.slice(text.trimEnd().length);
  return `${before}${writeJson(value, indentOf(text))}${after}`;
};

/** Plain text, in which lines of JSON may stand; a broken JSON document is one too. */
const redactPlain = (input: {
  readonly text: string;
  readonly session: RedactionSession;
  readonly redactor: Redactor;
  readonly log: Log;
}): RedactedText => {
  const { session, redactor, log } = input;
  session.reserve(input.text);
  const broken = opensValue(input.text);
  const units = input.text.split("\n").map((text, index) => {
    if (!broken && !opensValue(text)) return text;
    return redactUnit({ text, session, redactor, log, line: index + 1 });
  });
  const text = units.join("\n");
  let line = 1;
  let at = 0;
  for (const { type, start } of redactor.scan(text)) {
    for (let next = text.indexOf("\n", at); next !== -1 && next < start; next = text.indexOf("\n", at)) {
      line += 1;
      at = next + 1;
    }
    log.add(line, "", type);
  }
  const result = session.redactLearnt(session.redact(text));
  return { text: result, kind: "text", counts: session.counts(), findings: log.findings() };
};
