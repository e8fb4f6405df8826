import { readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { TOKENIZER_FILES, TokenizerError, type TokenizerFiles } from "../../tokenizer/tokenizer-files.ts";

/** Reads the folder of a Hugging Face tokenizer. @throws TokenizerError */
export async function readTokenizerFolder(path: string): Promise<TokenizerFiles> {
  const folder = resolve(path);
  const remedy = "correct --tokenizer or dataset.tokenizer: a folder that tokenizer.save_pretrained wrote";
  let tokenizer: Uint8Array;
  try {
    if (!(await stat(folder)).isDirectory()) throw new TokenizerError(`${path} is no folder; ${remedy}`);
    tokenizer = await readFile(join(folder, TOKENIZER_FILES.tokenizer));
  } catch (cause) {
    if (cause instanceof TokenizerError) throw cause;
    const why = cause instanceof Error ? cause.message : "unknown fault";
    throw new TokenizerError(`the tokenizer ${path} cannot be read: ${why}; ${remedy}`, { cause });
  }
  const config = await maybeFile(join(folder, TOKENIZER_FILES.config));
  const template = await maybeFile(join(folder, TOKENIZER_FILES.template));
  return {
    name: basename(folder),
    tokenizer,
    ...(config === undefined ? {} : { config }),
    ...(template === undefined ? {} : { template }),
  };
}

async function maybeFile(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    const why = cause instanceof Error ? cause.message : "unknown fault";
    throw new TokenizerError(`${path} cannot be read: ${why}; give it the rights to be read`, { cause });
  }
}
