import type { Command } from "commander";
import { formatsOf } from "../../../shared/adapters/local/task-settings.ts";
import type { Format } from "../../../shared/trajectory/format.ts";
import { builtinFormats } from "../../../shared/trajectory/formats/builtin.ts";
import { collect, examples } from "../options.ts";
import { loadSettings, type SettingsOptions } from "../settings.ts";
import { out, table } from "../terminal.ts";

interface FormatsOptions extends SettingsOptions {
  readonly json?: boolean;
}

export function addFormats(program: Command): void {
  const command = program
    .command("formats")
    .description("list the log formats that are read, your own included")
    .option("-m, --mapping <file>", "mapping file of a custom format (may be given several times)", collect)
    .option("--plugin <module>", "module that registers formats (may be given several times)", collect)
    .option("-c, --config <file>", "configuration file (default: ./gymline.json, if there is one)")
    .option("--json", "print one JSON document instead of text");
  examples(command, ["gymline formats", "gymline formats --mapping our-logger.json --json"]).action(formats);
}

async function formats(options: FormatsOptions): Promise<void> {
  const all = await formatsOf(loadSettings(options).plan);
  if (options.json === true) {
    const list = all.map((format) => ({
      name: format.name,
      description: format.description,
      version: format.version,
      origin: originOf(format),
      generic: format.generic === true,
    }));
    out(JSON.stringify({ schema: "gymline.formats.v1", formats: list }));
    return;
  }
  const rows = all.map((format) => [format.name, originOf(format), format.description]);
  out(table([{ title: "format" }, { title: "from" }, { title: "description" }], rows));
  out("\nThe content decides which one a record is; --format <name> says so where several fit.");
  out("Files may be JSON, JSON Lines, JSON arrays or sequences, packed with gzip, Zstandard or zip.");
}

function originOf(format: Format): "built in" | "mapping" | "plugin" {
  if (builtinFormats.includes(format)) return "built in";
  return format.name.startsWith("custom:") ? "mapping" : "plugin";
}
