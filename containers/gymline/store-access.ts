import type { Command } from "commander";
import type { DeployedResources } from "../../shared/adapters/aws/find-deployment.ts";
import type { OperatorClients } from "../../shared/adapters/aws/operator-clients.ts";
import { type LocalStore, openForReading, openForWriting } from "../../shared/adapters/local/local-store.ts";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { scoreKey, trajectoryKey } from "../../shared/contracts/keys.ts";
import type { Catalog } from "../../shared/ports/catalog.ts";
import type { Ledger } from "../../shared/ports/ledger.ts";
import { ObjectNotFoundError, type ObjectStore } from "../../shared/ports/object-store.ts";
import { readDocument } from "../../shared/stages/compute-tasks.ts";
import { readScore, type StoredScore } from "../../shared/stages/score-trajectory.ts";
import type { Trajectory } from "../../shared/trajectory/schema.ts";
import { inDeployment } from "./deployment.ts";
import { storeOption } from "./options.ts";
import { UsageError } from "./usage-error.ts";

/** Option of commands that work on the store of a folder or of a deployment. */
export interface StoreOption {
  readonly store: string;
  readonly deployment?: string;
}

export interface OpenStore {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  /** What people call it: the folder, or the bucket. */
  readonly place: string;
  /** What a command needs to be told to work on it. */
  readonly option: string;
}

export function storeOrDeployment(command: Command): Command {
  return storeOption(command).option(
    "--deployment <name>",
    "the store of this deployment instead of a folder (needs AWS access to its buckets and table)",
  );
}

/** Works on a store that is there already. @throws NoStoreError, StoreBusyError, DeploymentError, AwsAccessError */
export async function inStore<T>(
  options: StoreOption,
  { mode, work }: { readonly mode: "read" | "write"; readonly work: (opened: OpenStore) => Promise<T> },
): Promise<T> {
  const { store: folder, deployment } = options;
  if (deployment !== undefined) {
    return inDeployment({ deployment }, async (found, clients) => work(await openDeployed(found, clients)));
  }
  const local = mode === "read" ? openForReading(folder) : await writableStore(folder);
  try {
    const { store, catalog, ledger } = local;
    return await work({ store, catalog, ledger, place: folder, option: `--store ${folder}` });
  } finally {
    await local.close();
  }
}

/** The store of a deployment. */
export async function openDeployed(
  { name, storeBucket, table }: DeployedResources,
  clients: OperatorClients,
): Promise<OpenStore> {
  const [{ S3Store }, { DynamoCatalog }, { DynamoLedger }] = await Promise.all([
    import("../../shared/adapters/aws/s3-store.ts"),
    import("../../shared/adapters/aws/dynamo-catalog.ts"),
    import("../../shared/adapters/aws/dynamo-ledger.ts"),
  ]);
  const client = await clients.dynamoDb();
  return {
    store: new S3Store({ client: await clients.s3(), bucket: storeBucket }),
    catalog: new DynamoCatalog({ client, table, clock: systemClock }),
    ledger: new DynamoLedger({ client, table }),
    place: `s3://${storeBucket}`,
    option: `--deployment ${name}`,
  };
}

/** A store to write to that is there already. @throws NoStoreError, StoreBusyError */
export async function writableStore(folder: string): Promise<LocalStore> {
  await openForReading(folder).close();
  return openForWriting(folder);
}

/** The full id that a (shortened) one means. @throws UsageError where it means none, or several */
export async function resolveId(catalog: Catalog, text: string): Promise<string> {
  const prefix = text.toLowerCase();
  if (!/^[0-9a-f]{4,64}$/.test(prefix)) {
    throw new UsageError(
      `"${text}" is no trajectory id: give at least its first 4 hex digits (gymline list shows them)`,
    );
  }
  const [only, ...others] = await catalog.idsWithPrefix(prefix, 5);
  if (only === undefined) {
    const gone = prefix.length === 64 && (await catalog.forgotten(prefix)) ? "; it was forgotten" : "";
    throw new UsageError(`the store holds no trajectory whose id starts with ${prefix}${gone}`);
  }
  if (others.length > 0) {
    throw new UsageError(
      `${prefix} means several trajectories: ${[only, ...others].map((id) => id.slice(0, prefix.length + 6)).join(", ")}`,
    );
  }
  return only;
}

export async function loadTrajectory(store: ObjectStore, id: string, revision?: string): Promise<Trajectory> {
  const current = readDocument(await store.read(trajectoryKey(id)));
  if (revision === undefined || current.extra.gymline.provenance.revision === revision) return current;
  return readDocument(await store.read(trajectoryKey(id, revision)));
}

/** The score by one scorer, if there is one. */
export async function loadScore(
  store: ObjectStore,
  id: string,
  scorer: string | null,
): Promise<StoredScore | undefined> {
  if (scorer === null) return undefined;
  try {
    return readScore(await store.read(scoreKey(id, scorer)));
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}
