import { setTimeout as sleep } from "node:timers/promises";
import {
  CloudWatchLogsClient,
  paginateDescribeLogGroups,
  paginateFilterLogEvents,
} from "@aws-sdk/client-cloudwatch-logs";
import { LOCAL_CREDENTIALS, LOCAL_REGION } from "./engines/client-environment.ts";
import { LogCursor, type LogLine } from "./log-cursor.ts";

const EVERY_MS = 1_000;

/** What Lambda itself writes around each invocation. */
const PLATFORM = /^(INIT_START|START|END|REPORT) /;

/**
 * Gives what the functions on an engine print, line by line, until the signal comes.
 * @param from milliseconds since 1970: what is older is left out
 */
export async function* followLogs(
  endpoint: string,
  { from, signal }: { readonly from: number; readonly signal: AbortSignal },
): AsyncGenerator<LogLine> {
  const client = new CloudWatchLogsClient({
    endpoint,
    region: LOCAL_REGION,
    credentials: LOCAL_CREDENTIALS,
  });
  const cursor = new LogCursor(from);
  while (!signal.aborted) {
    for (const line of cursor.take(await readLogs(client, cursor.from))) {
      if (!PLATFORM.test(line.message)) yield line;
    }
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function readLogs(client: CloudWatchLogsClient, from: number): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const { logGroups = [] } of paginateDescribeLogGroups({ client }, {})) {
    for (const { logGroupName: group = "" } of logGroups) {
      const pages = paginateFilterLogEvents({ client }, { logGroupName: group, startTime: from });
      for await (const { events = [] } of pages) {
        for (const { timestamp = 0, logStreamName: stream = "", message = "" } of events) {
          lines.push({ timestamp, group, stream, message: message.trimEnd() });
        }
      }
    }
  }
  return lines;
}
