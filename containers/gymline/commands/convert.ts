import type { Command } from "commander";
import { readPaths } from "../../../shared/adapters/local/read-paths.ts";
import { examples, readingOptions } from "../options.ts";
import { openOutput } from "../output.ts";
import { Rejections, readingSettings } from "../reading.ts";
import type { SettingsOptions } from "../settings.ts";
import { many, note } from "../terminal.ts";

interface ConvertOptions extends SettingsOptions {
  readonly out?: string;
}

export function addConvert(program: Command): void {
  const command = program
    .command("convert")
    .description("convert logs to canonical trajectories, redacted, one JSON object a line; stores nothing")
    .argument("<paths...>", "files and folders of agent logs")
    .option("-o, --out <file>", "write to this file instead of standard output");
  readingOptions(command);
  examples(command, [
    "gymline convert run.traj | jq .extra.gymline.outcome",
    "gymline convert logs --out trajectories.jsonl",
    "gymline convert odd.json --mapping our-logger.json",
  ]).action(convert);
}

async function convert(paths: readonly string[], options: ConvertOptions): Promise<void> {
  const { ingest: settings } = await readingSettings(paths, options);
  const output = await openOutput(options.out);
  const rejections = new Rejections();
  const count = { files: 0, trajectories: 0, redactions: 0, attachments: 0 };
  try {
    for await (const item of readPaths({ paths, settings })) {
      if (item.kind === "file") count.files += 1;
      else if (item.kind === "rejected") rejections.add(item.rejection);
      else {
        const { trajectory, attachments } = item.read;
        count.trajectories += 1;
        count.redactions += trajectory.extra.gymline.redaction.total;
        count.attachments += attachments.size;
        await output.write(`${JSON.stringify(trajectory)}\n`);
      }
    }
    await output.finish();
  } catch (error) {
    await output.abort();
    throw error;
  }
  rejections.report();
  const rejected = rejections.count === 0 ? "" : `, ${rejections.count} rejected`;
  note(
    `${many(count.trajectories, "trajectory", "trajectories")} out of ${many(count.files, "file")}, ${many(count.redactions, "redaction")}${rejected}`,
  );
  if (count.attachments > 0) {
    note(`${many(count.attachments, "attachment")} left out: gymline run keeps them beside the trajectories`);
  }
}
