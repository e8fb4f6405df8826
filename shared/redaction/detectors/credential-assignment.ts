import { isQuote, isSpace, isWord } from "../characters.ts";
import { type CredentialKind, credentialKind, keyEnd } from "../credential-key.ts";
import { isSecretValue, isTemplate, type ValueForm } from "../credential-value.ts";
import type { Detector } from "../detector.ts";

/** Values are usually shorter; beyond it only blanks and quotes end one. */
const MAX_VALUE = 2048;

interface Key {
  readonly name: string;
  readonly start: number;
  readonly quoted: boolean;
}

const isKeyCode = (code: number): boolean =>
  isWord(code) || code === 45 || code === 46 || code === 36 || code >= 0x2e80;

/** The name before the operator at `index`, through blanks, a closing quote or bracket. */
const readKey = (text: string, index: number): Key | undefined => {
  const end = keyEnd(text, index);
  const quoted = /["'`]/.test(text.slice(end, Math.min(index, end + 12)));
  let start = end;
  const cjk = text.charCodeAt(end - 1) >= 0x2e80;
  while (end - start < 128) {
    const code = text.charCodeAt(start - 1);
    // A Latin name glued to other script ends there; a name in that script is short.
    if (!isKeyCode(code) || code >= 0x2e80 !== cjk) break;
    start -= 1;
  }
  // "\npassword": the n belongs to the escape.
  if (text.charCodeAt(start - 1) === 92 && /[nrt]/.test(text.charAt(start)) && end - start > 1) start += 1;
  return start === end ? undefined : { name: text.slice(start, end), start, quoted };
};

interface Value {
  readonly start: number;
  readonly end: number;
  readonly form: ValueForm;
}

/** Reads a quoted literal whose quote is at `quote`, with `escapes` backslashes before it. */
const readQuoted = (input: { text: string; quote: number; escapes: number }): Value => {
  const { text, quote, escapes } = input;
  const code = text.charCodeAt(quote);
  let start = quote + 1;
  const triple = escapes === 0 && text.charCodeAt(start) === code && text.charCodeAt(start + 1) === code;
  if (triple) start += 2;
  const limit = Math.min(text.length, start + MAX_VALUE);
  let slashes = 0;
  for (let at = start; at < limit; at += 1) {
    const current = text.charCodeAt(at);
    if (current === 92) {
      slashes += 1;
      continue;
    }
    // With n backslashes before the opening quote, the closing one has n too; more is an inner quote.
    if (current === code && (escapes === 0 ? slashes % 2 === 0 : slashes <= escapes)) {
      return { start, end: escapes === 0 ? at : at - slashes, form: "quoted" };
    }
    slashes = 0;
  }
  // Not closed, or not soon: take the first word, however long.
  let end = start;
  while (end < text.length && !isSpace(text.charCodeAt(end)) && text.charCodeAt(end) !== code) end += 1;
  return { start, end, form: "quoted" };
};

/** Whether the separator at `at` ends a value rather than being part of it. */
const endsValue = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  const next = text.charCodeAt(at + 1);
  if (Number.isNaN(next) || isSpace(next) || isQuote(next) || next === 92 || next === code) return true;
  if (code === 41 || code === 93 || code === 125) {
    return (
      next === 44 || next === 59 || next === 46 || next === 58 || next === 41 || next === 93 || next === 125
    );
  }
  return /^[A-Za-z_][\w .-]{0,40}[=:]/.test(text.slice(at + 1, at + 45));
};

