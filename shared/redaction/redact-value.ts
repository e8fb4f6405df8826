import { type CredentialKind, credentialKind, endsLikeCredentialKey } from "./credential-key.ts";
import { isSecretValue } from "./credential-value.ts";
import { RedactionError } from "./errors.ts";
import { isPlaceholder } from "./placeholder.ts";
import type { RedactionSession } from "./redaction-session.ts";
import type { Redactor } from "./redactor.ts";
import { isObject, isSignature, signatureHoldsSecret } from "./signatures.ts";

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

/** Where a value stands: what decides how its text is read. */
export interface Place {
  /** JSON pointer, with redacted keys. */
  readonly path: string;
  readonly depth: number;
  readonly region: Region;
  /** Key of the enclosing list or object. */
  readonly name: string;
  /** Set if the key above names a credential. */
  readonly kind: CredentialKind | undefined;
}

export const place = (path: string): Place => ({
  path,
  depth: 0,
  region: "document",
  name: "",
  kind: undefined,
});

const kindOfKey = (key: string): CredentialKind | undefined =>
  endsLikeCredentialKey(key, key.length) ? credentialKind(key) : undefined;

/** {"name": "DB_PASSWORD", "value": "…"}: the name of a pair stands for its value's key. */
const kindOfEntry = (owner: Readonly<Record<string, unknown>>, key: string): CredentialKind | undefined => {
  const own = kindOfKey(key);
  if (own !== undefined || key.toLowerCase() !== "value") return own;
  const name = owner["name"] ?? owner["key"] ?? owner["Name"] ?? owner["Key"];
  return typeof name === "string" ? kindOfKey(name) : undefined;
};

const below = (input: {
  parent: Place;
  key: string;
  shown: string;
  kind: CredentialKind | undefined;
}): Place => ({
  path: `${input.parent.path}/${input.shown.replaceAll("~", "~0").replaceAll("/", "~1")}`,
  depth: input.parent.depth + 1,
  region: regionBelow(input.parent.region, input.key),
  name: input.key,
  kind: input.kind,
});

const isWholeSecret = (kind: CredentialKind | undefined, value: string): boolean =>
  kind !== undefined && !isPlaceholder(value) && isSecretValue({ kind, value, form: "quoted" });

/** Passwords made of digits may stand as numbers in JSON. */
const isNumericSecret = (kind: CredentialKind | undefined, value: unknown): value is number =>
  kind === "password" && typeof value === "number" && Number.isInteger(value) && value >= 1000;

const checkDepth = (depth: number): void => {
  if (depth > MAX_DEPTH)
    throw new RedactionError("walk", { reason: `nested deeper than ${MAX_DEPTH} levels` });
};

/** Whether any string, key or signature in the value calls for redaction; stops at the first. */
export const needsRedaction = (input: {
  readonly node: unknown;
  readonly at: Place;
  readonly redactor: Redactor;
}): boolean => {
  const { node, at, redactor } = input;
  checkDepth(at.depth);
  if (typeof node === "string") return isWholeSecret(at.kind, node) || redactor.scan(node).length > 0;
  if (isNumericSecret(at.kind, node)) return true;
  if (Array.isArray(node)) {
    const inner = { ...at, depth: at.depth + 1 };
    return node.some((item: unknown) => needsRedaction({ node: item, at: inner, redactor }));
  }
  if (!isObject(node)) return false;
  for (const [key, value] of Object.entries(node)) {
    if (value === null || typeof value === "boolean") {
      if (redactor.scan(key).length > 0) return true;
      continue;
    }
    const entry = { key, value, owner: node, listName: at.name };
    if (at.region === "extra" && isSignature(entry)) {
      if (signatureHoldsSecret(entry.value, redactor)) return true;
      continue;
    }
    if (redactor.scan(key).length > 0) return true;
    const next: Place = {
      path: "",
      depth: at.depth + 1,
      region: regionBelow(at.region, key),
      name: key,
      kind: kindOfEntry(node, key),
    };
    if (needsRedaction({ node: value, at: next, redactor })) return true;
  }
  return false;
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
}): unknown => {
  const { node, at, rewriter } = input;
  checkDepth(at.depth);
  if (typeof node === "string")
    return isWholeSecret(at.kind, node) ? rewriter.whole(node, at) : rewriter.text(node, at);
  if (isNumericSecret(at.kind, node)) return rewriter.whole(String(node), at);
  if (Array.isArray(node)) {
    const items = node.map((item: unknown, index) =>
      rewriteStrings({
        node: item,
        at: { ...at, path: `${at.path}/${index}`, depth: at.depth + 1 },
        rewriter,
      }),
    );
    return items.every((item, index) => item === node[index]) ? node : items;
  }
  if (!isObject(node)) return node;
  const result = new Map<string, unknown>();
  let same = true;
  for (const [key, value] of Object.entries(node)) {
    if (at.region === "extra" && isSignature({ key, value, owner: node, listName: at.name })) {
      result.set(key, value);
      continue;
    }
    let shown = rewriter.text(key, at);
    // Two keys never become one: a redacted key that is taken gets a suffix.
    for (let copy = 2; result.has(shown) || (shown !== key && Object.hasOwn(node, shown)); copy += 1) {
      shown = `${rewriter.text(key, at)}#${copy}`;
    }
    const next = rewriteStrings({
      node: value,
      at: below({ parent: at, key, shown, kind: kindOfEntry(node, key) }),
      rewriter,
    });
    if (next !== value || shown !== key) same = false;
    result.set(shown, next);
  }
  return same ? node : Object.fromEntries(result);
};

/** Keeps new placeholders from colliding with any in the value. */
export const reservePlaceholders = (node: unknown, session: RedactionSession): void => {
  const open: unknown[] = [node];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === "string") {
      session.reserve(value);
    } else if (Array.isArray(value)) {
      for (const item of value) open.push(item);
    } else if (isObject(value)) {
      for (const [key, item] of Object.entries(value)) open.push(key, item);
    }
  }
};
