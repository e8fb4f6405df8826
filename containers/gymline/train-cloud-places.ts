import { readFileSync, statSync } from "node:fs";
import { trainableModel } from "../../shared/operations/trainable-model.ts";
import type { ObjectStore } from "../../shared/ports/object-store.ts";
import type { OpenStore } from "./store-access.ts";
import { isPath, storedVersion } from "./train-places.ts";
import { UsageError } from "./usage-error.ts";

/** A dataset version that a job can read. */
export interface CloudData {
  /** Of the dataset. */
  readonly name: string;
  readonly url: string;
}

/**
 * The version that `text` names in the deployment, or `s3://` of one there.
 * @throws UsageError, UnknownVersionError, ManifestError
 */
export async function cloudData(text: string, opened: OpenStore): Promise<CloudData> {
  const { place } = opened;
  if (!text.startsWith("s3://")) {
    const { name, prefix } = await storedVersion(text, opened);
    return { name, url: `${place}/${prefix}` };
  }
  const url = text.replace(/\/+$/, "");
  const [, name] = /^datasets\/([^/]+)\/[^/]+/.exec(url.slice(place.length + 1)) ?? [];
  if (url.startsWith(`${place}/`) && name !== undefined) return { name, url };
  throw new UsageError(
    `a training job reads datasets of its own deployment alone (${place}/datasets/…), not ${text}: name one of them`,
  );
}

/**
 * What a job can begin with: a name on the hub, which is not looked up here, or a model of the store.
 * @throws UsageError
 */
export async function cloudModel(
  text: string,
  { store, place }: { readonly store: Pick<ObjectStore, "exists">; readonly place: string },
): Promise<string> {
  const key = text.startsWith(`${place}/`) ? text.slice(place.length + 1) : text;
  if (key.startsWith("models/")) return `${place}/${await modelKey(key.replace(/\/+$/, ""), store)}`;
  const isHere = statSync(text, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!text.startsWith("s3://") && !isPath(text) && !isHere) return text;
  throw new UsageError(
    `a training job reads models of the hub and of its own deployment alone, not ${text}: copy it to ${place}/models/<name>/<version>/ and give models/<name>/<version>`,
  );
}

/** @throws UsageError */
async function modelKey(key: string, store: Pick<ObjectStore, "exists">): Promise<string> {
  const found = await trainableModel(key, store);
  if (found.kind === "found") return found.key;
  throw new UsageError(found.reason);
}

/** A chat template by its name in TRL, or the text of its file. @throws UsageError */
export function cloudTemplate(
  option: string,
): { readonly kind: "name"; readonly name: string } | { readonly kind: "text"; readonly text: string } {
  if (option.startsWith("trl:")) return { kind: "name", name: option };
  try {
    return { kind: "text", text: readFileSync(option, "utf8") };
  } catch (cause) {
    throw new UsageError(`the chat template ${option} cannot be read: give a file, or trl:<name>`, { cause });
  }
}
