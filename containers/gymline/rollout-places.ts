import { DirectoryStore } from "../../shared/adapters/local/directory-store.ts";
import { rolloutEnvironmentSchema } from "../../shared/contracts/rollout-environment.ts";
import type { ObjectStore } from "../../shared/ports/object-store.ts";
import { UsageError } from "./usage-error.ts";

/** Where a job of a rollout finds its plan and puts what it makes. */
export interface RolloutPlaces {
  readonly store: ObjectStore;
  readonly drop: ObjectStore;
  /** Keys of model providers that the deployment keeps. */
  keys(): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
}

/** Buckets of the deployment that the environment names; or folders of this machine. @throws UsageError */
export async function rolloutPlaces(
  folders: { readonly store?: string; readonly drop?: string },
  variables: Readonly<Record<string, string | undefined>>,
): Promise<RolloutPlaces> {
  const { store, drop } = folders;
  if (store !== undefined && drop !== undefined) {
    return {
      store: new DirectoryStore(store),
      drop: new DirectoryStore(drop),
      keys: async () => ({}),
      close: async () => undefined,
    };
  }
  if (store !== undefined || drop !== undefined) throw new UsageError("give --store and --drop, or neither");
  const parsed = rolloutEnvironmentSchema.safeParse(variables);
  if (!parsed.success) {
    const names = parsed.error.issues.map(({ path }) => path.join(".")).join(", ");
    throw new UsageError(
      `the environment lacks ${names}: this runs in a Batch job of a deployment, whose stack sets them; give --store and --drop to work in folders`,
    );
  }
  const environment = parsed.data;
  const [{ awsClients }, { S3Store }] = await Promise.all([
    import("../../shared/adapters/aws/aws-clients.ts"),
    import("../../shared/adapters/aws/s3-store.ts"),
  ]);
  const clients = awsClients(variables);
  const client = await clients.s3();
  return {
    store: new S3Store({ client, bucket: environment.GYMLINE_STORE_BUCKET }),
    drop: new S3Store({ client, bucket: environment.GYMLINE_DROP_BUCKET }),
    keys: async () => {
      const { modelVariables } = await import("../../shared/adapters/aws/model-variables.ts");
      return modelVariables(environment.GYMLINE_MODEL_SECRET, await clients.secretsManager());
    },
    close: () => clients.close(),
  };
}
