import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { deployedReaders } from "../../contracts/deployed-files.ts";
import { type DeployedSettings, deployedSettingsSchema, planOf } from "../../contracts/deployed-settings.ts";
import { type ToldEnvironment, toldEnvironmentSchema } from "../../contracts/function-environment.ts";
import type { ScoreQueueMessage } from "../../contracts/messages.ts";
import type { PipelinePlan } from "../../contracts/pipeline-plan.ts";
import type { Catalog } from "../../ports/catalog.ts";
import type { Compute } from "../../ports/compute.ts";
import type { MessageQueue } from "../../ports/queue.ts";
import type { TaskSettings } from "../../stages/compute-tasks.ts";
import type { ExportRunPorts } from "../../stages/export-run.ts";
import type { StoredTrajectory } from "../../stages/ingest.ts";
import type { IngestObjectPorts } from "../../stages/ingest-object.ts";
import { askForExports, type ScoreStoredPorts, scoreAndAsk } from "../../stages/score-stored.ts";
import type { SweepPorts } from "../../stages/sweep.ts";
import { isPartOfOne } from "../../trajectory/registry.ts";
import { InlineCompute } from "../local/compute-inline.ts";
import { systemClock as clock } from "../local/system-clock.ts";
import { taskSettings } from "../local/task-settings.ts";
import { renderPlot } from "../vega/render-plot.ts";
import { type AwsClients, awsClients } from "./aws-clients.ts";
import { BatchJobs } from "./batch-jobs.ts";
import { BufferedQueue } from "./buffered-queue.ts";
import { Crowd } from "./crowd.ts";
import { DynamoCatalog } from "./dynamo-catalog.ts";
import { DynamoLedger } from "./dynamo-ledger.ts";
import { DynamoTable } from "./dynamo-table.ts";
import { EventBridgeEvents } from "./event-bridge-events.ts";
import { S3Drop } from "./s3-drop.ts";
import { S3Store } from "./s3-store.ts";
import { SqsQueue } from "./sqs-queue.ts";

/** The environment of a function or job lacks something that the stack sets. */
export class StationError extends Error {
  override readonly name = "StationError";
}

/** A deployment as functions and jobs see it, made once per process. */
export interface AwsStation {
  readonly environment: ToldEnvironment;
  readonly settings: DeployedSettings;
  readonly plan: PipelinePlan;
  readonly tasks: TaskSettings;
  readonly clients: AwsClients;
  /** Messages that are handled side by side; what they do with the catalog is done together. */
  readonly crowd: Crowd;
}

/**
 * Reads the environment that the stack sets, and the settings that it names.
 * @throws StationError, ZodError, MappingError, DomainProfileError
 */
export async function awsStation(
  variables: Readonly<Record<string, string | undefined>>,
  clients: AwsClients = awsClients(variables),
): Promise<AwsStation> {
  const parsed = toldEnvironmentSchema.safeParse(variables);
  if (!parsed.success) {
    const names = parsed.error.issues.map(({ path }) => path.join(".")).join(", ");
    throw new StationError(
      `the environment lacks ${names}: this program runs in a deployment, whose stack sets them`,
    );
  }
  const environment = parsed.data;
  const place = environment.GYMLINE_SETTINGS;
  const url = /^s3:\/\/([^/]+)\/(.+)$/.exec(place);
  const bytes =
    url === null
      ? await readFile(resolve(variables["LAMBDA_TASK_ROOT"] ?? ".", place))
      : await new S3Store({ client: await clients.s3(), bucket: url[1] ?? "" }).read(url[2] ?? "");
  const settings = deployedSettingsSchema.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  const plan = planOf(settings);
  return { environment, settings, plan, tasks: await taskSettings(plan), clients, crowd: new Crowd() };
}

/** What a job brings: threads that compute. It takes objects and datasets of any size, and scores as it goes. */
export interface JobCompute {
  readonly compute: Compute;
}

export interface IngestStation extends IngestObjectPorts {
  readonly deadLetters: MessageQueue;
}

export async function ingestPorts(station: AwsStation, job?: JobCompute): Promise<IngestStation> {
  const { environment, tasks } = station;
  const { formats, limits, revision } = tasks.ingest;
  const common = await commonPorts(station);
  const scored = await scoredAlong(station, common);
  const scoreLater = scored === undefined ? true : "on-fault";
  const compute = job?.compute ?? new InlineCompute({ ...tasks, scoreLater });
  return {
    ...common,
    ...(scored === undefined ? {} : { scored }),
    drop: await dropOf(station),
    deadLetters: await queueOf(station, environment.GYMLINE_INGEST_DLQ_URL),
    compute,
    limits,
    framer: { isPart: (value) => isPartOfOne(value, formats) },
    revision,
    follow:
      job === undefined
        ? askForScore(common.catalog, await queueOf(station, environment.GYMLINE_SCORE_QUEUE_URL))
        : await scoreNow(station, compute),
    ...(job === undefined ? { maxBytes: environment.GYMLINE_FUNCTION_OBJECT_BYTES } : {}),
  };
}

