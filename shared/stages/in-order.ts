/**
 * Works on the items, at most `width` side by side, and gives the results in the order of the items. Items are taken
 * only when there is room, so that a walk of any length is held a few at a time.
 */
export async function* inOrder<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  { width, work }: { readonly width: number; readonly work: (item: T) => Promise<R> },
): AsyncGenerator<{ readonly of: T; readonly result: R }> {
  const underWay: { readonly of: T; readonly result: Promise<R> }[] = [];
  try {
    for await (const of of items) {
      const result = work(of);
      result.catch(() => undefined);
      underWay.push({ of, result });
      const first = underWay.length < width ? undefined : underWay.shift();
      if (first !== undefined) yield { of: first.of, result: await first.result };
    }
    for (let first = underWay.shift(); first !== undefined; first = underWay.shift()) {
      yield { of: first.of, result: await first.result };
    }
  } finally {
    await Promise.allSettled(underWay.map(({ result }) => result));
  }
}
