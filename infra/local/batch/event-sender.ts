import {
  EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
  type PutEventsResultEntry,
} from "@aws-sdk/client-eventbridge";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { FALLBACK_SOURCE } from "./fallback-source.ts";
import type { JobStateChange } from "./job-table.ts";
import type { Journal, StoredEvent } from "./journal.ts";

/** Where state changes go. */
export interface EventTarget {
  readonly endpoint: string;
  /** By default the account's default bus. */
  readonly bus?: string;
  /** By default `aws.batch`, which AWS's own service uses. */
  readonly source?: string;
  /** Taken once the bus refuses the first source: AWS keeps `aws.*` for itself. By default `gymline.batch`. */
  readonly fallbackSource?: string;
}

interface Setting {
  readonly target: EventTarget;
  readonly journal: Journal;
  readonly region: string;
  readonly now: () => number;
}

/** The most entries one PutEvents call takes. */
const BATCH = 10;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** How long the last events may take when the runner stops; what is left goes out at the next start. */
const FAREWELL_MS = 2_000;

/**
 * Sends state changes from the journal: each at least once, those of one job in order. One call takes at most one
 * event of a job, so that a refused event never lets a later one of its job pass.
 */
export class EventSender {
  private readonly setting: Setting;
  private readonly client: EventBridgeClient;
  /** Jobs whose event was refused: how often, and until when they pause. */
  private readonly refused = new Map<string, { readonly times: number; readonly until: number }>();
  private source: string;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> | undefined;
  private closed = false;
  private halted = false;

  constructor(setting: Setting) {
    this.setting = setting;
    this.source = setting.target.source ?? "aws.batch";
    this.client = new EventBridgeClient({
      endpoint: setting.target.endpoint,
      region: setting.region,
      // Never real ones: this talks to an engine on this machine.
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler({ connectionTimeout: 2_000, requestTimeout: 10_000 }),
    });
  }

  /** There may be events to send. Returns at once. */
  poke(): void {
    if (this.closed || this.sending !== undefined || this.timer !== undefined) return;
    this.sending = this.drain().finally(() => {
      this.sending = undefined;
    });
  }

  /** Sends what can be sent in short time; the rest stays in the journal. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.poke();
    this.closed = true;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, FAREWELL_MS);
    await Promise.race([this.sending, late]);
    clearTimeout(timer);
    this.halted = true;
    this.client.destroy();
    await this.sending;
  }

  private async drain(): Promise<void> {
    while (!this.halted) {
      const events = this.setting.journal.firstEvents(BATCH, this.pausing());
      if (events.length === 0) {
        const next = Math.min(...[...this.refused.values()].map(({ until }) => until));
        if (Number.isFinite(next)) this.later(next - this.setting.now());
        return;
      }
      if (!(await this.send(events))) {
        this.later(pause(this.failures++));
        return;
      }
      this.failures = 0;
    }
  }

  /** False where the whole call failed. */
  private async send(events: readonly StoredEvent[]): Promise<boolean> {
    const { journal } = this.setting;
    let results: readonly PutEventsResultEntry[];
    try {
      const command = new PutEventsCommand({ Entries: events.map((event) => this.entryOf(event)) });
      results = (await this.client.send(command)).Entries ?? [];
    } catch (error) {
      return (
        isSourceRefused(error instanceof Error ? `${error.name} ${error.message}` : "") && this.fallBack()
      );
    }
    const failed = events.filter((_, index) => results[index]?.ErrorCode !== undefined);
    journal.forgetEvents(events.filter((event) => !failed.includes(event)).map(({ sequence }) => sequence));
    for (const { jobId } of events)
      if (!failed.some((event) => event.jobId === jobId)) this.refused.delete(jobId);
    const codes = results.map(({ ErrorCode = "" }) => ErrorCode);
    if (codes.some(isSourceRefused) && this.fallBack()) return true;
    for (const { jobId } of failed) {
      const times = (this.refused.get(jobId)?.times ?? 0) + 1;
      this.refused.set(jobId, { times, until: this.setting.now() + pause(times) });
    }
    return true;
  }

  /** False where there is nothing to fall back to. */
  private fallBack(): boolean {
    const { fallbackSource = FALLBACK_SOURCE } = this.setting.target;
    if (this.source === fallbackSource) return false;
    this.source = fallbackSource;
    return true;
  }

  private entryOf({ body }: StoredEvent): PutEventsRequestEntry {
    // Written by the job table, into a file of its own.
    const { time, jobArn, detail } = JSON.parse(body) as JobStateChange;
    return {
      Source: this.source,
      DetailType: "Batch Job State Change",
      Detail: JSON.stringify(detail),
      EventBusName: this.setting.target.bus ?? "default",
      Resources: [jobArn],
      Time: new Date(time),
    };
  }

  private pausing(): readonly string[] {
    const now = this.setting.now();
    return [...this.refused].filter(([, { until }]) => until > now).map(([jobId]) => jobId);
  }

  private later(delay: number): void {
    if (this.closed) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.poke();
      },
      Math.max(delay, 0),
    );
  }
}

function isSourceRefused(code: string): boolean {
  return code.includes("NotAuthorizedForSource") || /\bsource\b/i.test(code);
}

function pause(times: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** times, LONGEST_PAUSE_MS);
}
