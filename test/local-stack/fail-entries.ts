import { z } from "zod";

const sendSchema = z.looseObject({ Entries: z.array(z.looseObject({ Id: z.string() })) });
const sentSchema = z.looseObject({ Failed: z.array(z.unknown()).optional() });
const putSchema = z.looseObject({ Entries: z.array(z.unknown()) });
const putResultSchema = z.looseObject({ FailedEntryCount: z.int(), Entries: z.array(z.unknown()) });

/** A batch without the entries that are made to fail, and the answer that says so. */
export interface ThinnedBatch {
  /** What is passed on; undefined where nothing is left. */
  readonly body: Buffer | undefined;
  readonly failed: number;
  /** Puts the failed entries into the answer to what was passed on. */
  answer(passedOn: Buffer | undefined): Buffer;
}

/**
 * Takes entries out of a request of SendMessageBatch or PutEvents.
 * @param fails decides entry by entry
 * @param senderFault says that the entry itself is to blame, so that trying again is of no use
 */
export function thinBatch(options: {
  readonly operation: string;
  readonly body: Buffer;
  readonly fails: () => boolean;
  readonly senderFault: boolean;
}): ThinnedBatch {
  const { operation, body } = options;
  if (operation === "SendMessageBatch") return thinSend(body, options);
  if (operation === "PutEvents") return thinPut(body, options);
  throw new Error(`${operation} has no entries that can fail one by one`);
}

interface Verdict {
  readonly fails: () => boolean;
  readonly senderFault: boolean;
}

function thinSend(body: Buffer, { fails, senderFault }: Verdict): ThinnedBatch {
  const request = sendSchema.parse(json(body));
  const failed: unknown[] = [];
  const kept = request.Entries.filter(({ Id }) => {
    if (!fails()) return true;
    const Code = senderFault ? "InvalidMessageContents" : "InternalError";
    failed.push({ Id, SenderFault: senderFault, Code, Message: "made to fail" });
    return false;
  });
  return {
    body: kept.length === 0 ? undefined : bytes({ ...request, Entries: kept }),
    failed: failed.length,
    answer: (passedOn) => {
      const result = sentSchema.parse(passedOn === undefined ? { Successful: [] } : json(passedOn));
      return bytes({ ...result, Failed: [...(result.Failed ?? []), ...failed] });
    },
  };
}

function thinPut(body: Buffer, { fails, senderFault }: Verdict): ThinnedBatch {
  const request = putSchema.parse(json(body));
  const failing = request.Entries.map(() => fails());
  const kept = request.Entries.filter((_, index) => failing[index] === false);
  const failed = failing.filter(Boolean).length;
  return {
    body: kept.length === 0 ? undefined : bytes({ ...request, Entries: kept }),
    failed,
    answer: (passedOn) => {
      const result = putResultSchema.parse(
        passedOn === undefined ? { FailedEntryCount: 0, Entries: [] } : json(passedOn),
      );
      const passed = [...result.Entries];
      const ErrorCode = senderFault ? "InvalidArgument" : "ThrottlingException";
      const Entries = failing.map((fail) =>
        fail ? { ErrorCode, ErrorMessage: "made to fail" } : passed.shift(),
      );
      return bytes({ FailedEntryCount: result.FailedEntryCount + failed, Entries });
    },
  };
}

function json(body: Buffer): unknown {
  return JSON.parse(body.toString("utf8"));
}

function bytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
