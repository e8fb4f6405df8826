import {
  type EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
  type PutEventsResultEntry,
} from "@aws-sdk/client-eventbridge";
import { EVENT_SOURCE } from "../../contracts/events.ts";
import { EventPublishError, type Events, type OutgoingEvent } from "../../ports/events.ts";
import { backOff, DEFAULT_TRIES, type Tries } from "./back-off.ts";
import { batchesOf } from "./batches.ts";
import { isTransient } from "./service-fault.ts";

const LIMITS = { count: 10, bytes: 256 * 1024 };

/** Refusals that pass by themselves; all others are of the event itself. */
const PASSING: ReadonlySet<string> = new Set(["InternalFailure", "InternalException", "ThrottlingException"]);

/** An event bus of EventBridge. Events go out in the order they are given, as long as none is refused. */
export class EventBridgeEvents implements Events {
  readonly #client: EventBridgeClient;
  readonly #bus: string;
  readonly #tries: Tries;

  constructor(options: { readonly client: EventBridgeClient; readonly bus: string; readonly tries?: Tries }) {
    this.#client = options.client;
    this.#bus = options.bus;
    this.#tries = options.tries ?? DEFAULT_TRIES;
  }

  async publish(events: readonly OutgoingEvent[]): Promise<void> {
    const entries = events.map((event) => this.#entry(event));
    const fitting = entries.filter((entry) => entryBytes(entry) <= LIMITS.bytes);
    let refused = entries.length - fitting.length;
    let cause: unknown =
      refused > 0
        ? new Error(`an event has more than ${LIMITS.bytes} bytes, the most that a bus takes`)
        : undefined;
    for (const batch of batchesOf(fitting, LIMITS, entryBytes)) {
      const outcome = await this.#deliver(batch);
      refused += outcome.refused;
      cause ??= outcome.reason;
    }
    if (refused > 0) {
      const message = `${refused} of ${events.length} events were refused by the bus ${this.#bus}`;
      throw new EventPublishError(`${message}: publish them again`, { cause });
    }
  }

  #entry({ type, detail, resources }: OutgoingEvent): PutEventsRequestEntry {
    return {
      EventBusName: this.#bus,
      Source: EVENT_SOURCE,
      DetailType: type,
      Detail: JSON.stringify(detail),
      Resources: [...(resources ?? [])],
    };
  }

  async #deliver(batch: readonly PutEventsRequestEntry[]): Promise<Outcome> {
    let left = batch;
    let refused = 0;
    let reason: unknown;
    for (let failures = 1; left.length > 0; failures += 1) {
      const attempt = await this.#attempt(left);
      refused += attempt.refused;
      reason = attempt.refused > 0 || attempt.again.length > 0 ? (attempt.reason ?? reason) : reason;
      left = attempt.again;
      if (left.length > 0 && failures >= this.#tries.tries) return { refused: refused + left.length, reason };
      if (left.length > 0) await backOff(failures, this.#tries);
    }
    return { refused, reason: refused > 0 ? reason : undefined };
  }

  async #attempt(
    batch: readonly PutEventsRequestEntry[],
  ): Promise<Outcome & { readonly again: readonly PutEventsRequestEntry[] }> {
    try {
      const { Entries = [] } = await this.#client.send(new PutEventsCommand({ Entries: [...batch] }));
      const answered = batch.map((entry, index) => ({ entry, result: Entries[index] }));
      const failed = answered.filter(({ result }) => result?.EventId === undefined);
      const again = failed.filter(({ result }) => PASSING.has(result?.ErrorCode ?? "InternalFailure"));
      return {
        again: again.map(({ entry }) => entry),
        refused: failed.length - again.length,
        reason: failed.map(({ result }) => refusal(result))[0],
      };
    } catch (reason) {
      if (isTransient(reason)) return { again: batch, refused: 0, reason };
      return { again: [], refused: batch.length, reason };
    }
  }
}

interface Outcome {
  readonly refused: number;
  readonly reason: unknown;
}

function refusal(result: PutEventsResultEntry | undefined): Error {
  return new Error(
    `EventBridge refused an event: ${result?.ErrorCode ?? "no code"} ${result?.ErrorMessage ?? ""}`,
  );
}

/** As EventBridge counts: the UTF-8 bytes of source, type, detail and resources (PutEvents, user guide). */
function entryBytes({ Source, DetailType, Detail, Resources }: PutEventsRequestEntry): number {
  const texts = [Source, DetailType, Detail, ...(Resources ?? [])];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ""), 0);
}
