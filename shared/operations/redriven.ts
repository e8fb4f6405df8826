import { z } from "zod";
import type { StageName } from "../contracts/deployment-config.ts";
import {
  exportMessageSchema,
  type IngestQueueMessage,
  judgeMessageSchema,
  loopMessageSchema,
  scoreMessageSchema,
  sweepMessageSchema,
} from "../contracts/messages.ts";
import { IngestMessageError, ingestOrders } from "../contracts/s3-event.ts";

/** What goes back into a stage's queue for one dead letter. */
export interface Redriven {
  /** Bodies to send; all of them must be in the queue before the letter may go. */
  readonly bodies: readonly string[];
  /** Keys, ids or names that the message is about; empty where it is none of ours. */
  readonly subjects: readonly string[];
}

/**
 * What a dead letter of a stage becomes. Dropped objects are asked for by key, one message each, and read whether or
 * not they were read before: whoever redrives has mended something. Everything else goes back as it is, also what
 * nobody understands, so that nothing is lost.
 */
export function redriven(stage: StageName, body: string): Redriven {
  if (stage !== "ingest") return { bodies: [body], subjects: subjectsOf(stage, body) };
  const orders = ordersOf(body);
  if (orders.length === 0) return { bodies: [body], subjects: [] };
  const bodies = orders.map(({ key }) => {
    const message: IngestQueueMessage = { schema: "gymline.ingest.v1", key, force: true };
    return JSON.stringify(message);
  });
  return { bodies, subjects: orders.map(({ key }) => key) };
}

function ordersOf(body: string): ReturnType<typeof ingestOrders> {
  try {
    return ingestOrders(body);
  } catch (error) {
    if (error instanceof IngestMessageError) return [];
    throw error;
  }
}

const SUBJECTS = {
  score: scoreMessageSchema.transform(({ id }) => id),
  judge: judgeMessageSchema.transform((message) => (message.kind === "submit" ? message.id : message.kind)),
  export: exportMessageSchema.transform(({ request, dataset }) => request?.name ?? dataset),
  sweep: sweepMessageSchema.transform(() => "sweep"),
  loop: loopMessageSchema.transform((message) =>
    "schema" in message
      ? message.kind === "sweep"
        ? "sweep"
        : `${message.model}/${message.run}`
      : "jobId" in message.detail
        ? message.detail.jobId
        : `${message.detail.name}/${message.detail.version}`,
  ),
} satisfies Readonly<Record<Exclude<StageName, "ingest">, z.ZodType<string>>>;

function subjectsOf(stage: Exclude<StageName, "ingest">, body: string): readonly string[] {
  const result = jsonSchema.pipe(SUBJECTS[stage]).safeParse(body);
  return result.success ? [result.data] : [];
}

const jsonSchema = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "no JSON" });
    return z.NEVER;
  }
});
