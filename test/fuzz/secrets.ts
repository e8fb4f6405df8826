import { bareSecrets } from "../redaction/samples.ts";
import type { Random } from "./random.ts";

/** A secret to plant: the text it comes in, and the part that must appear nowhere in what comes out. */
export interface Secret {
  readonly name: string;
  readonly text: string;
  readonly needle: string;
  /** True where the text is a secret by itself, so that it may stand as a key or between other scripts. */
  readonly bare: boolean;
}

const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

/** A fresh value of letters and digits: what a password or a key with no shape of its own looks like. */
function freshValue(random: Random): string {
  const letters = Array.from({ length: 18 }, () => ALPHABET.charAt(random.int(ALPHABET.length)));
  return `q7${letters.join("")}4Z`;
}

/** Surroundings that make a shapeless value a secret. */
const surroundings: readonly (readonly [name: string, text: (value: string) => string])[] = [
  ["environment file", (value) => `\nDB_PASSWORD=${value}\n`],
  ["shell export", (value) => `export API_TOKEN="${value}" && run`],
  ["JSON text", (value) => `{"api_key": "${value}"}`],
  ["escaped JSON text", (value) => `{\\"client_secret\\": \\"${value}\\"}`],
  ["YAML", (value) => `db:\n  password: ${value}\n`],
  ["long option", (value) => `mysql --password ${value} db`],
  ["short option", (value) => `curl -u admin:${value} http://h.example.com`],
  ["code", (value) => `client = Client(api_key="${value}")`],
  ["Bearer header", (value) => `-H 'Authorization: Bearer ${value}'`],
  ["key header", (value) => `X-Api-Key: ${value}`],
  ["database URL", (value) => `postgres://app:${value}@db.example.com/x`],
  ["XML", (value) => `<password>${value}</password>`],
  ["key in Chinese", (value) => `密码：${value}。`],
];

/** A random secret of the table: every detector has some. */
export function pickSecret(random: Random): Secret {
  if (random.chance(0.35)) {
    const [name, text] = random.pick(surroundings);
    const needle = freshValue(random);
    return { name, text: text(needle), needle, bare: false };
  }
  const [type, name, text] = random.pick(bareSecrets);
  // Of a key over several lines, each line is as secret as the whole.
  const lines = text.split(/\\n|\n/);
  return { name: `${type} ${name}`, text, needle: lines[1] ?? text, bare: lines.length === 1 };
}

/** A fresh value whose key alone makes it a secret. */
export function keyedSecret(random: Random): { readonly key: string; readonly value: string } {
  const key = random.pick([
    "password",
    "api_key",
    "clientSecret",
    "DB_PASSWORD",
    "x-api-key",
    "access_token",
    "密码",
  ]);
  return { key, value: freshValue(random) };
}
