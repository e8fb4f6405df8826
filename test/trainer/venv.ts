import { join, resolve } from "node:path";
import { type PythonEnvironment, pythonEnvironment } from "../../infra/local/python-environment.ts";
import { trainerPlan } from "../../infra/local/trainer-environment.ts";
import { packagesBeside } from "./packages-beside.ts";

const cache = join(resolve(import.meta.dirname, "../.."), ".cache");

/**
 * A Python with what the trainer scripts and their tests need, PyTorch, TRL and Hugging Face `datasets` among it; made
 * once, in `.cache/`, for all tests.
 */
export async function trainerEnvironment(): Promise<PythonEnvironment> {
  return pythonEnvironment(await trainerPlan(join(cache, "trainer-venv"), ["critic", "train", "test"]));
}

/** That Python with further packages before its own, which it must not have itself. */
export type PythonBeside =
  | { readonly kind: "ready"; readonly python: string; readonly packages: string }
  | { readonly kind: "absent"; readonly reason: string };

/** TRL as it was last with `PRMTrainer`. */
export async function prmEnvironment(): Promise<PythonBeside> {
  return beside("trl-prm", [["--no-deps", "trl==1.13.0"]]);
}

/**
 * The readers of other trainers. They ask for other versions of PyTorch, Transformers and TRL than TRL does, so they come
 * without what they depend on; of that, only what they import as they read.
 */
export async function readersEnvironment(): Promise<PythonBeside> {
  return beside("readers", [
    [
      "--no-deps",
      "llamafactory==0.9.5",
      "ms-swift==4.6.0",
      "verl==0.9.1",
      "tensordict==0.10.0",
      "torchaudio==2.11.0",
    ],
    [
      "aiohttp==3.14.5",
      "json-repair==0.64.6",
      "modelscope==1.40.2",
      "omegaconf==2.3.0",
      "pillow==13.0.0",
      "pyvers==0.1.0",
      "ray==2.59.0",
      "binpacking==2.0.1",
      "zstandard==0.25.0",
    ],
  ]);
}

/** What options of the trainer need that is not installed with it: a model in 4 bits, TensorBoard. */
export async function optionalEnvironment(): Promise<PythonBeside> {
  return beside("optional", [
    [
      "--no-deps",
      "bitsandbytes==0.50.2",
      "tensorboard==2.21.0",
      "tensorboard-data-server==0.7.2",
      "absl-py==2.5.1",
      "grpcio==1.85.3",
      "markdown==3.11.3",
      "werkzeug==3.1.9",
    ],
  ]);
}

async function beside(name: string, installs: readonly (readonly string[])[]): Promise<PythonBeside> {
  const environment = await trainerEnvironment();
  if (environment.kind === "absent") return environment;
  const { python } = environment;
  const packages = join(cache, name);
  const reason = await packagesBeside({ python, folder: packages, installs });
  return reason === undefined ? { kind: "ready", python, packages } : { kind: "absent", reason };
}
