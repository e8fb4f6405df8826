import { Command, CommanderError } from "commander";
import { VERSION } from "../../shared/version.ts";
import { addCommands } from "./commands.ts";
import { EXIT } from "./exit-code.ts";
import { isExpected, messageOf } from "./faults.ts";
import { note } from "./terminal.ts";

// Reading of a closed pipe (`gymline list | head`) ends the program, it is no fault.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.done);
    throw error;
  });
}

/** The program: reads the command line, does what it says and sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command("gymline")
    .description("Turns the logs of LLM agents into clean, scored, traceable training sets.")
    .version(VERSION, "-V, --version")
    .showHelpAfterError("(gymline --help lists the commands)")
    .addHelpText(
      "after",
      "\nExit code 0: done; 1: wrong usage or a fault; 2: done, but something was rejected or found.",
    )
    .configureHelp({ sortSubcommands: false })
    .exitOverride();
  await addCommands(program, argv.slice(2));
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.fault;
      return;
    }
    note(`gymline: ${messageOf(error)}`);
    if (!isExpected(error) && error instanceof Error && error.stack !== undefined) note(error.stack);
    process.exitCode = EXIT.fault;
  }
}
