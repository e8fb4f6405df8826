import { availableParallelism } from "node:os";
import type { Command } from "commander";
import type { AwsStation } from "../../../shared/adapters/aws/station.ts";
import { ComputePool } from "../../../shared/adapters/local/compute-pool.ts";
import { exportMessageSchema } from "../../../shared/contracts/messages.ts";
import type { Compute } from "../../../shared/ports/compute.ts";
import { runExport } from "../../../shared/stages/export-run.ts";
import { deadLetter } from "../../../shared/stages/ingest-failure.ts";
import { ingestObject } from "../../../shared/stages/ingest-object.ts";
import { out } from "../terminal.ts";
import { addJobRollout } from "./job-rollout.ts";

/** `gymline job …`: what Batch jobs run. The deployment is in the environment, as for functions. */
export function addJob(program: Command): void {
  const job = program
    .command("job", { hidden: true })
    .description("does the work of a pipeline stage in a Batch job of a deployment");
  job
    .command("ingest")
    .description("takes in one dropped object, of any size")
    .requiredOption("--key <key>", "its key in the drop bucket")
    .option("--force", "reads it even if it was read before", false)
    .action((options: { readonly key: string; readonly force: boolean }) =>
      inStation(async ({ station, ingestPorts }, compute) => {
        const ports = await ingestPorts(station, { compute });
        const result = await ingestObject(options, ports);
        if (result.kind !== "read") return { key: options.key, ...result };
        const { records, counts, rejected } = result.report;
        await deadLetter(result.report, { queue: ports.deadLetters });
        return { kind: result.kind, key: options.key, records, ...counts, rejected };
      }),
    );
  job
    .command("export")
    .description("writes a dataset of any size")
    .requiredOption("--message <json>", "a message of the export queue")
    .action((options: { readonly message: string }) =>
      inStation(async ({ station, exportPorts }, compute) => {
        const message = exportMessageSchema.parse(JSON.parse(options.message));
        const ports = await exportPorts(station, { compute });
        const holder = `job ${process.env["AWS_BATCH_JOB_ID"] ?? process.pid}`;
        return { ...(await runExport(message, { ...ports, holder })) };
      }),
    );
  addJobRollout(job);
}

type Station = typeof import("../../../shared/adapters/aws/station.ts") & { readonly station: AwsStation };

/** Does the work with all processors and writes one line of JSON about it. Other commands need not load AWS clients. */
async function inStation(
  work: (station: Station, compute: Compute) => Promise<Readonly<Record<string, unknown>>>,
): Promise<void> {
  const module = await import("../../../shared/adapters/aws/station.ts");
  const station = await module.awsStation(process.env);
  const compute = new ComputePool({ plan: station.plan, threads: availableParallelism() });
  try {
    out(JSON.stringify(await work({ ...module, station }, compute)));
  } finally {
    await compute.close();
    await station.clients.close();
  }
}
