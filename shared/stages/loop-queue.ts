import { DATASET_PUBLISHED } from "../contracts/events.ts";
import { loopMessageSchema } from "../contracts/messages.ts";
import {
  datasetPublished,
  jobChanged,
  type LoopsPorts,
  RedriveLoopError,
  redriveLoop,
  sweepLoops,
} from "./loop.ts";

/** What came of a message to the loops. */
export type LoopMessageResult =
  | { readonly kind: "dataset"; readonly dataset: string; readonly version: string }
  | { readonly kind: "job"; readonly job: string }
  | { readonly kind: "swept"; readonly moved: readonly string[] }
  | { readonly kind: "redriven"; readonly model: string; readonly run: string }
  /** There is nothing to drive again; another try would change nothing. */
  | { readonly kind: "refused"; readonly model: string; readonly run: string; readonly reason: string };

/** Does what a message of the loops' queue asks for. @throws ZodError, SyntaxError and what the stages throw */
export async function handleLoopMessage(body: string, ports: LoopsPorts): Promise<LoopMessageResult> {
  const message = loopMessageSchema.parse(JSON.parse(body));
  if ("schema" in message) {
    if (message.kind === "sweep") return { kind: "swept", moved: await sweepLoops(ports) };
    const { model, run } = message;
    try {
      await redriveLoop({ model, run }, ports);
      return { kind: "redriven", model, run };
    } catch (error) {
      if (!(error instanceof RedriveLoopError)) throw error;
      return { kind: "refused", model, run, reason: error.message };
    }
  }
  if (message["detail-type"] === DATASET_PUBLISHED) {
    const { name, version } = message.detail;
    await datasetPublished({ name, version }, ports);
    return { kind: "dataset", dataset: name, version };
  }
  await jobChanged(message.detail, ports);
  return { kind: "job", job: message.detail.jobId };
}
