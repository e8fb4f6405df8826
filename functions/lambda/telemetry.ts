import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";

/** Structured logs; service name and level come from the environment (POWERTOOLS_SERVICE_NAME, …_LOG_LEVEL). */
export const logger = new Logger();

/** Written as embedded metrics into the log, which costs no call. */
const metrics = new Metrics({ namespace: process.env["POWERTOOLS_METRICS_NAMESPACE"] ?? "Gymline" });

/** What a run did, by metric name; zeros are left out. */
export function count(counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) {
    if (value > 0) metrics.addMetric(name, MetricUnit.Count, value);
  }
}

export function publishCounts(): void {
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
}
