import type { Segment } from "./custom-path.ts";
import { keyPath, list, record, rest, setOwn } from "./read.ts";

interface Node {
  /** The value at this place is read as it is. */
  whole: boolean;
  readonly keys: Map<string, Node>;
  each: Node | undefined;
}

/** The places that a mapping reads. */
export type ReadPlaces = Node;

export function placesOf(paths: readonly (readonly Segment[])[]): ReadPlaces {
  const root = newNode();
  for (const path of paths) {
    let node = root;
    for (const segment of path) {
      if (segment.kind === "key") {
        const child = node.keys.get(segment.key) ?? newNode();
        node.keys.set(segment.key, child);
        node = child;
      } else {
        node.each ??= newNode();
        node = node.each;
      }
    }
    node.whole = true;
  }
  return root;
}

function newNode(): Node {
  return { whole: false, keys: new Map(), each: undefined };
}

/**
 * What of a value no path of the mapping reads: small values by their path, and the paths of what is too large
 * or stands in a list. Linear in the size of the parts that are read.
 */
export function leftovers(
  value: unknown,
  places: ReadPlaces,
): { readonly kept: Record<string, unknown>; readonly dropped: readonly string[] } {
  const kept: Record<string, unknown> = {};
  const dropped: string[] = [];
  const open: { value: unknown; node: Node; name: string; path: string; inList: boolean }[] = [
    { value, node: places, name: "", path: "$", inList: false },
  ];
  for (let at = 0; at < open.length; at += 1) {
    const item = open[at];
    if (item === undefined || item.node.whole) continue;
    const { node, name, path, inList } = item;
    const object = record(item.value);
    const elements = list(item.value);
    if (object !== undefined && node.keys.size > 0) {
      for (const [key, inner] of Object.entries(object)) {
        const child = node.keys.get(key) ?? newNode();
        const inName = joined(name, key);
        open.push({ value: inner, node: child, name: inName, path: keyPath(path, key), inList });
      }
    } else if (elements !== undefined && node.each !== undefined) {
      for (const inner of elements) {
        open.push({ value: inner, node: node.each, name: `${name}[*]`, path: `${path}[*]`, inList: true });
      }
    } else {
      const { kept: small, large } = rest({ [SLOT]: item.value }, []);
      if (large.length > 0 || (inList && Object.hasOwn(small, SLOT))) dropped.push(path);
      else if (Object.hasOwn(small, SLOT)) setOwn(kept, name === "" ? SLOT : name, item.value);
    }
  }
  return { kept, dropped };
}

/** Numbers stand in brackets: behind a dot, redaction would take an address or a card for part of a longer number. */
function joined(name: string, key: string): string {
  if (name === "") return key;
  return /^\d/.test(key) ? `${name}[${key}]` : `${name}.${key}`;
}

const SLOT = "value";
