import type { Command } from "commander";
import { datasetRequestSchema } from "../../../shared/contracts/dataset-request.ts";
import type { ExportQueueMessage } from "../../../shared/contracts/messages.ts";
import { type DeploymentOption, deploymentOption, inDeployment } from "../deployment.ts";
import { examples } from "../options.ts";
import { loadSettings } from "../settings.ts";
import { out, printable } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

const NAMES = "letters, digits, `.`, `_` and `-` only, at most 64";

interface RequestOptions extends DeploymentOption {
  readonly config?: string;
  readonly json?: boolean;
}

export function addRequestExport(program: Command): void {
  const command = program
    .command("request-export")
    .description("ask a deployment to write a dataset version now")
    .argument("<dataset>", "name of a dataset of the deployment; with --config, of any")
    .option(
      "-c, --config <file>",
      "make it as this file's `dataset` says, whatever the deployment's settings",
    )
    .option("--json", "print JSON");
  deploymentOption(command);
  examples(command, [
    "gymline request-export sft",
    "gymline request-export best --config gymline.json --deployment team",
  ]).action(run);
}

async function run(dataset: string, options: RequestOptions): Promise<void> {
  const message = messageFor(dataset, options.config);
  await inDeployment(options, async ({ queues }, clients) => {
    const { SqsQueue } = await import("../../../shared/adapters/aws/sqs-queue.ts");
    await new SqsQueue({ client: await clients.sqs(), url: queues.export.url }).send([
      JSON.stringify(message),
    ]);
  });
  if (options.json === true) out(JSON.stringify(message));
  else out(`asked for the dataset ${printable(dataset)}; gymline status shows its versions`);
}

/** @throws UsageError */
function messageFor(dataset: string, config: string | undefined): ExportQueueMessage {
  const name = datasetRequestSchema.shape.name.safeParse(dataset);
  if (!name.success) throw new UsageError(`${dataset} is no name of a dataset: ${NAMES}`);
  const asked = { schema: "gymline.export.v1", dataset, cause: "request" } as const;
  if (config === undefined) return asked;
  const request = loadSettings({ config }).config.dataset;
  const names = [
    (request.against ?? []).length > 0 ? "against" : "",
    request.tokenizer === undefined ? "" : "tokenizer",
  ];
  const [file] = names.filter((each) => each !== "");
  if (file !== undefined) {
    throw new UsageError(
      `${config} has dataset.${file}, a file of this machine, which a request cannot carry; make it a dataset of gymline.deploy.json, whose files go along with the deployment`,
    );
  }
  return { ...asked, request: { ...request, name: dataset } };
}
