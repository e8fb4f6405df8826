import type { Command } from "commander";

/** Options that several commands share. */
export function readingOptions(command: Command): Command {
  return command
    .option("-f, --format <name>", "read everything as this format instead of detecting it")
    .option("-m, --mapping <file>", "mapping file of a custom format (may be given several times)", collect)
    .option("--plugin <module>", "module that registers formats (may be given several times)", collect)
    .option("-c, --config <file>", "configuration file (default: ./gymline.json, if there is one)");
}

export function criticOption(command: Command): Command {
  return command.option("--critic <dir>", "folder of a trained critic, which then has its say in the scores");
}

export function storeOption(command: Command): Command {
  return command.option("-s, --store <dir>", "folder of the store", "out");
}

export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

export function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText("after", `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}\n`);
}