export async function scorePorts(station: AwsStation, compute?: Compute): Promise<ScoreStoredPorts> {
  const { environment, settings, plan, tasks } = station;
  const judge = plan.judge && {
    gate: plan.judge.gate,
    queue: new BufferedQueue(await queueOf(station, environment.GYMLINE_JUDGE_QUEUE_URL)),
  };
  return {
    ...(await storePorts(station)),
    compute: compute ?? new InlineCompute(tasks),
    datasets: settings.datasets,
    exportQueue: await queueOf(station, environment.GYMLINE_EXPORT_QUEUE_URL),
    ...(judge === undefined ? {} : { judge }),
  };
}

/** Without `holder`, which names the run. */
export async function exportPorts(
  station: AwsStation,
  job?: JobCompute,
): Promise<Omit<ExportRunPorts, "holder">> {
  const { environment, settings, tasks } = station;
  return {
    ...(await commonPorts(station)),
    compute: job?.compute ?? new InlineCompute(tasks),
    datasets: settings.datasets,
    ...deployedReaders(settings.files),
    commit: environment.GYMLINE_COMMIT,
    events: await eventsOf(station),
    queue: await queueOf(station, environment.GYMLINE_EXPORT_QUEUE_URL),
    plots: renderPlot,
    ...(job === undefined
      ? {
          maxRows: environment.GYMLINE_FUNCTION_EXPORT_ROWS,
          maxBytes: environment.GYMLINE_FUNCTION_EXPORT_BYTES,
        }
      : {}),
  };
}

export async function sweepPorts(station: AwsStation): Promise<SweepPorts> {
  const { environment, settings, plan } = station;
  return {
    ...(await commonPorts(station)),
    drop: await dropOf(station),
    events: await eventsOf(station),
    datasets: settings.datasets,
    ...(plan.judge === undefined
      ? {}
      : { judgeQueue: await queueOf(station, environment.GYMLINE_JUDGE_QUEUE_URL) }),
    ingestQueue: await queueOf(station, environment.GYMLINE_INGEST_QUEUE_URL),
    scoreQueue: await queueOf(station, environment.GYMLINE_SCORE_QUEUE_URL),
    exportQueue: await queueOf(station, environment.GYMLINE_EXPORT_QUEUE_URL),
  };
}

/** What every stage that keeps or finds something works on. */
export async function storePorts({ environment, clients, crowd }: AwsStation) {
  const client = await clients.dynamoDb();
  const items = new DynamoTable({ client, table: environment.GYMLINE_TABLE, crowd });
  return {
    store: new S3Store({ client: await clients.s3(), bucket: environment.GYMLINE_STORE_BUCKET }),
    catalog: new DynamoCatalog({ items, clock }),
    ledger: new DynamoLedger({ items }),
  };
}

async function commonPorts(station: AwsStation) {
  const { environment, clients } = station;
  const jobs = new BatchJobs({
    client: await clients.batch(),
    queue: environment.GYMLINE_JOB_QUEUE,
    definition: environment.GYMLINE_JOB_DEFINITION,
  });
  return { ...(await storePorts(station)), jobs, clock };
}

async function dropOf({ environment, clients }: AwsStation): Promise<S3Drop> {
  return new S3Drop({ client: await clients.s3(), bucket: environment.GYMLINE_DROP_BUCKET });
}

async function eventsOf({ environment, clients }: AwsStation): Promise<EventBridgeEvents> {
  return new EventBridgeEvents({ client: await clients.eventBridge(), bus: environment.GYMLINE_EVENT_BUS });
}

export async function queueOf({ clients }: AwsStation, url: string): Promise<MessageQueue> {
  return new SqsQueue({ client: await clients.sqs(), url });
}

type Follow = (stored: StoredTrajectory) => Promise<unknown>;

/** A duplicate is scored only where its score is missing: the one that stored it may have been killed before. */
function askForScore(catalog: Catalog, queue: MessageQueue): Follow {
  const buffered = new BufferedQueue(queue);
  return async ({ id, outcome }) => {
    if (outcome === "duplicate") {
      const entry = await catalog.entry(id);
      if (entry === undefined || entry.scorer !== null) return;
    }
    const message: ScoreQueueMessage = { schema: "gymline.score.v1", id };
    await buffered.send([JSON.stringify(message)]);
  };
}

/** A critic needs more than the code of ingest; what a judge is asked must not be forgotten when a process is killed. */
async function scoredAlong(
  station: AwsStation,
  { catalog, ledger }: Pick<ScoreStoredPorts, "catalog" | "ledger">,
): Promise<IngestObjectPorts["scored"]> {
  const { environment, settings, plan } = station;
  if (!environment.GYMLINE_SCORE_ALONG || plan.judge !== undefined || plan.critic !== undefined) {
    return undefined;
  }
  const exportQueue = await queueOf(station, environment.GYMLINE_EXPORT_QUEUE_URL);
  return (id) => askForExports(id, { catalog, ledger, datasets: settings.datasets, exportQueue });
}

async function scoreNow(station: AwsStation, compute: Compute): Promise<Follow> {
  const ports = await scorePorts(station, compute);
  return (stored) => scoreAndAsk(stored, ports);
}
