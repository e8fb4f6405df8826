import { type CredentialKind, credentialKind, endsLikeCredentialKey } from "./credential-key.ts";
import { isSecretValue } from "./credential-value.ts";
import { RedactionError } from "./errors.ts";
import { isPlaceholder } from "./placeholder.ts";
import type { RedactionSession } from "./redaction-session.ts";
import { isObject, isSignature } from "./signatures.ts";

/** Deeper values are refused at the door; this only keeps the walk from overflowing the stack. */
const MAX_DEPTH = 400;

/**
 * `extra` is the `extra` of a step, call or result: there providers' signatures are kept as they are,
 * or dropped. Everywhere else the same keys are ordinary text.
 */
export type Region = "document" | "step" | "extra" | "text";

const regionBelow = (region: Region, key: string): Region => {
  if (region === "document")
    return key === "steps" ? "step" : key === "subagent_trajectories" ? "document" : "text";
  if (region !== "step") return region;
  if (key === "extra") return "extra";
  return key === "tool_calls" || key === "observation" || key === "results" ? "step" : "text";
};

/** Where a value stands: what decides how its text is read. Its path is only spelt out when asked for. */
export class Place {
  readonly depth: number;
  readonly region: Region;
  /** Key of the enclosing list or object. */
  readonly name: string;
  /** Set if the key above names a credential. */
  readonly kind: CredentialKind | undefined;
  readonly #parent: Place | undefined;
  readonly #shown: string | number;

  constructor(facts: {
    readonly parent?: Place;
    readonly shown: string | number;
    readonly region: Region;
    readonly name: string;
    readonly kind: CredentialKind | undefined;
  }) {
    this.#parent = facts.parent;
    this.#shown = facts.shown;
    this.depth = facts.parent === undefined ? 0 : facts.parent.depth + 1;
    this.region = facts.region;
    this.name = facts.name;
    this.kind = facts.kind;
  }

  /** JSON pointer, with redacted keys. */
  get path(): string {
    if (this.#parent === undefined) return String(this.#shown);
    return `${this.#parent.path}/${String(this.#shown).replaceAll("~", "~0").replaceAll("/", "~1")}`;
  }
}

export const place = (path: string, region: Region = "document"): Place =>
  new Place({ shown: path, region, name: "", kind: undefined });

const kindOfKey = (key: string): CredentialKind | undefined =>
  endsLikeCredentialKey(key, key.length) ? credentialKind(key) : undefined;

/** {"name": "DB_PASSWORD", "value": "…"}: the name of a pair stands for its value's key. */
const kindOfEntry = (owner: Readonly<Record<string, unknown>>, key: string): CredentialKind | undefined => {
  const own = kindOfKey(key);
  if (own !== undefined || key.length !== 5 || key.toLowerCase() !== "value") return own;
  const name = owner["name"] ?? owner["key"] ?? owner["Name"] ?? owner["Key"];
  return typeof name === "string" ? kindOfKey(name) : undefined;
};

const isWholeSecret = (kind: CredentialKind | undefined, value: string): boolean =>
  kind !== undefined && !isPlaceholder(value) && isSecretValue({ kind, value, form: "quoted" });

/** Passwords made of digits may stand as numbers in JSON. */
const isNumericSecret = (kind: CredentialKind | undefined, value: unknown): value is number =>
  kind === "password" && typeof value === "number" && Number.isInteger(value) && value >= 1000;

const checkDepth = (depth: number): void => {
  if (depth > MAX_DEPTH)
    throw new RedactionError("walk", { reason: `nested deeper than ${MAX_DEPTH} levels` });
};

/** How a string is rewritten, and whether a value may be replaced whole. */
export interface Rewriter {
  readonly text: (text: string, at: Place) => string;
  readonly whole: (value: string, at: Place) => string;
}

/** Rewrites all strings and keys but signatures; parts without changes keep their identity. */
export const rewriteStrings = (input: {
  readonly node: unknown;
  readonly at: Place;
  readonly rewriter: Rewriter;
}): unknown => rewrite(input.node, input.at, { rewriter: input.rewriter, cleanKeys: new Set() });

interface Walk {
  readonly rewriter: Rewriter;
  /** Keys that stay as they are; the same few keys come a thousand times in one document. */
  readonly cleanKeys: Set<string>;
}

const rewrite = (node: unknown, at: Place, walk: Walk): unknown => {
  if (typeof node === "string")
    return isWholeSecret(at.kind, node) ? walk.rewriter.whole(node, at) : walk.rewriter.text(node, at);
  if (isNumericSecret(at.kind, node)) return walk.rewriter.whole(String(node), at);
  if (typeof node !== "object" || node === null) return node;
  checkDepth(at.depth);
  return Array.isArray(node) ? rewriteList(node, at, walk) : rewriteObject(node as Json, at, walk);
};

const rewriteList = (list: readonly unknown[], at: Place, walk: Walk): readonly unknown[] => {
  const { region, name, kind } = at;
  let changed: unknown[] | undefined;
  for (let index = 0; index < list.length; index += 1) {
    const item = list[index];
    // Token ids and log-probabilities come in long lists of numbers.
    if (typeof item === "number" && kind === undefined) continue;
    const next = rewrite(item, new Place({ parent: at, shown: index, region, name, kind }), walk);
    if (next === item) continue;
    changed ??= [...list];
    changed[index] = next;
  }
  return changed ?? list;
};

type Json = Readonly<Record<string, unknown>>;

const rewriteObject = (node: Json, at: Place, walk: Walk): Json => {
  const keys = Object.keys(node);
  let changed: Map<string, unknown> | undefined;
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index] ?? "";
    const value = node[key];
    if (at.region === "extra" && isSignature({ key, value, owner: node, listName: at.name })) {
      changed?.set(key, value);
      continue;
    }
    const shown = rewriteKey(key, { node, at, walk, taken: changed });
    const kind = kindOfEntry(node, key);
    const region = regionBelow(at.region, key);
    const next = rewrite(value, new Place({ parent: at, shown, region, name: key, kind }), walk);
    if (changed === undefined) {
      if (next === value && shown === key) continue;
      changed = new Map(keys.slice(0, index).map((before) => [before, node[before]]));
    }
    changed.set(shown, next);
  }
  return changed === undefined ? node : Object.fromEntries(changed);
};

/** Two keys never become one: a redacted key that is taken gets a suffix. */
const rewriteKey = (
  key: string,
  context: {
    readonly node: Json;
    readonly at: Place;
    readonly walk: Walk;
    readonly taken: ReadonlyMap<string, unknown> | undefined;
  },
): string => {
  const { node, at, walk, taken } = context;
  if (walk.cleanKeys.has(key)) return key;
  const redacted = walk.rewriter.text(key, at);
  if (redacted === key) {
    walk.cleanKeys.add(key);
    return key;
  }
  let shown = redacted;
  for (let copy = 2; taken?.has(shown) === true || Object.hasOwn(node, shown); copy += 1) {
    shown = `${redacted}#${copy}`;
  }
  return shown;
};

/** Keeps new placeholders from colliding with any in the value. */
export const reservePlaceholders = (node: unknown, session: RedactionSession): void => {
  const open: unknown[] = [];
  const visit = (value: unknown): void => {
    if (typeof value === "string") session.reserve(value);
    else if (typeof value === "object" && value !== null) open.push(value);
  };
  visit(node);
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) {
      for (const item of value) visit(item);
    } else if (isObject(value)) {
      for (const key of Object.keys(value)) {
        session.reserve(key);
        visit(value[key]);
      }
    }
  }
};
