import { isObject } from "./signatures.ts";

const tokenKey =
  /(?:^|_)(?:token_?ids?|tokens|log_?probs?|(?:input|output|prompt|completion|response)_ids|(?:token|loss|attention|response)_mask)$/;
const promptKey = /(?:^|_)(?:prompt|input)_/;

const normalise = (key: string): string =>
  key
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/-/g, "_")
    .toLowerCase();

/** Whether a field holds a model's tokens or log-probabilities rather than a count of them. */
const holdsTokens = (key: string, value: unknown): boolean =>
  typeof value === "object" && value !== null && tokenKey.test(normalise(key));

/**
 * Removes token ids, log-probabilities and masks, which would give a redacted text back; with
 * `promptOnly` just those of the prompt. Unchanged parts keep their identity.
 */
export const dropTokenFields = (input: {
  readonly node: unknown;
  readonly promptOnly: boolean;
  readonly onDrop: (key: string) => void;
}): unknown => {
  const { node, promptOnly, onDrop } = input;
  if (Array.isArray(node)) {
    const items = node.map((item: unknown) => dropTokenFields({ node: item, promptOnly, onDrop }));
    return items.every((item, index) => item === node[index]) ? node : items;
  }
  if (!isObject(node)) return node;
  const entries = Object.entries(node);
  const kept = entries.flatMap(([key, value]): [string, unknown][] => {
    if (holdsTokens(key, value) && (!promptOnly || promptKey.test(normalise(key)))) {
      onDrop(key);
      return [];
    }
    return [[key, dropTokenFields({ node: value, promptOnly, onDrop })]];
  });
  const same =
    kept.length === entries.length && kept.every(([, value], index) => value === entries[index]?.[1]);
  return same ? node : Object.fromEntries(kept);
};
