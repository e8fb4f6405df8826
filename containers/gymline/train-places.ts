import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { datasetPrefix } from "../../shared/contracts/keys.ts";
import { findVersion } from "../../shared/versions/find-version.ts";
import { listedVersion } from "../../shared/versions/list-versions.ts";
import { forgottenLines } from "./datasets-report.ts";
import { inStore, type OpenStore } from "./store-access.ts";
import { note } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** Where names of datasets are looked up; what is not given is undefined. */
export interface DataOptions {
  readonly store?: string;
  readonly deployment?: string;
}

/** The store that names are looked up in where none is given. */
const STORE = "out";

/**
 * Where the rows are, as a script takes it: a path or `s3://` as it is; else the folder of the version that `text` names
 * in the store.
 * @throws UsageError, UnknownVersionError, NoStoreError, ManifestError
 */
export async function dataPlace(text: string, options: DataOptions): Promise<string> {
  const { store = STORE, deployment } = options;
  const named = options.store !== undefined || deployment !== undefined;
  if (text.startsWith("s3://") || (!named && existsSync(text))) return text;
  if (!named && (isPath(text) || !existsSync(STORE))) {
    throw new UsageError(
      `there is no file or folder ${text}: give a dataset version's folder, or the name of a dataset with --store <dir>`,
    );
  }
  const where = deployment === undefined ? { store } : { store, deployment };
  return inStore(where, {
    mode: "read",
    work: async (opened) => {
      const { prefix } = await storedVersion(text, opened);
      return deployment === undefined ? join(store, prefix) : `${opened.place}/${prefix}`;
    },
  });
}

/**
 * The version of a store that `text` names, and its folder there.
 * @throws UsageError, UnknownVersionError, ManifestError
 */
export async function storedVersion(
  text: string,
  opened: Pick<OpenStore, "store" | "catalog" | "place">,
): Promise<{ readonly name: string; readonly prefix: string }> {
  const version = await listedVersion(await findVersion(text, opened.catalog), opened);
  const { entry, state } = version;
  const name = `${entry.name}/${entry.version}`;
  if (state === "damaged") throw version.fault;
  if (state !== "whole") {
    throw new UsageError(`${name} is ${state}: export it anew with gymline export, or name another version`);
  }
  for (const line of forgottenLines(version, opened)) note(line);
  note(`data: ${name}`);
  return { name: entry.name, prefix: datasetPrefix(entry.name, entry.version).replace(/\/$/, "") };
}

/**
 * The model's folder, or `s3://` or a name on the hub, which are not looked up here.
 * @throws UsageError where it can be neither
 */
export function modelPlace(text: string): string {
  if (text.startsWith("s3://")) return text;
  const stats = statSync(text, { throwIfNoEntry: false });
  if (stats === undefined) {
    if (!isPath(text)) return text;
    throw new UsageError(
      `there is no folder ${text}: give a model's folder, or its name on the Hugging Face Hub`,
    );
  }
  const isModel = ["config.json", "adapter_config.json"].some((file) => existsSync(join(text, file)));
  if (stats.isDirectory() && isModel) return text;
  const trained = join(text, "trained");
  const remedy = existsSync(trained) ? `give ${trained}` : "give a model's folder";
  throw new UsageError(`${text} is no model (it has no config.json): ${remedy}`);
}

/** Whether it can only be a path. Names of the hub and of datasets have one slash at the most, and begin with neither dot nor tilde. */
export function isPath(text: string): boolean {
  return /^[./~\\]|\\|\.(?:jsonl|parquet)$/.test(text) || text.split("/").length > 2;
}