const readBare = (input: { text: string; start: number; form: ValueForm }): Value => {
  const { text, start, form } = input;
  const limit = Math.min(text.length, start + MAX_VALUE);
  let end = start;
  for (; end < limit; end += 1) {
    const code = text.charCodeAt(end);
    if (isSpace(code) || isQuote(code) || code === 60 || code >= 0x2e80) break;
    if (code === 92 && /[nrt"'\\]/.test(text.charAt(end + 1))) break;
    if (
      (code === 44 ||
        code === 59 ||
        code === 38 ||
        code === 41 ||
        code === 93 ||
        code === 125 ||
        code === 124) &&
      endsValue(text, end)
    ) {
      break;
    }
  }
  if (end - start === MAX_VALUE) {
    while (end < text.length && !isSpace(text.charCodeAt(end)) && !isQuote(text.charCodeAt(end))) end += 1;
  }
  while (end > start && /[.,:;!?]/.test(text.charAt(end - 1))) {
    // "hunter2!" keeps its mark; sentence punctuation goes.
    if (text.charAt(end - 1) === "!" || text.charAt(end - 1) === "?") break;
    end -= 1;
  }
  return { start, end, form };
};

const skipBlanks = (text: string, from: number): number => {
  let at = from;
  while (at - from < 64 && (text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9)) at += 1;
  return at;
};

/** Start of a literal at `at`: optional prefix letters and escapes, then a quote. */
const literal = /(?:[bBfFrRuU]{1,2}(?=["']))?(\\{0,7})["'`]/y;

const readLiteral = (text: string, at: number): Value | undefined => {
  literal.lastIndex = at;
  const match = literal.exec(text);
  if (match === null) return undefined;
  return readQuoted({ text, quote: at + match[0].length - 1, escapes: match[1]?.length ?? 0 });
};

/** "ApiKey abc" and the like in an Authorization header: the value is the last word. */
const authScheme = /^(?:bearer|basic|token|apikey|api-key|digest|key|bot|negotiate)[ \t]+/i;

const schemeLength = (text: string, at: number): number =>
  authScheme.exec(text.slice(at, at + 24))?.[0].length ?? 0;

const typeThenDefault = /[A-Za-z_][\w.]{0,60}(?:\[[\w\s.,|]{0,60}\])?(?:\s?\|\s?\w{1,30}){0,3}\s?=\s?/y;
const tuple = /\(\s?["'][^"'\n]{0,128}["'],\s?(?=["'])/y;

const readValue = (input: { text: string; index: number; key: Key }): Value | undefined => {
  const { text, index, key } = input;
  const operator = text.charCodeAt(index);
  if (operator === 62 && text.charCodeAt(index - 1) !== 61) {
    // <password>value</password>
    if (text.charCodeAt(key.start - 1) !== 60) return undefined;
    const end = text.indexOf("<", index);
    if (end === -1 || end - index > MAX_VALUE || text.charCodeAt(end + 1) !== 47) return undefined;
    return { start: index + 1, end, form: "quoted" };
  }
  let from = index + 1;
  if (/[=~:]/.test(text.charAt(from)) && operator !== 62) {
    // Another anchor follows for "==" and ":="; "::" and "=~" assign nothing.
    return undefined;
  }
  if (text.charCodeAt(from) === 62) return undefined; // "=>" is handled at ">"
  const compared = operator === 61 && /[=!<>~]/.test(text.charAt(index - 1));
  const spacedBefore = isSpace(text.charCodeAt(index - 1));
  const first = skipBlanks(text, from);
  const spaced = spacedBefore || first > from;
  from = first;
  const quoted = readLiteral(text, from);
  if (quoted !== undefined) return quoted;
  if (compared) return undefined;
  tuple.lastIndex = from;
  const pair = tuple.exec(text);
  if (pair !== null) return readLiteral(text, from + pair[0].length);
  const isColon = operator === 58 || operator === 0xff1a;
  if (isColon && text.charCodeAt(index - 1) !== 58) {
    typeThenDefault.lastIndex = from;
    const annotated = typeThenDefault.exec(text);
    if (annotated !== null) return readLiteral(text, from + annotated[0].length);
  }
  // A quoted key with a bare value is code: {"token": token}.
  if (key.quoted && operator !== 61 && !/^\d{4,}/.test(text.slice(from, from + 4))) return undefined;
  // "if password:/…" and the like: after a colon without a blank only a word begins a value.
  if (isColon && !spaced && !/[\w$@#!^&*+-]/.test(text.charAt(from))) return undefined;
  const upper = /^[A-Z][A-Z0-9_]*$/.test(key.name) && key.name.length > 4;
  const form: ValueForm = isColon ? "colon" : upper && !spaced ? "environment" : spaced ? "loose" : "tight";
  return readBare({ text, start: from + schemeLength(text, from), form });
};

const isCodeAfter = (text: string, value: Value): boolean => {
  const next = text.charCodeAt(value.end);
  if (next === 40 || next === 91) return true;
  const inner = text.slice(value.start, Math.min(value.end, value.start + MAX_VALUE));
  return /^[A-Za-z_$][\w$.]*[([]/.test(inner) || /^[A-Za-z_$][\w$]*(?:\?\.|->|::)/.test(inner);
};

/** A lower-case word as an argument of a call or a member of a list is a variable. */
const isArgument = (text: string, value: Value): boolean =>
  value.end - value.start <= 128 &&
  /^[a-zA-Z_]+\d?$/.test(text.slice(value.start, value.end)) &&
  /[,)\].;}]/.test(text.charAt(value.end));

const optionValue = (text: string, at: number): Value | undefined => {
  if (!isSpace(text.charCodeAt(at)) || text.charCodeAt(at) === 10) return undefined;
  const from = skipBlanks(text, at);
  const quoted = readLiteral(text, from);
  if (quoted !== undefined) return quoted;
  if (text.charCodeAt(from) === 45) return undefined;
  const value = readBare({ text, start: from, form: "option" });
  if (!/^[A-Za-z]+$/.test(text.slice(value.start, value.end))) return value;
  // A plain word is a value only in a command line, not in prose about the option.
  return /^\s*(?:$|[\n\r"'`|&;>-])/.test(text.slice(value.end, value.end + 8)) ? value : undefined;
};

const passwordCommands =
  /\b(?:sshpass|mysql|mysqldump|mysqladmin|mariadb|docker\s+login|podman\s+login|redis-cli|mongo|mongosh|psql|smbclient|7z|unzip|zip|curl|wget|htpasswd|ldapsearch|http|hg)\b[^\n|;]*$/;

const shortOptionValue = (text: string, dash: number): Value | undefined => {
  const command = passwordCommands.exec(text.slice(Math.max(0, dash - 256), dash))?.[0].split(/\s/)[0];
  if (command === undefined) return undefined;
  const letter = text.charAt(dash + 1);
  const isUser = letter === "u";
  if (isUser !== (command === "curl" || command === "http") && letter !== "a") return undefined;
  if (letter === "a" && command !== "redis-cli" && command !== "http") return undefined;
  let from = dash + 2;
  if (isSpace(text.charCodeAt(from))) {
    if (command.startsWith("mysql") || command === "mariadb") return undefined; // -p alone asks
    from = skipBlanks(text, from);
  }
  const value = readLiteral(text, from) ?? readBare({ text, start: from, form: "option" });
  if (letter !== "u" && command !== "http") return value;
  const colon = text.slice(value.start, value.end).indexOf(":");
  return colon === -1 ? undefined : { ...value, start: value.start + colon + 1 };
};

/**
 * Values given to credential names in environment files, JSON (also escaped), YAML, INI, XML, shell
 * options and code. Matches imply an `assignment`, `option` or `shortOption` anchor.
 */
export const credentialAssignment: Detector = {
  name: "credential-assignment",
  detect: ({ text, anchors, add }) => {
    let done = 0;
    const report = (kind: CredentialKind, found: Value): void => {
      const value = { ...found, start: found.start + schemeLength(text, found.start) };
      // A long value is told by its beginning, and passed over even if it is none: that keeps this linear.
      if (value.end - value.start > MAX_VALUE) done = value.end;
      const content = text.slice(value.start, Math.min(value.end, value.start + MAX_VALUE));
      if (!isSecretValue({ kind, value: content, form: value.form })) return;
      if (value.form !== "quoted" && (isCodeAfter(text, value) || isArgument(text, value))) return;
      done = value.end;
      add({ type: "CREDENTIAL", start: value.start, end: value.end });
    };
    for (const index of anchors.assignment) {
      if (index < done) continue;
      const key = readKey(text, index);
      const kind = key && credentialKind(key.name);
      if (key === undefined || kind === undefined) continue;
      if (kind === "cookie") {
        const line = /^[ \t]*["'\\]*((?:[^\s=;,"'\\]{1,256}=[^\s;"'\\]{1,4096}(?:; ?)?){1,40})/.exec(
          text.slice(index + 1, index + 8192),
        );
        const cookies = line?.[1];
        if (line && cookies !== undefined && !isTemplate(cookies)) {
          const start = index + 1 + line[0].length - cookies.length;
          if (/\d/.test(cookies) && !/[()[\]]/.test(cookies))
            add({ type: "CREDENTIAL", start, end: start + cookies.length });
        }
        continue;
      }
      const value = readValue({ text, index, key });
      if (value !== undefined) report(kind, value);
    }
    for (const end of anchors.option) {
      const name = /--[A-Za-z][\w-]{0,47}$/.exec(text.slice(Math.max(0, end - 50), end))?.[0];
      const kind = name === undefined ? undefined : credentialKind(name);
      const value = kind === undefined ? undefined : optionValue(text, end);
      if (kind !== undefined && value !== undefined) report(kind, value);
    }
    for (const dash of anchors.shortOption) {
      const value = shortOptionValue(text, dash);
      if (value !== undefined) report("password", value);
    }
  },
};
