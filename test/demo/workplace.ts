import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { z } from "zod";

const MAIN = resolve(import.meta.dirname, "../../containers/gymline/main.ts");

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of the program ended with a code that it should not have. */
export class StageError extends Error {
  override readonly name = "StageError";
}

/** The folder of a demonstration, in which the program's own commands run; `commands.log` has each with its output. */
export class Workplace {
  readonly folder: string;
  readonly #python: string | undefined;

  /** `python`: has the trainer's packages; undefined: that of `.venv`. */
  constructor(folder: string, { python }: { readonly python: string | undefined }) {
    this.folder = resolve(folder);
    this.#python = python;
    mkdirSync(this.folder, { recursive: true });
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Runs `gymline <args>`. @throws StageError where it ends with another code than 0 or one of `codes` */
  async gymline(args: readonly string[], codes: readonly number[] = []): Promise<string> {
    const { code, stdout, stderr } = await this.#run(args);
    const line = `$ gymline ${args.join(" ")}`;
    appendFileSync(join(this.folder, "commands.log"), `${line}\n${stdout}${stderr}\n`);
    if (code === 0 || codes.includes(code)) return stdout;
    throw new StageError(`${line}\nended with code ${code}:\n${`${stdout}${stderr}`.trim().slice(-2000)}`);
  }

  /** The same with `--json`, read by a schema. */
  async json<Shape>(args: readonly string[], of: { schema: z.ZodType<Shape>; codes?: readonly number[] }) {
    return of.schema.parse(JSON.parse(await this.gymline([...args, "--json"], of.codes)));
  }

  train(args: readonly string[]): Promise<string> {
    return this.gymline([
      "train",
      ...args,
      ...(this.#python === undefined ? [] : ["--python", this.#python]),
    ]);
  }

  #run(args: readonly string[]): Promise<Ended> {
    const { promise, resolve: settle, reject } = Promise.withResolvers<Ended>();
    const env = {
      ...process.env,
      NO_COLOR: "1",
      // Models this small lose more by waiting for other threads than they win by them.
      OMP_NUM_THREADS: "1",
      GYMLINE_TRAINER_CACHE: join(this.folder, "trainer-cache"),
    };
    const child = spawn(process.execPath, [MAIN, ...args], {
      ...{ cwd: this.folder, env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const texts = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        texts[name] += chunk;
      });
    }
    child.once("error", reject);
    child.once("close", (code) => settle({ code: code ?? -1, ...texts }));
    return promise;
  }
}
