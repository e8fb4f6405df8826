import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  CRITIC_DOCUMENT,
  type CriticDocument,
  CriticError,
  type CriticFiles,
  checkModelBytes,
  parseCritic,
} from "../../critic/critic-document.ts";
import type { ValueModel } from "../../ports/value-model.ts";
import { onnxValueModel } from "./onnx-value-model.ts";

/** A critic, ready to be asked. */
export interface Critic {
  readonly document: CriticDocument;
  readonly model: ValueModel;
}

/**
 * Loads the critic that `gymline critic train` wrote into a folder.
 * @throws CriticError where a file is missing, damaged or of another version
 * @throws ValueModelError where the model itself cannot be run
 */
export async function loadCritic(folder: string): Promise<Critic> {
  const source = join(folder, CRITIC_DOCUMENT);
  const json = (await bytesOf(source)).toString("utf8");
  const { model } = parseCritic(json, source);
  return criticOfFiles({ source: folder, json, model: await bytesOf(join(folder, model.file)) });
}

/**
 * Makes a critic ready to be asked.
 * @throws CriticError where its files are damaged or of another version
 * @throws ValueModelError where the model itself cannot be run
 */
export async function criticOfFiles({ source, json, model: bytes }: CriticFiles): Promise<Critic> {
  const document = parseCritic(json, join(source, CRITIC_DOCUMENT));
  const path = join(source, document.model.file);
  checkModelBytes(document, bytes, path);
  const model = await onnxValueModel(bytes, path);
  const expected = document.features.names.length;
  if (model.width === expected) return { document, model };
  await model.close();
  throw new CriticError(
    `${path} takes ${model.width} features, but its ${CRITIC_DOCUMENT} names ${expected}: train the critic again`,
  );
}

async function bytesOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CriticError(
      `${path} cannot be read (${why}): give the folder that gymline critic train wrote, with critic.json and critic.onnx in it`,
      { cause },
    );
  }
}
