/**
 * Builds an Aho-Corasick automaton over `tokens` (token → the step it was first seen in) and returns a
 * function that says whether a text contains any token first seen before a given step. Building is linear
 * in the length of all tokens, a query in the length of its text.
 */
export function createTokenMatcher(
  tokens: ReadonlyMap<string, number>,
): (text: string, before: number) => boolean {
  if (tokens.size === 0) return () => false;
  const never = Number.POSITIVE_INFINITY;
  /** Key: node · 2^16 + UTF-16 unit. */
  const edges = new Map<number, number>();
  const earliest: number[] = [never];
  const children: (number[] | null)[] = [null];
  const unit: number[] = [0];
  for (const [token, step] of tokens) {
    let node = 0;
    for (let i = 0; i < token.length; i++) {
      const code = token.charCodeAt(i);
      const key = node * 65_536 + code;
      let next = edges.get(key);
      if (next === undefined) {
        next = earliest.length;
        edges.set(key, next);
        earliest.push(never);
        children.push(null);
        unit.push(code);
        const siblings = children[node];
        if (siblings === null || siblings === undefined) children[node] = [next];
        else siblings.push(next);
      }
      node = next;
    }
    if (step < (earliest[node] ?? never)) earliest[node] = step;
  }

  const fail = new Int32Array(earliest.length);
  const follow = (from: number, code: number): number => {
    let node = from;
    for (;;) {
      const next = edges.get(node * 65_536 + code);
      if (next !== undefined) return next;
      if (node === 0) return 0;
      node = fail[node] ?? 0;
    }
  };
  // Breadth first: a node's fallback is nearer to the root and therefore finished.
  const queue: number[] = [0];
  for (let head = 0; head < queue.length; head++) {
    const node = queue[head] ?? 0;
    for (const child of children[node] ?? []) {
      const fallback = node === 0 ? 0 : follow(fail[node] ?? 0, unit[child] ?? 0);
      fail[child] = fallback;
      earliest[child] = Math.min(earliest[child] ?? never, earliest[fallback] ?? never);
      queue.push(child);
    }
  }

  return (text, before) => {
    let node = 0;
    for (let i = 0; i < text.length; i++) {
      node = follow(node, text.charCodeAt(i));
      if ((earliest[node] ?? never) < before) return true;
    }
    return false;
  };
}
