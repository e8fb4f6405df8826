/**
 * Walks over several sorted walks as one, in bounded memory: it holds one item of each, and each holds one page.
 * @param before says whether the first of two items comes before the second
 */
export async function* mergedWalk<T>(
  walks: readonly AsyncIterator<T>[],
  before: (first: T, second: T) => boolean,
): AsyncGenerator<T> {
  // All first pages are asked for side by side.
  const heads = await Promise.all(
    walks.map(async (walk) => ({ walk, next: (await walk.next()) as IteratorResult<T, unknown> })),
  );
  for (;;) {
    let best: { walk: AsyncIterator<T>; next: IteratorResult<T, unknown> } | undefined;
    let value: T | undefined;
    for (const head of heads) {
      if (head.next.done === true) continue;
      if (best !== undefined && value !== undefined && !before(head.next.value, value)) continue;
      best = head;
      value = head.next.value;
    }
    if (best === undefined || value === undefined) return;
    yield value;
    best.next = await best.walk.next();
  }
}

/** The first `limit` items. */
export async function* firstOf<T>(walk: AsyncIterable<T>, limit: number | undefined): AsyncGenerator<T> {
  let left = limit ?? Number.POSITIVE_INFINITY;
  if (left <= 0) return;
  for await (const item of walk) {
    yield item;
    left -= 1;
    if (left <= 0) return;
  }
}

/** Groups of `size` items, the last one smaller. */
export async function* inGroups<T>(
  walk: Iterable<T> | AsyncIterable<T>,
  size: number,
): AsyncGenerator<readonly T[]> {
  let group: T[] = [];
  for await (const item of walk) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

export async function collected<T>(walk: AsyncIterable<T>): Promise<readonly T[]> {
  const items: T[] = [];
  for await (const item of walk) items.push(item);
  return items;
}
