import { Command, CommanderError } from "commander";
import { VERSION } from "../../shared/version.ts";
import { addAnnotate } from "./commands/annotate.ts";
import { addCalibrate } from "./commands/calibrate.ts";
import { addCollect } from "./commands/collect.ts";
import { addCompare } from "./commands/compare.ts";
import { addConvert } from "./commands/convert.ts";
import { addCost } from "./commands/cost.ts";
import { addCritic } from "./commands/critic.ts";
import { addDatasets } from "./commands/datasets.ts";
import { addDeployCheck } from "./commands/deploy-check.ts";
import { addDiff } from "./commands/diff.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addDomains } from "./commands/domains.ts";
import { addDrop } from "./commands/drop.ts";
import { addDuplicates } from "./commands/duplicates.ts";
import { addEvaluate } from "./commands/evaluate.ts";
import { addExport } from "./commands/export.ts";
import { addFeedback } from "./commands/feedback.ts";
import { addForget } from "./commands/forget.ts";
import { addFormats } from "./commands/formats.ts";
import { addJob } from "./commands/job.ts";
import { addJudge } from "./commands/judge.ts";
import { addLeaderboard } from "./commands/leaderboard.ts";
import { addList } from "./commands/list.ts";
import { addMcp } from "./commands/mcp.ts";
import { addModels } from "./commands/models.ts";
import { addOnline } from "./commands/online.ts";
import { addPreferences } from "./commands/preferences.ts";
import { addPublish } from "./commands/publish.ts";
import { addQuality } from "./commands/quality.ts";
import { addRedact } from "./commands/redact.ts";
import { addRedrive } from "./commands/redrive.ts";
import { addReferences } from "./commands/references.ts";
import { addReprocess } from "./commands/reprocess.ts";
import { addRequestExport } from "./commands/request-export.ts";
import { addRollout } from "./commands/rollout.ts";
import { addRubrics } from "./commands/rubrics.ts";
import { addRun } from "./commands/run.ts";
import { addSandbox } from "./commands/sandbox.ts";
import { addSchema } from "./commands/schema.ts";
import { addScore } from "./commands/score.ts";
import { addShow } from "./commands/show.ts";
import { addStatus } from "./commands/status.ts";
import { addTrace } from "./commands/trace.ts";
import { addEvalModel, addTrain } from "./commands/train.ts";
import { addValidate } from "./commands/validate.ts";
import { addVotes } from "./commands/votes.ts";
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
  addCollect(program);
  addRollout(program);
  addRun(program);
  addDrop(program);
  addExport(program);
  addDatasets(program);
  addQuality(program);
  addPublish(program);
  addDuplicates(program);
  addList(program);
  addShow(program);
  addDiff(program);
  addTrace(program);
  addAnnotate(program);
  addVotes(program);
  addFeedback(program);
  addForget(program);
  addReprocess(program);
  addJudge(program);
  addValidate(program);
  addConvert(program);
  addScore(program);
  addEvaluate(program);
  addCompare(program);
  addLeaderboard(program);
  addPreferences(program);
  addCalibrate(program);
  addCritic(program);
  addTrain(program);
  addEvalModel(program);
  addModels(program);
  addOnline(program);
  addRedact(program);
  addFormats(program);
  addDomains(program);
  addSandbox(program);
  addReferences(program);
  addRubrics(program);
  addSchema(program);
  addDoctor(program);
  addStatus(program);
  addRedrive(program);
  addRequestExport(program);
  addDeployCheck(program);
  addCost(program);
  addMcp(program);
  addJob(program);
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
