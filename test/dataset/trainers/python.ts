import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "../../factories/temporary.ts";

/** Runs a script of this folder, which has no network and no cache of its own, and gives what it printed as JSON. */
export async function runScript(
  script: string,
  of: { readonly python: string; readonly args: readonly string[]; readonly packages?: string },
): Promise<unknown> {
  const home = temporaryFolder("home");
  const env = {
    ...process.env,
    HF_HUB_OFFLINE: "1",
    HF_HOME: home,
    HF_DATASETS_CACHE: join(home, "cache"),
    MODELSCOPE_CACHE: join(home, "modelscope"),
    PYTHONDONTWRITEBYTECODE: "1",
    // The models are too small for threads to pay.
    OMP_NUM_THREADS: "1",
    TOKENIZERS_PARALLELISM: "false",
    DISABLE_VERSION_CHECK: "1",
    ...(of.packages === undefined ? {} : { PYTHONPATH: of.packages }),
  };
  const path = join(import.meta.dirname, script);
  const { stdout } = await promisify(execFile)(of.python, [path, ...of.args], { env, maxBuffer: 1 << 28 });
  return JSON.parse(stdout);
}
