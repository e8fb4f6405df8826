import { z } from "zod";
import { ingestMessageSchema } from "./messages.ts";

/** One dropped object to be read. What S3 says of it is of the time of the event. */
export interface IngestOrder {
  /** Decoded. */
  readonly key: string;
  readonly force: boolean;
  /** Without quotes. */
  readonly eTag?: string;
  /** In bytes. */
  readonly size?: number;
  readonly versionId?: string;
  /** Orders the events of one key; compared as text, once both are padded on the left to one length. */
  readonly sequencer?: string;
}

/** The body of a message in the ingest queue is neither an S3 event nor a message of ours. */
export class IngestMessageError extends Error {
  override readonly name = "IngestMessageError";
  constructor(reason: string, options?: ErrorOptions) {
    super(
      `not a message for ingest: ${reason}; send an S3 event notification or {"schema": "gymline.ingest.v1", "key": …}`,
      options,
    );
  }
}

const s3RecordSchema = z.object({
  eventSource: z.literal("aws:s3"),
  eventName: z.string(),
  s3: z.object({
    object: z.object({
      key: z.string().min(1),
      eTag: z.string().optional(),
      size: z.int().nonnegative().optional(),
      versionId: z.string().optional(),
      sequencer: z.string().optional(),
    }),
  }),
});
type S3Record = z.infer<typeof s3RecordSchema>;

const bodySchema = z.union([
  ingestMessageSchema,
  z.object({ Records: z.array(s3RecordSchema) }),
  /** S3 sends it once when notifications are set up. */
  z.object({ Service: z.literal("Amazon S3"), Event: z.literal("s3:TestEvent") }),
]);

/** What the body of a message in the ingest queue asks for; removals and S3's test ask for nothing. */
export function ingestOrders(body: string): readonly IngestOrder[] {
  const message = parsed(body);
  if ("Records" in message) {
    // Event names are written with and without their prefix.
    return message.Records.filter(({ eventName }) => /^(?:s3:)?ObjectCreated:/.test(eventName)).map(orderOf);
  }
  return "schema" in message ? [{ key: message.key, force: message.force }] : [];
}

function parsed(body: string): z.infer<typeof bodySchema> {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    // The parser's own message quotes the text.
    throw new IngestMessageError("it is no JSON");
  }
  const result = bodySchema.safeParse(json);
  if (!result.success) throw new IngestMessageError("it has another shape");
  return result.data;
}

function orderOf({ s3 }: S3Record): IngestOrder {
  const { key, ...facts } = s3.object;
  return { key: decoded(key), force: false, ...withoutGaps(facts) };
}

/** S3 writes keys into events as HTML forms do: percent-encoded, with `+` for a space. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch (cause) {
    throw new IngestMessageError("the key is not encoded as S3 does it", { cause });
  }
}

function withoutGaps(facts: Omit<S3Record["s3"]["object"], "key">): Omit<IngestOrder, "key" | "force"> {
  const { eTag, size, versionId, sequencer } = facts;
  return {
    ...(eTag === undefined ? {} : { eTag }),
    ...(size === undefined ? {} : { size }),
    ...(versionId === undefined ? {} : { versionId }),
    ...(sequencer === undefined ? {} : { sequencer }),
  };
}
