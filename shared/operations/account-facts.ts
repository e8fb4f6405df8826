/** Something that was looked up in the account, or why it could not be. */
export type Fact<T> =
  | { readonly kind: "known"; readonly value: T }
  | { readonly kind: "unknown"; readonly reason: string; readonly remedy: string };

/**
 * A bucket's name. `free`: nobody has it. `ours`: this account has it here. `taken`: another account has it, or these
 * credentials may not see it. `elsewhere`: it is in another region.
 */
export type BucketState = "free" | "ours" | "taken" | "elsewhere";

/** vCPUs that may run at a time, by how they are paid. */
export interface VcpuQuotas {
  readonly spot: Fact<number>;
  readonly onDemand: Fact<number>;
}

/** What a deployment meets in an account. */
export interface AccountFacts {
  readonly identity: Fact<{ readonly account: string; readonly region: string }>;
  /** Status of the deployment's stack; null: there is none yet. */
  readonly stack: Fact<string | null>;
  /** Version of the CDK's bootstrap stack; null: there is none. */
  readonly bootstrap: Fact<number | null>;
  readonly buckets: readonly { readonly name: string; readonly state: Fact<BucketState> }[];
  /** Copies of functions that may run at a time: of the account, and what of it nobody has reserved. */
  readonly concurrency: Fact<{ readonly limit: number; readonly unreserved: number }>;
  readonly machines: VcpuQuotas;
  /** Of the family of the configured instance types; undefined where no GPU is wanted. */
  readonly gpuMachines: VcpuQuotas | undefined;
}
