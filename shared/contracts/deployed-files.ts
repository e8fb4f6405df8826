import { EvaluationSetError, parseEvaluationSet } from "../curation/evaluation-set.ts";
import {
  readTokenizer,
  TOKENIZER_FILES,
  TokenizerError,
  type TokenizerFiles,
  type TokenizerReader,
} from "../tokenizer/tokenizer-files.ts";
import type { DatasetRequest } from "./dataset-request.ts";
import type { DeployedFile } from "./deployed-settings.ts";

/** Files that datasets of a deployment name, in all; they go along with the code of the export. */
const MOST_BYTES = 64 * 1024 * 1024;

/** The files are more than a function can carry. */
export class DeployedFilesError extends Error {
  override readonly name = "DeployedFilesError";
}

/**
 * Evaluation sets and tokenizers of datasets, each once, under the paths that the requests give.
 * @param read bytes of a file that a path of a request names; may throw
 * @throws EvaluationSetError, TokenizerError, DeployedFilesError and what `read` throws
 */
export function collectFiles(
  requests: readonly Pick<DatasetRequest, "name" | "against" | "tokenizer">[],
  files: { readonly read: (path: string) => Uint8Array; readonly exists: (path: string) => boolean },
): readonly DeployedFile[] {
  const found = new Map<string, Uint8Array>();
  let size = 0;
  const take = (path: string, dataset: string): Uint8Array => {
    const known = found.get(path);
    if (known !== undefined) return known;
    const bytes = files.read(path);
    found.set(path, bytes);
    size += bytes.byteLength;
    if (size <= MOST_BYTES) return bytes;
    throw new DeployedFilesError(
      `with those of the dataset "${dataset}", the files that datasets name have ${size} bytes, and ${MOST_BYTES} go along with a deployment; take some out, and export those sets with gymline export`,
    );
  };
  for (const { name, against = [], tokenizer } of requests) {
    for (const path of against) parseEvaluationSet(take(path, name), path);
    if (tokenizer === undefined) continue;
    for (const [index, file] of Object.values(TOKENIZER_FILES).entries()) {
      const path = `${folderOf(tokenizer)}/${file}`;
      if (index === 0 || files.exists(path)) take(path, name);
    }
    readTokenizer(tokenizerAt(tokenizer, found));
  }
  return [...found].map(([path, bytes]) => ({ path, content: Buffer.from(bytes).toString("base64") }));
}

/** Reads what went along with a deployment; paths are those of its requests. */
export function deployedReaders(files: readonly DeployedFile[]): {
  readonly evaluations: (path: string) => Promise<Uint8Array>;
  readonly tokenizers: TokenizerReader;
} {
  const found = new Map(
    files.map(({ path, content }) => [path, new Uint8Array(Buffer.from(content, "base64"))]),
  );
  const remedy = "name it in a dataset of gymline.deploy.json and deploy again";
  return {
    evaluations: async (path) => {
      const bytes = found.get(path);
      if (bytes !== undefined) return bytes;
      throw new EvaluationSetError(
        `the evaluation set ${path} is not among the files of this deployment; ${remedy}`,
      );
    },
    tokenizers: async (path) => {
      if (found.has(`${folderOf(path)}/${TOKENIZER_FILES.tokenizer}`)) return tokenizerAt(path, found);
      throw new TokenizerError(`the tokenizer ${path} is not among the files of this deployment; ${remedy}`);
    },
  };
}

function tokenizerAt(path: string, found: ReadonlyMap<string, Uint8Array>): TokenizerFiles {
  const folder = folderOf(path);
  const [tokenizer, config, template] = Object.values(TOKENIZER_FILES).map((file) =>
    found.get(`${folder}/${file}`),
  );
  return {
    name: folder.split("/").at(-1) ?? folder,
    tokenizer: tokenizer ?? new Uint8Array(),
    ...(config === undefined ? {} : { config }),
    ...(template === undefined ? {} : { template }),
  };
}

function folderOf(path: string): string {
  return path.replace(/[\\/]+$/, "");
}
