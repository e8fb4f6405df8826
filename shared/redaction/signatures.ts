import type { Redactor } from "./redactor.ts";

type Json = Readonly<Record<string, unknown>>;

const signatureKeys = new Set([
  "signature",
  "thought_signature",
  "thoughtSignature",
  "encrypted_content",
  "encryptedContent",
]);

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An entry of `extra.gymline.signatures`, or an opaque thinking block: dropped as a whole. */
const isSignatureRecord = (value: unknown, listName: string): boolean =>
  isObject(value) &&
  ((listName === "signatures" && typeof value["kind"] === "string" && typeof value["value"] === "string") ||
    (value["type"] === "redacted_thinking" && typeof value["data"] === "string"));

/**
 * Whether an entry holds a provider's signature: opaque text that is kept byte for byte, or dropped.
 * `listName` is the key of the list the object stands in.
 */
export const isSignature = (input: {
  readonly key: string;
  readonly value: unknown;
  readonly owner: Json;
  readonly listName: string;
}): input is { key: string; value: string; owner: Json; listName: string } => {
  const { key, value, owner, listName } = input;
  if (typeof value !== "string") return false;
  if (signatureKeys.has(key)) return true;
  if (key === "value") return isSignatureRecord(owner, listName) && owner["type"] !== "redacted_thinking";
  return key === "data" && owner["type"] === "redacted_thinking";
};

/** Whether opaque text holds a secret, as it stands or base64-decoded. */
export const signatureHoldsSecret = (value: string, redactor: Redactor): boolean => {
  if (redactor.scan(value).length > 0) return true;
  const decoded = Buffer.from(value, "base64");
  return (
    redactor.scan(decoded.toString("latin1")).length > 0 || redactor.scan(decoded.toString("utf8")).length > 0
  );
};

/** Removes the signatures `drop` picks; unchanged parts keep their identity. */
export const dropSignatures = (input: {
  readonly node: unknown;
  readonly drop: (value: string) => boolean;
  readonly onDrop: (name: string) => void;
  readonly listName?: string;
}): unknown => {
  const { node, drop, onDrop, listName = "" } = input;
  if (Array.isArray(node)) {
    const kept = node.flatMap((item: unknown) => {
      if (isSignatureRecord(item, listName) && isObject(item)) {
        const value = item["type"] === "redacted_thinking" ? item["data"] : item["value"];
        if (drop(String(value))) {
          onDrop(listName);
          return [];
        }
      }
      return [dropSignatures({ node: item, drop, onDrop, listName })];
    });
    return kept.length === node.length && kept.every((item, index) => item === node[index]) ? node : kept;
  }
  if (!isObject(node)) return node;
  const entries = Object.entries(node);
  const kept = entries.flatMap(([key, value]): [string, unknown][] => {
    const entry = { key, value, owner: node, listName };
    if (isSignature(entry) && key !== "value" && drop(entry.value)) {
      onDrop(key);
      return [];
    }
    return [[key, dropSignatures({ node: value, drop, onDrop, listName: key })]];
  });
  const same =
    kept.length === entries.length && kept.every(([, value], index) => value === entries[index]?.[1]);
  return same ? node : Object.fromEntries(kept);
};
