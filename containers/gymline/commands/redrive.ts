import type { Command } from "commander";
import type { StageName } from "../../../shared/contracts/deployment-config.ts";
import type { LoopRedriveMessage } from "../../../shared/contracts/messages.ts";
import type { RedriveReport } from "../../../shared/operations/redrive.ts";
import {
  type DeploymentOption,
  deploymentOption,
  inDeployment,
  queuesOf,
  stageNamed,
  wholeNumber,
} from "../deployment.ts";
import { examples } from "../options.ts";
import { many, note, out, printable } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface RedriveOptions extends DeploymentOption {
  readonly limit?: string;
  readonly run?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function addRedrive(program: Command): void {
  const command = program
    .command("redrive")
    .description("send messages that a stage gave up on back to it, once their cause is mended")
    .argument("<stage>", "ingest, score, judge, export, sweep or loop")
    .option(
      "--run <model>/<run>",
      "of loop: lets a run that failed or is invalid go on, instead of dead letters",
    )
    .option("--limit <n>", "at most so many")
    .option("--dry-run", "only show what would be sent")
    .option("--json", "print JSON");
  deploymentOption(command);
  examples(command, [
    "gymline redrive ingest --dry-run",
    "gymline redrive ingest --limit 100",
    "gymline redrive loop --run agent/3fa2c0ffee12",
  ]).action(run);
}

async function run(stageText: string, options: RedriveOptions): Promise<void> {
  const stage = stageNamed(stageText);
  if (options.run !== undefined) return redriveRun(stage, options.run, options);
  const limit = wholeNumber("--limit", options.limit);
  const dryRun = options.dryRun === true;
  const json = options.json === true;
  const report = await inDeployment(options, async (deployment, clients) => {
    const [{ SqsDeadLetters }, { SqsQueue }, { redrive }] = await Promise.all([
      import("../../../shared/adapters/aws/sqs-dead-letters.ts"),
      import("../../../shared/adapters/aws/sqs-queue.ts"),
      import("../../../shared/operations/redrive.ts"),
    ]);
    const { url, deadLetterUrl } = queuesOf(deployment, stage);
    const client = await clients.sqs();
    const order = { stage, dryRun, ...(limit === undefined ? {} : { limit }) };
    return redrive(order, {
      letters: new SqsDeadLetters({ client, url: deadLetterUrl }),
      queue: new SqsQueue({ client, url }),
      onMoved: ({ id, subjects }) => {
        if (json) return;
        for (const subject of subjects.length === 0 ? [`message ${id}`] : subjects) out(printable(subject));
      },
    });
  });
  if (json) out(JSON.stringify({ schema: "gymline.redrive.v1", stage, dryRun, ...report }));
  else note(summary(report, dryRun));
}

/** The loop's function lets it go on; what comes of that stands in its log. */
async function redriveRun(stage: StageName, text: string, options: RedriveOptions): Promise<void> {
  const [model = "", run = "", ...rest] = text.split("/");
  if (stage !== "loop" || model === "" || run === "" || rest.length > 0) {
    throw new UsageError("--run is of the stage loop: gymline redrive loop --run <model>/<run>");
  }
  if (options.dryRun !== true) {
    await inDeployment(options, async (deployment, clients) => {
      const { SqsQueue } = await import("../../../shared/adapters/aws/sqs-queue.ts");
      const queue = new SqsQueue({ client: await clients.sqs(), url: queuesOf(deployment, stage).url });
      const message: LoopRedriveMessage = { schema: "gymline.loop-message.v1", kind: "redrive", model, run };
      await queue.send([JSON.stringify(message)]);
    });
  }
  const word = options.dryRun === true ? "would be" : "is";
  if (options.json === true) out(JSON.stringify({ schema: "gymline.redrive-run.v1", model, run }));
  else note(`the loop of ${model} ${word} asked to go on with its run ${run}`);
}

function summary({ found, moved, sent, twice }: RedriveReport, dryRun: boolean): string {
  if (found === 0) return "the dead-letter queue is empty";
  const what = `${many(moved.length, "dead letter")} of ${found}`;
  if (dryRun) return `${what} would become ${many(sent, "message")}`;
  const again = twice.length === 0 ? "" : `; ${twice.length} could not be removed and will come twice`;
  return `${what} moved, as ${many(sent, "message")}${again}`;
}
