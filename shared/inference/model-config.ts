import { z } from "zod";
import type { Sampling } from "./sampling.ts";

/** An exported model cannot be used. The message names the file, what is wrong with it, and what to do. */
export class ModelFolderError extends Error {
  override readonly name = "ModelFolderError";
}

const ids = z.union([z.int().transform((id) => [id]), z.array(z.int())]).nullish();

const configSchema = z.looseObject({
  max_position_embeddings: z.int().positive(),
  eos_token_id: ids,
  num_hidden_layers: z.int().positive().optional(),
  num_attention_heads: z.int().positive().optional(),
  num_key_value_heads: z.int().positive().nullish(),
  hidden_size: z.int().positive().optional(),
  head_dim: z.int().positive().nullish(),
});

const generationSchema = z.looseObject({
  eos_token_id: ids,
  do_sample: z.boolean().nullish(),
  temperature: z.number().nonnegative().nullish(),
  top_k: z.int().nonnegative().nullish(),
  top_p: z.number().positive().max(1).nullish(),
});

/** What `config.json` and `generation_config.json` of a model say. */
export interface ModelConfig {
  readonly contextTokens: number;
  /** Tokens that end an answer; empty where neither file names one. */
  readonly stopIds: readonly number[];
  /** What the model's makers would have it sampled with. */
  readonly sampling: Sampling;
  /** Of the cache, where the model itself leaves them open. */
  readonly heads: number | undefined;
  readonly width: number | undefined;
}

/** A file of JSON as text, and where it lies. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** @throws ModelFolderError */
export function readModelConfig(config: ConfigFile, generation: ConfigFile | undefined): ModelConfig {
  const model = parsed(configSchema, config);
  const made = generation === undefined ? {} : parsed(generationSchema, generation);
  const { hidden_size: hidden, num_attention_heads: queries, head_dim: head } = model;
  const width = hidden === undefined || queries === undefined ? undefined : hidden / queries;
  return {
    contextTokens: model.max_position_embeddings,
    stopIds: made.eos_token_id ?? model.eos_token_id ?? [],
    sampling: samplingOf(made),
    heads: model.num_key_value_heads ?? queries,
    width: head ?? width,
  };
}

/** As `generate` of Hugging Face transformers reads it: without `do_sample` the likeliest token is taken. */
function samplingOf(made: Partial<z.output<typeof generationSchema>>): Sampling {
  if (made.do_sample !== true) return { temperature: 0 };
  return {
    temperature: made.temperature ?? 1,
    ...(made.top_k ? { topK: made.top_k } : {}),
    ...(made.top_p ? { topP: made.top_p } : {}),
  };
}

function parsed<T extends z.ZodType>(schema: T, { path, text }: ConfigFile): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ModelFolderError(`${path} is no JSON: export the model again`, { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ModelFolderError(
    `${path} is not what it should be: ${issue?.path.join(".") || "$"}: ${issue?.message}; export the model again`,
    { cause: result.error },
  );
}
