import canonicalize from "canonicalize";
import { z } from "zod";
import { type DatasetRequest, datasetRequestSchema } from "../contracts/dataset-request.ts";
import type { DeployedDataset } from "../contracts/deployment-config.ts";
import {
  DATASET_PUBLISHED,
  type DatasetPublished,
  EXPORT_FAILED,
  type ExportFailed,
} from "../contracts/events.ts";
import { exportReportKey } from "../contracts/keys.ts";
import { type ExportQueueMessage, exportMessageSchema } from "../contracts/messages.ts";
import { DatasetCheckError } from "../dataset/quality/check-error.ts";
import type { DatasetEntry } from "../ports/catalog.ts";
import type { Events } from "../ports/events.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { MessageQueue } from "../ports/queue.ts";
import { DatasetTooLargeError } from "./dataset-plan.ts";
import { type ExportPorts, type ExportResult, exportDataset } from "./export.ts";
import { checkFailure, type ExportFailure, emptyFailure, reportExport } from "./export-failure.ts";
import { type HandOverPorts, handOver } from "./hand-over.ts";
import { Lease } from "./lease.ts";
import { changeRecord, readRecord } from "./ledger-record.ts";
import { manifestKey } from "./stored-manifest.ts";

/** What is known of the exports of one dataset. */
const exportStateSchema = z.strictObject({
  schema: z.literal("gymline.export-state.v1"),
  /** How many scores the last export had seen (`Catalog.scoredCount`). */
  consumed: z.int(),
  /** How many there were when an export was last asked for by the threshold. */
  asked: z.int(),
  /** Came while another export was under way: its turn is next. */
  pending: exportMessageSchema.optional(),
  /** How the last export ended that came to an end; `why` where it wrote no version. */
  last: z
    .strictObject({
      outcome: z.enum(["written", "unchanged", "failed", "empty"]),
      cause: exportMessageSchema.shape.cause,
      /** Milliseconds since the epoch. */
      at: z.number(),
      why: z.string().optional(),
    })
    .optional(),
});
export type ExportState = z.infer<typeof exportStateSchema>;
type Ended = NonNullable<ExportState["last"]>;

export interface ExportRunPorts extends ExportPorts, HandOverPorts {
  readonly datasets: readonly DeployedDataset[];
  readonly events: Events;
  /** Where the message came from. */
  readonly queue: MessageQueue;
  /** Names this run in its lease. */
  readonly holder: string;
}

export type ExportRunResult =
  | { readonly kind: "written" | "unchanged"; readonly version: string; readonly rows: number }
  /** Checks failed, or nothing was left to write: no other try would change that. The report says more. */
  | { readonly kind: "failed" | "empty"; readonly why: string; readonly report: string }
  /** The threshold is not reached (any more). */
  | { readonly kind: "not-due" }
  /** Another export of the dataset is under way; the message is kept and its turn comes. */
  | { readonly kind: "waiting" }
  | { readonly kind: "handed-over"; readonly jobId: string | undefined };

/** The deployment has no dataset of that name. */
export class UnknownDatasetError extends Error {
  override readonly name = "UnknownDatasetError";
  constructor(name: string, known: readonly string[]) {
    const list = known.length === 0 ? "it has none" : `it has ${known.join(", ")}`;
    super(`the deployment has no dataset "${name}": ${list}; add it under "datasets" and deploy again`);
  }
}

/** So long an export may be silent before another may take over. */
const LEASE_MS = 10 * 60_000;

export function leaseKey(dataset: string): string {
  return `lease/export/${dataset}`;
}

/**
 * Exports one dataset as a message asks for it: one export of a dataset at a time, each published version announced
 * by an event at least once. Rows that fail their checks are an outcome, not a fault: they are recorded, reported and
 * announced, and the message is done.
 * @throws UnknownDatasetError, LeaseLostError, FencedError and what `exportDataset` throws
 */
