import { type TokenRule, TokenScanner } from "./info-tokens.ts";

/**
 * The tokens of all outputs so far, for texts that come one at a time. `queryTokens` answers the same for texts that
 * are all known beforehand, and is faster.
 *
 * A radix tree: remembering an output is linear in its length; looking into a text takes, from each of its characters,
 * no more than the longest token that starts like the text there, however many tokens there are.
 */
export class TokenMemory {
  readonly #root: Node = { label: "", isToken: false, children: null };
  readonly #scanner: TokenScanner;
  #text = "";
  #hasTokens = false;

  constructor(rule: TokenRule) {
    this.#scanner = new TokenScanner(rule, (start, end) => {
      this.#hasTokens = true;
      insert(this.#root, this.#text.slice(start, end).toLowerCase());
    });
  }

  remember(output: string): void {
    this.#text = output;
    this.#scanner.scan(output);
    this.#text = "";
  }

  /** Whether any token occurs in the text, upper and lower case alike; null where there is no token yet. */
  isFoundIn(text: string): boolean | null {
    if (!this.#hasTokens) return null;
    const lower = text.toLowerCase();
    for (let start = 0; start < lower.length; start++) if (startsHere(this.#root, lower, start)) return true;
    return false;
  }
}

interface Node {
  /** The part of the token since the parent. */
  label: string;
  isToken: boolean;
  /** By the first character of their labels; null where there is none, as in most nodes. */
  children: Map<number, Node> | null;
}

function insert(root: Node, token: string): void {
  let node = root;
  let at = 0;
  while (at < token.length) {
    const child = node.children?.get(token.charCodeAt(at));
    if (child === undefined) {
      node.children ??= new Map();
      node.children.set(token.charCodeAt(at), { label: token.slice(at), isToken: true, children: null });
      return;
    }
    const same = commonLength(child.label, token, at);
    if (same < child.label.length) split(child, same);
    node = child;
    at += same;
  }
  node.isToken = true;
}

/** Puts a node between a node and its parent, after the first `length` characters of its label. */
function split(node: Node, length: number): void {
  const rest: Node = { label: node.label.slice(length), isToken: node.isToken, children: node.children };
  node.children = new Map([[rest.label.charCodeAt(0), rest]]);
  node.label = node.label.slice(0, length);
  node.isToken = false;
}

function startsHere(root: Node, text: string, start: number): boolean {
  let node = root;
  let at = start;
  for (;;) {
    const child = node.children?.get(text.charCodeAt(at));
    if (child === undefined || !text.startsWith(child.label, at)) return false;
    if (child.isToken) return true;
    node = child;
    at += child.label.length;
  }
}

function commonLength(label: string, token: string, from: number): number {
  const most = Math.min(label.length, token.length - from);
  let same = 0;
  while (same < most && label.charCodeAt(same) === token.charCodeAt(from + same)) same++;
  return same;
}
