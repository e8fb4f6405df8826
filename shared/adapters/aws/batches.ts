/** What one request of SendMessageBatch or PutEvents takes. */
export interface BatchLimits {
  readonly count: number;
  /** Of all items together. */
  readonly bytes: number;
}

/** Items in their order, cut into as few requests as fit without changing it. An item over the limit stands alone. */
export function batchesOf<T>(
  items: readonly T[],
  limits: BatchLimits,
  bytesOf: (item: T) => number,
): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let current: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    if (current.length > 0 && (current.length >= limits.count || bytes + size > limits.bytes)) {
      batches.push(current);
      current = [];
      bytes = 0;
    }
    current.push(item);
    bytes += size;
  }
  if (current.length > 0) batches.push(current);
  return batches;
}

/** Works on the items, at most `width` at a time. The first failure ends it once what is under way has ended. */
export async function eachOf<T>(
  items: Iterable<T> | AsyncIterable<T>,
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let fault: { readonly error: unknown } | undefined;
  for await (const item of items) {
    const task = work(item)
      .catch((error: unknown) => {
        fault ??= { error };
      })
      .finally(() => underWay.delete(task));
    underWay.add(task);
    if (underWay.size >= width) await Promise.race(underWay);
    if (fault !== undefined) break;
  }
  await Promise.all(underWay);
  if (fault !== undefined) throw fault.error;
}
