import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { modelFilesKey, modelFilesSchema } from "../../shared/contracts/model-files.ts";
import type { ObjectStore } from "../../shared/ports/object-store.ts";
import { readStored } from "../../shared/stages/stored-json.ts";

/** The model of a plan cannot be brought to the job; names key and remedy. */
export class RolloutModelError extends Error {
  override readonly name = "RolloutModelError";
}

export interface FetchedModel {
  readonly files: number;
  readonly bytes: number;
}

interface Wanted {
  /** Below the model's prefix, such as `onnx/config.json`. */
  readonly path: string;
  /** null where the store has no manifest that says it. */
  readonly sha256: string | null;
}

/** A path that stays below its folder, whatever a manifest says. */
const SAFE = /^onnx(?:\/[A-Za-z0-9_][\w.-]*)+$/;
const GRAPH = { fp32: /\/model\.onnx(?:_data)?$/, q4: /\/model_q4\.onnx(?:_data)?$/ } as const;

/**
 * Brings `onnx/` of a model of the store into a folder of this machine: what its manifest lists, with the sums that it
 * gives, or, without one, what lies there. Of the two graphs only the one that is to run.
 * @throws RolloutModelError, DamagedObjectError
 */
export async function fetchModel(
  store: Pick<ObjectStore, "list" | "read" | "stream">,
  of: {
    /** Prefix of the model, such as `models/<name>/<version>`. */
    readonly model: string;
    readonly precision: "fp32" | "q4" | undefined;
    readonly folder: string;
  },
): Promise<FetchedModel> {
  const { model, folder } = of;
  const found = await filesOf(store, model);
  const hasFull = found.some(({ path }) => GRAPH.fp32.test(path));
  const other = (of.precision ?? (hasFull ? "fp32" : "q4")) === "fp32" ? GRAPH.q4 : GRAPH.fp32;
  const wanted = found.filter(({ path }) => !other.test(path));
  if (wanted.length === 0) {
    throw new RolloutModelError(
      `the store holds nothing below ${model}/onnx/: train with export=onnx, or copy the folder of an exported model there`,
    );
  }
  await rm(folder, { recursive: true, force: true });
  let bytes = 0;
  for (const file of wanted) bytes += await fetched(file, { store, model, folder });
  return { files: wanted.length, bytes };
}

async function filesOf(store: Pick<ObjectStore, "list" | "read">, model: string): Promise<readonly Wanted[]> {
  const manifest = await readStored(modelFilesKey(model), modelFilesSchema, store);
  if (manifest !== undefined) {
    return manifest.files.filter(({ path }) => path.startsWith("onnx/")).map(checked(model));
  }
  const files: Wanted[] = [];
  for await (const { key } of store.list(`${model}/onnx/`)) {
    files.push(checked(model)({ path: key.slice(model.length + 1), sha256: null }));
  }
  return files;
}

const checked =
  (model: string) =>
  ({ path, sha256 }: Wanted): Wanted => {
    if (SAFE.test(path)) return { path, sha256 };
    throw new RolloutModelError(
      `${model}: an export has no file of such a name: ${JSON.stringify(path.slice(0, 200))}; export the model again`,
    );
  };

/** Its bytes are counted and summed as they come. */
async function fetched(
  { path, sha256 }: Wanted,
  {
    store,
    model,
    folder,
  }: { readonly store: Pick<ObjectStore, "stream">; readonly model: string; readonly folder: string },
): Promise<number> {
  const key = `${model}/${path}`;
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  const hash = createHash("sha256");
  let bytes = 0;
  const passing = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of store.stream(key)) {
      hash.update(piece);
      bytes += piece.length;
      yield piece;
    }
  };
  try {
    await pipeline(passing, createWriteStream(`${file}.part`));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "unknown fault";
    throw new RolloutModelError(
      `${key} cannot be brought here (${why}); where jobs may not read models, give the deployment batch.rollouts.models`,
      { cause },
    );
  }
  if (sha256 !== null && hash.digest("hex") !== sha256) {
    throw new RolloutModelError(
      `${key} is not what the manifest of ${model} says; copy or train the model again`,
    );
  }
  await rename(`${file}.part`, file);
  return bytes;
}
