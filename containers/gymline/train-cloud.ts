import { z } from "zod";
import { jobQueueName, trainingJobDefinitionName } from "../../shared/contracts/names.ts";
import {
  type Algorithm,
  modelNameSchema,
  type TrainingPlan,
  trainingJobName,
  trainingPlan,
} from "../../shared/contracts/training-plan.ts";
import { submitTraining } from "../../shared/operations/submit-training.ts";
import type { Jobs } from "../../shared/ports/jobs.ts";
import { type DeploymentOption, inDeployment } from "./deployment.ts";
import { type OpenStore, openDeployed } from "./store-access.ts";
import { note, out } from "./terminal.ts";
import { cloudData, cloudModel, cloudTemplate } from "./train-cloud-places.ts";
import { followJob } from "./train-follow.ts";
import { scriptArguments } from "./train-options.ts";
import { askTrainer, trainerPython } from "./trainer.ts";
import { UsageError } from "./usage-error.ts";

/** What the command line may say of a run in the cloud. */
export interface CloudOptions extends DeploymentOption {
  readonly data?: string;
  readonly evalData?: string;
  readonly model?: string;
  readonly out?: string;
  readonly store?: string;
  readonly config?: string;
  readonly set?: readonly string[];
  readonly dryRun?: boolean;
  readonly python?: string;
  readonly wait?: boolean;
}

export interface CloudRun {
  readonly algorithm: Algorithm;
  readonly given: CloudOptions;
  /** Of the script, by flags of their own. */
  readonly chosen: ReadonlyMap<string, string>;
}

/**
 * Trains as a job of a deployment. Options are checked before anything is looked up, and data and model are looked up
 * before anything is submitted.
 * @throws UsageError, DeploymentError, AwsAccessError, UnknownVersionError, ManifestError, TrainingBusyError
 */
export async function trainInCloud(run: CloudRun): Promise<void> {
  const { given } = run;
  if (given.store !== undefined)
    throw new UsageError("with --cloud, data is looked up in the deployment; leave out --store");
  const options = checkedOptions(run);
  await inDeployment(given, async (deployment, clients) => {
    const opened = await openDeployed(deployment, clients);
    const plan = await planOf({ run, options, opened, storeBucket: deployment.storeBucket });
    if (given.dryRun === true) {
      out(JSON.stringify(plan, null, 2));
      note(`nothing is submitted; the job would be ${trainingJobName(plan)}`);
      return;
    }
    const { BatchJobs } = await import("../../shared/adapters/aws/batch-jobs.ts");
    const jobs = new BatchJobs({
      client: await clients.batch(),
      queue: jobQueueName(deployment.name, "gpu"),
      definition: trainingJobDefinitionName(deployment.name),
    });
    await submitAndFollow({ plan, opened, jobs, deployment: deployment.name, wait: given.wait === true });
  });
}

/** What the script would take, as its own code reads it: those that are not as by default. @throws UsageError */
function checkedOptions({ algorithm, given, chosen }: CloudRun): TrainingPlan["options"] {
  const python = trainerPython({
    python: given.python,
    extra: "train",
    // The second came with Python 3.11.
    modules: ["yaml", "tomllib"],
    otherwise: "python3",
  });
  const { config, data, evalData, model, set = [] } = given;
  const answer = askTrainer(python, "gymline_trainer.plan", [
    algorithm,
    ...(config === undefined ? [] : ["--config", config]),
    ...(data === undefined ? [] : ["--data", data]),
    ...(model === undefined ? [] : ["--model", model]),
    ...scriptArguments(chosen),
    ...(evalData === undefined ? [] : ["--set", `eval_data=${JSON.stringify(evalData)}`]),
    ...set.flatMap((setting) => ["--set", setting]),
  ]);
  const { out: _, ...options } = z.record(z.string(), z.json()).parse(JSON.parse(answer));
  if (options["resume"] !== undefined || options["checkpoints"] !== undefined) {
    throw new UsageError(
      "with --cloud, a run keeps its checkpoints in the store and goes on from them: leave out resume and checkpoints; another seed or another --out makes another run",
    );
  }
  return options;
}

interface Planning {
  readonly run: CloudRun;
  readonly options: TrainingPlan["options"];
  readonly opened: OpenStore;
  readonly storeBucket: string;
}

/** @throws UsageError, UnknownVersionError, ManifestError */
async function planOf({ run, options, opened, storeBucket }: Planning): Promise<TrainingPlan> {
  const { data, eval_data, model, tokenizer, chat_template, ...rest } = options;
  const found = await cloudData(String(data), opened);
  const template = typeof chat_template === "string" ? cloudTemplate(chat_template) : undefined;
  const resolved = {
    ...rest,
    data: found.url,
    model: await cloudModel(String(model), opened),
    ...(typeof eval_data === "string" ? { eval_data: (await cloudData(eval_data, opened)).url } : {}),
    ...(typeof tokenizer === "string" ? { tokenizer: await cloudModel(tokenizer, opened) } : {}),
    ...(template?.kind === "name" ? { chat_template: template.name } : {}),
  };
  const name = modelNameSchema.safeParse(run.given.out ?? `${found.name}-${run.algorithm}`);
  if (!name.success) {
    const [issue] = name.error.issues;
    throw new UsageError(`with --cloud, --out is the model's name in the store: ${issue?.message ?? ""}`);
  }
  return trainingPlan({
    algorithm: run.algorithm,
    options: resolved,
    template: template?.kind === "text" ? template.text : undefined,
    name: name.data,
    storeBucket,
  });
}

interface Submitting {
  readonly plan: TrainingPlan;
  readonly opened: OpenStore;
  readonly jobs: Jobs;
  readonly deployment: string;
  readonly wait: boolean;
}

async function submitAndFollow({ plan, opened, jobs, deployment, wait }: Submitting): Promise<void> {
  const { store, ledger, place } = opened;
  const submitted = await submitTraining(plan, { store, ledger, jobs, place }).catch((error: unknown) => {
    throw isUnknownJob(error) ? noTraining(deployment, error) : error;
  });
  if (submitted.kind === "done")
    note("this run is done already; another seed or another --out makes another run");
  else note(`${submitted.kind}: ${trainingJobName(plan)}, job ${submitted.job}`);
  note(`its model ${submitted.kind === "done" ? "stands" : "will stand"} in`);
  out(`${plan.output}/`);
  if (submitted.kind === "done" || !wait) return;
  const ended = await followJob(submitted.job, { jobs, say: note });
  if (ended.state === "SUCCEEDED") note("done");
  else {
    const log =
      ended.logStream === undefined
        ? ""
        : `; its log is ${ended.logStream} in /gymline/${deployment}/trainings`;
    note(`the job failed (${ended.reason ?? "no reason is given"})${log}`);
    note("once its cause is mended, the same command goes on from the newest checkpoint");
    process.exitCode = 1;
  }
}

/** Batch says so of a queue or a definition that is not there, in an error that it gives for much else too. */
function isUnknownJob(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.name === "ClientException" &&
    /job\s?(?:queue|definition)/i.test(error.message)
  );
}

function noTraining(deployment: string, cause: unknown): UsageError {
  return new UsageError(
    `the deployment "${deployment}" has no training jobs: give gymline.deploy.json the key batch.training ({} will do) and deploy its Batch stack`,
    { cause },
  );
}
