import type { Container } from "./container.ts";
import type { RetryStrategy } from "./retry-strategy.ts";

/** A job definition as a template declares it; the runner gives it a revision. */
export interface DeclaredDefinition {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly container: Container;
  readonly retryStrategy: RetryStrategy;
  /** Seconds an attempt may run. */
  readonly timeout: number | null;
  readonly platformCapabilities: readonly string[];
  readonly propagateTags: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

/** A revision of a job definition; all but the newest of a name are inactive. */
export interface JobDefinition extends DeclaredDefinition {
  readonly arn: string;
  readonly revision: number;
  readonly status: "ACTIVE" | "INACTIVE";
}

export interface JobQueue {
  readonly name: string;
  readonly arn: string;
  readonly priority: number;
  readonly state: "ENABLED" | "DISABLED";
  /** ARNs, the preferred first. */
  readonly computeEnvironments: readonly string[];
}

export interface ComputeEnvironment {
  readonly name: string;
  readonly arn: string;
  readonly state: "ENABLED" | "DISABLED";
  readonly type: "MANAGED" | "UNMANAGED";
  /** EC2, SPOT, FARGATE or FARGATE_SPOT. */
  readonly resourceType: string;
  readonly maxVcpus: number;
}

/** Where the resources stand; it is part of their ARNs. */
export interface Place {
  readonly region: string;
  readonly account: string;
}

export function batchArn({ region, account }: Place, path: string): string {
  return `arn:aws:batch:${region}:${account}:${path}`;
}
