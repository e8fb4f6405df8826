/**
 * Requests and capacity units that the stages use, counted in their code; every item is smaller than a kilobyte (a row
 * has 840 bytes). A transaction costs two units for each kilobyte of an item where a plain write costs one, a
 * consistent read one unit for four kilobytes; each index that an item stands in is written once more, and twice
 * where its key changes (Amazon DynamoDB Developer Guide, Read and write operations; Managing write throughput of
 * global secondary indexes).
 */
export interface Calls {
  readonly what: string;
  readonly s3Puts?: number;
  readonly s3Gets?: number;
  readonly writeUnits?: number;
  readonly readUnits?: number;
}

/** For each dropped object. */
export const PER_OBJECT: readonly Calls[] = [
  { what: "S3Drop.find: the object, or its first megabyte", s3Gets: 1 },
  { what: "Catalog.object", readUnits: 1 },
  { what: "Catalog.add: its state in the transaction of its trajectory, its index entry", writeUnits: 3 },
];

/** For each object more, if it is not done with in one transaction. */
export const PER_LONGER_OBJECT: readonly Calls[] = [
  {
    what: "Catalog.add: that it has begun; finishObject: a query for old places, the state by itself",
    readUnits: 1,
    writeUnits: 1,
  },
  // Removing the report that there is not costs nothing.
];

/** For each new trajectory in the stage ingest. */
export const PER_INGESTED: readonly Calls[] = [
  { what: "Catalog.see: row, tombstone, place, state of the object", readUnits: 4 },
  { what: "ObjectStore.putIfAbsent of the document", s3Puts: 1 },
  { what: "Catalog.add: row, tombstone check, two places and revision in a transaction", writeUnits: 10 },
  { what: "Catalog.add: the row in three indexes", writeUnits: 3 },
];

/** For each new trajectory that ingest scores as well. */
export const PER_SCORED_ALONG: readonly Calls[] = [
  { what: "Ledger.get of judgements and labels", readUnits: 1 },
  { what: "score written", s3Puts: 1 },
  // Ten messages share a transaction, and count together.
  { what: "Catalog.add: two counters, for ten trajectories", writeUnits: 0.4 },
];

/** For each new trajectory in the stage score. */
export const PER_SCORED: readonly Calls[] = [
  { what: "Ledger.get of judgements and labels", readUnits: 1 },
  { what: "document read, score written", s3Gets: 1, s3Puts: 1 },
  { what: "Catalog.setScore: the row", readUnits: 1 },
  { what: "Catalog.setScore: the row in a transaction, two counters for ten trajectories", writeUnits: 2.4 },
  { what: "Catalog.setScore: new keys in two indexes", writeUnits: 4 },
  { what: "the row's entry in a third index until then", writeUnits: 2 },
];

/** For each trajectory that a model judges in a batch, one question each. */
export const PER_JUDGED: readonly Calls[] = [
  { what: "Catalog.entry before, and twice after", readUnits: 3 },
  { what: "document, state, answer before; state noted", s3Gets: 4, s3Puts: 1 },
  { what: "answer into the cache, read again", s3Gets: 2, s3Puts: 1 },
  { what: "document again; judgement and state written", s3Gets: 2, s3Puts: 2 },
  { what: "Ledger: its judgement noted", readUnits: 1, writeUnits: 1 },
  { what: "scored again: evidence, row", readUnits: 2 },
  { what: "scored again: document and judgement read, score written", s3Gets: 2, s3Puts: 1 },
  { what: "Catalog.setScore: the row, new keys in two indexes", writeUnits: 5 },
];

/** For each row of a dataset version. */
export const PER_EXPORTED: readonly Calls[] = [
  { what: "Catalog.select: a page of rows from an index", readUnits: 0.11 },
  { what: "document and score read", s3Gets: 2 },
  { what: "Catalog.registerDataset: note and row", readUnits: 2 },
  { what: "Catalog.registerDataset: note and row in a transaction", writeUnits: 4 },
  { what: "Catalog.registerDataset: the row in two indexes", writeUnits: 2 },
];

export type Counted = keyof Omit<Calls, "what">;

export function totalOf(calls: readonly Calls[], counted: Counted): number {
  return calls.reduce((sum, call) => sum + (call[counted] ?? 0), 0);
}
