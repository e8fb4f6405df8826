import { awsStation, exportPorts } from "../../shared/adapters/aws/station.ts";
import { exportMessageSchema } from "../../shared/contracts/messages.ts";
import { runExport } from "../../shared/stages/export-run.ts";
import { batchHandler } from "../lambda/batch-handler.ts";
import { count } from "../lambda/telemetry.ts";

const station = await awsStation(process.env);
const ports = await exportPorts(station);

/** Writes the dataset that a message asks for: by threshold, schedule or request. */
export const handler = batchHandler({
  maxReceives: station.environment.GYMLINE_MAX_RECEIVES,
  queueUrl: station.environment.GYMLINE_EXPORT_QUEUE_URL,
  sqs: station.clients.sqs,
  sideBySide: 1,
  handle: async ({ body, log, requestId }) => {
    const message = exportMessageSchema.parse(JSON.parse(body));
    const result = await runExport(message, { ...ports, holder: `function ${requestId}` });
    const about = { dataset: message.dataset, cause: message.cause, ...result };
    if (result.kind === "failed") log.error("export: failed", about);
    else log.info(`export: ${result.kind}`, about);
    count({
      Exported: result.kind === "written" ? 1 : 0,
      ExportsFailed: result.kind === "failed" ? 1 : 0,
      ExportsEmpty: result.kind === "empty" ? 1 : 0,
    });
  },
});