export async function runExport(
  message: ExportQueueMessage,
  ports: ExportRunPorts,
): Promise<ExportRunResult> {
  const name = message.request?.name ?? message.dataset;
  const request = requestOf(message, ports.datasets);
  const acquire = (): Promise<Lease | undefined> =>
    Lease.acquire(leaseKey(name), {
      ledger: ports.ledger,
      clock: ports.clock,
      holder: ports.holder,
      ttl: LEASE_MS,
    });
  let lease = await acquire();
  if (lease === undefined) {
    await changeState(name, ports.ledger, (state) => ({ ...state, pending: message }));
    // The other may have ended just before that was noted.
    lease = await acquire();
    if (lease === undefined) return { kind: "waiting" };
  }
  try {
    return await exportUnder(lease, { name, message, request, ports });
  } finally {
    await lease.release();
    await sendPending(name, { ledger: ports.ledger, queue: ports.queue, done: message });
  }
}

async function exportUnder(
  lease: Lease,
  context: {
    readonly name: string;
    readonly message: ExportQueueMessage;
    readonly request: DatasetRequest;
    readonly ports: ExportRunPorts;
  },
): Promise<ExportRunResult> {
  const { name, message, request, ports } = context;
  const { catalog, ledger, clock } = ports;
  const counted = await catalog.scoredCount(request.project);
  const threshold = ports.datasets.find((dataset) => dataset.request.name === name)?.threshold;
  const state = await exportState(name, ledger);
  if (message.cause === "threshold" && threshold !== undefined) {
    if (counted - state.consumed < threshold) return { kind: "not-due" };
  }
  const beat = (): Promise<void> => lease.beat();
  const ended = (outcome: Ended["outcome"], why?: string): Promise<void> => {
    const last = { outcome, cause: message.cause, at: clock.now(), ...(why === undefined ? {} : { why }) };
    return changeState(name, ledger, (now) => ({
      ...now,
      consumed: Math.max(now.consumed, counted),
      asked: Math.max(now.asked, counted),
      last,
    }));
  };
  const fail = async (outcome: "failed" | "empty", failure: ExportFailure): Promise<ExportRunResult> => {
    // Who lost the lease has nothing to say any more.
    await lease.renew();
    // The event before the record: a run that is killed in between is done once more.
    const report = await announceFailure({ name, cause: message.cause, failure }, ports);
    await ended(outcome, failure.why);
    return { kind: outcome, why: failure.why, report };
  };
  let result: ExportResult;
  try {
    result = await exportDataset(request, { ...ports, beat, fence: () => lease.renew() });
  } catch (error) {
    if (error instanceof DatasetCheckError) return fail("failed", checkFailure(error));
    if (!(error instanceof DatasetTooLargeError)) throw error;
    // What was mended after a failure need not show in request and count.
    const failure = state.last?.why === undefined ? "" : `\n${state.last.at}`;
    const identity = `${canonicalize(request)}\n${counted}${failure}`;
    const command = ["job", "export", "--message", JSON.stringify(message)];
    const { jobId } = await handOver({ kind: "export", work: name, identity, command }, ports);
    return { kind: "handed-over", jobId };
  }
  if (result.kind === "empty") return fail("empty", emptyFailure(result));
  if (state.last?.why !== undefined) await ports.store.remove(exportReportKey(name));
  await ended(result.kind);
  const { version, rows, format } = result.manifest;
  await announce({ name, version, format, rows }, ports);
  return { kind: result.kind, version, rows };
}

/** Reports and announces an export that ended without a version. Gives the key of the report. */
async function announceFailure(
  {
    name,
    cause,
    failure,
  }: {
    readonly name: string;
    readonly cause: ExportQueueMessage["cause"];
    readonly failure: ExportFailure;
  },
  { store, events, clock }: Pick<ExportRunPorts, "store" | "events" | "clock">,
): Promise<string> {
  const at = new Date(clock.now()).toISOString();
  const report = await reportExport({ dataset: name, cause, at, ...failure }, store);
  const { reason, why } = failure;
  const detail: ExportFailed = { schema: "gymline.export-failed.v1", name, cause, reason, why, report };
  await events.publish([{ type: EXPORT_FAILED, detail, resources: [name] }]);
  return report;
}

