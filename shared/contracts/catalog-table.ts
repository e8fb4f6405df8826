/**
 * The DynamoDB table of the catalog: names that the stack and the adapter share. One table holds all kinds of items;
 * what the keys of each kind are is said in `shared/adapters/aws/`.
 */
export const CATALOG_TABLE = { partitionKey: "pk", sortKey: "sk", timeToLive: "expiresAt" } as const;

/** All keys are strings. */
export const CATALOG_INDEXES = {
  /** Trajectories by reward, the best first: what selection walks. All attributes. */
  byReward: { name: "byReward", partitionKey: "rewardShard", sortKey: "rewardOrder", projection: "ALL" },
  /** Trajectories of one task, the best first. All attributes. */
  byTask: { name: "byTask", partitionKey: "taskKey", sortKey: "rewardOrder", projection: "ALL" },
  /** Ids by their first digits, and other listings. Keys only. */
  byGroup: { name: "byGroup", partitionKey: "groupKey", sortKey: "groupOrder", projection: "KEYS_ONLY" },
  /** Trajectories that wait for their score, the oldest first. Sparse, keys only. */
  unscored: {
    name: "unscored",
    partitionKey: "unscoredShard",
    sortKey: "unscoredSince",
    projection: "KEYS_ONLY",
  },
} as const;
