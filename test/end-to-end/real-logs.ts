import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

const FIXTURES = resolve(import.meta.dirname, "../../../shared/fixtures");
const SAMPLES = resolve(import.meta.dirname, "../../shared/samples/drop");

/** Folders of published logs, one or more for each format that is read. */
const FOLDERS = [
  ...["openhands-v0", "openhands-output-jsonl", "openhands-swegym-hf", "swe-agent", "swe-agent-hf"],
  ...["mini-swe-agent", "openai-messages", "atif"],
];
/** The larger ones tell nothing new here. */
const MOST_BYTES = 600_000;

export interface RealLog {
  readonly key: string;
  readonly path: string;
}

/** The samples, and the published logs of every format where they are there. */
export function realLogs(): { readonly logs: readonly RealLog[]; readonly published: boolean } {
  const published = existsSync(FIXTURES);
  const logs = filesBelow(SAMPLES).map((name) => ({ key: `samples/${name}`, path: join(SAMPLES, name) }));
  if (!published) return { logs, published };
  const more = FOLDERS.flatMap((folder) =>
    filesBelow(join(FIXTURES, folder)).map((name) => ({
      // Keys are what users call their files: spaces, plus signs and letters of any script included.
      key: `${folder}/nächster Lauf + ${name}`,
      path: join(FIXTURES, folder, name),
    })),
  );
  return { logs: [...logs, ...more.filter(({ path }) => statSync(path).size <= MOST_BYTES)], published };
}

export function bytesOf({ path }: RealLog): Uint8Array {
  return readFileSync(path);
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