/** Sends the event of a registered dataset and notes that it went out: at least once. */
export async function announce(
  dataset: Pick<DatasetEntry, "name" | "version" | "format" | "rows">,
  ports: Pick<ExportRunPorts, "events" | "catalog">,
): Promise<void> {
  const { name, version, format, rows } = dataset;
  const manifest = manifestKey({ name, version });
  const detail: DatasetPublished = {
    schema: "gymline.dataset-published.v1",
    name,
    version,
    format,
    rows,
    manifest,
  };
  await ports.events.publish([{ type: DATASET_PUBLISHED, detail, resources: [`${name}/${version}`] }]);
  await ports.catalog.announceDataset(name, version);
}

/** A message that waited for its turn goes back into the queue, unless it asks for what was just done. */
export async function sendPending(
  name: string,
  ports: { readonly ledger: Ledger; readonly queue: MessageQueue; readonly done?: ExportQueueMessage },
): Promise<boolean> {
  const { pending } = await exportState(name, ports.ledger);
  if (pending === undefined) return false;
  const text = canonicalize(pending) ?? "";
  // Sent before it is taken off: a message may come twice, but none is lost.
  if (ports.done === undefined || text !== canonicalize(ports.done)) await ports.queue.send([text]);
  await changeState(name, ports.ledger, ({ pending: now, ...state }) =>
    now === undefined || canonicalize(now) === text ? state : { ...state, pending: now },
  );
  return true;
}

/**
 * Looks whether a dataset's threshold is reached and asks for its export, once for each time that it is.
 */
export async function askForDue(
  dataset: DeployedDataset,
  ports: Pick<ExportRunPorts, "catalog" | "ledger" | "queue"> & { readonly cause: "threshold" | "sweep" },
): Promise<boolean> {
  const { threshold, request } = dataset;
  if (threshold === undefined) return false;
  const counted = await ports.catalog.scoredCount(request.project);
  const before = await exportState(request.name, ports.ledger);
  // The sweep asks again for what was asked for and did not come.
  const since = ports.cause === "sweep" ? before.consumed : Math.max(before.consumed, before.asked);
  if (counted - since < threshold) return false;
  let asks = false;
  await changeState(request.name, ports.ledger, (state) => {
    asks = ports.cause === "sweep" || state.asked <= before.asked;
    return asks ? { ...state, asked: Math.max(state.asked, counted) } : undefined;
  });
  if (!asks) return false;
  const message = { schema: "gymline.export.v1", dataset: request.name, cause: "threshold" } as const;
  await ports.queue.send([JSON.stringify(message)]);
  return true;
}

export async function exportState(name: string, ledger: Ledger): Promise<ExportState> {
  return (await readRecord(ledger, stateKey(name), exportStateSchema))?.value ?? BLANK;
}

const BLANK: ExportState = { schema: "gymline.export-state.v1", consumed: 0, asked: 0 };

/** Prefix of the ledger's records of exports; the name of the dataset follows. */
export const EXPORT_RECORDS = "export/";

function stateKey(name: string): string {
  return EXPORT_RECORDS + name;
}

async function changeState(
  name: string,
  ledger: Ledger,
  change: (state: ExportState) => ExportState | undefined,
): Promise<void> {
  await changeRecord({ ledger, key: stateKey(name), schema: exportStateSchema }, (state) =>
    change(state ?? BLANK),
  );
}

function requestOf(message: ExportQueueMessage, datasets: readonly DeployedDataset[]): DatasetRequest {
  if (message.request !== undefined) return datasetRequestSchema.parse(message.request);
  const found = datasets.find(({ request }) => request.name === message.dataset);
  if (found === undefined) {
    throw new UnknownDatasetError(
      message.dataset,
      datasets.map(({ request }) => request.name),
    );
  }
  return found.request;
}
