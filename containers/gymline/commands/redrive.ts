import type { Command } from "commander";
import type { RedriveReport } from "../../../shared/operations/redrive.ts";
import {
  type DeploymentOption,
  deploymentOption,
  inDeployment,
  stageNamed,
  wholeNumber,
} from "../deployment.ts";
import { examples } from "../options.ts";
import { many, note, out, printable } from "../terminal.ts";

interface RedriveOptions extends DeploymentOption {
  readonly limit?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function addRedrive(program: Command): void {
  const command = program
    .command("redrive")
    .description("send messages that a stage gave up on back to it, once their cause is mended")
    .argument("<stage>", "ingest, score, export or sweep")
    .option("--limit <n>", "at most so many")
    .option("--dry-run", "only show what would be sent")
    .option("--json", "print JSON");
  deploymentOption(command);
  examples(command, ["gymline redrive ingest --dry-run", "gymline redrive ingest --limit 100"]).action(run);
}

async function run(stageText: string, options: RedriveOptions): Promise<void> {
  const stage = stageNamed(stageText);
  const limit = wholeNumber("--limit", options.limit);
  const dryRun = options.dryRun === true;
  const json = options.json === true;
  const report = await inDeployment(options, async ({ queues }, clients) => {
    const [{ SqsDeadLetters }, { SqsQueue }, { redrive }] = await Promise.all([
      import("../../../shared/adapters/aws/sqs-dead-letters.ts"),
      import("../../../shared/adapters/aws/sqs-queue.ts"),
      import("../../../shared/operations/redrive.ts"),
    ]);
    const { url, deadLetterUrl } = queues[stage];
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

function summary({ found, moved, sent, twice }: RedriveReport, dryRun: boolean): string {
  if (found === 0) return "the dead-letter queue is empty";
  const what = `${many(moved.length, "dead letter")} of ${found}`;
  if (dryRun) return `${what} would become ${many(sent, "message")}`;
  const again = twice.length === 0 ? "" : `; ${twice.length} could not be removed and will come twice`;
  return `${what} moved, as ${many(sent, "message")}${again}`;
}
