import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type ConfigFile, ModelFolderError } from "../../inference/model-config.ts";
import { TOKENIZER_FILES, type TokenizerFiles } from "../../tokenizer/tokenizer-files.ts";

/** `fp32`: `model.onnx`. `q4`: `model_q4.onnx`, its weights in four bits. */
export type OnnxPrecision = "fp32" | "q4";

const FILES: Readonly<Record<OnnxPrecision, string>> = { fp32: "model.onnx", q4: "model_q4.onnx" };
const CONFIG = "config.json";
const GENERATION = "generation_config.json";

/** What was found in the folder of an exported model. */
export interface ModelFolder {
  readonly folder: string;
  /** Path of the ONNX file. */
  readonly model: string;
  readonly precision: OnnxPrecision;
  readonly config: ConfigFile;
  readonly generation: ConfigFile | undefined;
  readonly tokenizer: TokenizerFiles;
}

/**
 * Finds the files of an exported model: in the folder, or in `onnx/` below it, as the folder of a training run has it.
 * Without `precision`, fp32 where it is there.
 * @throws ModelFolderError
 */
export async function openModelFolder(
  given: string,
  precision: OnnxPrecision | undefined,
): Promise<ModelFolder> {
  const folder = folderOf(resolve(given));
  const wanted: readonly OnnxPrecision[] = precision === undefined ? ["fp32", "q4"] : [precision];
  const found = wanted.flatMap((each) =>
    ["onnx", "."].map((below) => ({ precision: each, model: join(folder, below, FILES[each]) })),
  );
  const chosen = found.find(({ model }) => existsSync(model));
  if (chosen === undefined) {
    throw new ModelFolderError(
      `${folder} holds no ${wanted.map((each) => join("onnx", FILES[each])).join(" or ")}: export the model again with it, or choose another precision`,
    );
  }
  const [config, generation, tokenizer, own, template] = await Promise.all([
    bytesOf(join(folder, CONFIG)),
    optional(join(folder, GENERATION)),
    bytesOf(join(folder, TOKENIZER_FILES.tokenizer)),
    optional(join(folder, TOKENIZER_FILES.config)),
    optional(join(folder, TOKENIZER_FILES.template)),
  ]);
  return {
    folder,
    ...chosen,
    config: { path: join(folder, CONFIG), text: config.toString("utf8") },
    generation:
      generation === undefined
        ? undefined
        : { path: join(folder, GENERATION), text: generation.toString("utf8") },
    tokenizer: {
      name: basename(folder),
      tokenizer,
      ...(own === undefined ? {} : { config: own }),
      ...(template === undefined ? {} : { template }),
    },
  };
}

/** Where `config.json` and the tokenizer are. */
function folderOf(given: string): string {
  const able = [given, join(given, "onnx"), ...(basename(given) === "onnx" ? [dirname(given)] : [])];
  const whole = able.find((each) =>
    [CONFIG, TOKENIZER_FILES.tokenizer].every((file) => existsSync(join(each, file))),
  );
  if (whole !== undefined) return whole;
  const missing = existsSync(given)
    ? `${given} holds no ${CONFIG} and ${TOKENIZER_FILES.tokenizer}`
    : `${given} does not exist`;
  throw new ModelFolderError(
    `${missing}: give the folder of a model that was exported to ONNX, with config.json, tokenizer.json, tokenizer_config.json and onnx/model.onnx in it`,
  );
}

async function optional(path: string): Promise<Buffer | undefined> {
  return existsSync(path) ? await bytesOf(path) : undefined;
}

async function bytesOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ModelFolderError(`${path} cannot be read (${why}): export the model again`, { cause });
  }
}
