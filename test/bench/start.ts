import { spawnSync } from "node:child_process";
import { mkdtempDisposableSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { Figure } from "./figure.ts";
import { median } from "./median.ts";

const root = resolve(import.meta.dirname, "../..");
const ROUNDS = 9;

/** Processor time of starts of the program: the first, which has no compiled modules to use, and later ones. */
export function benchStart(): readonly Figure[] {
  return [["--help"], ["formats"], ["list", "--help"]].flatMap((args) => {
    const firsts: number[] = [];
    const laters: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      using folder = mkdtempDisposableSync(join(tmpdir(), "gymline-start-"));
      firsts.push(start(args, folder.path));
      laters.push(start(args, folder.path));
    }
    const name = `start: gymline ${args.join(" ")}`;
    return [
      { name: `${name}, first`, value: median(firsts), unit: "s of processor time" },
      { name: `${name}, later`, value: median(laters), unit: "s of processor time" },
    ];
  });
}

function start(args: readonly string[], folder: string): number {
  const file = join(folder, "usage.json");
  const program = ["--import", join(root, "test/bench/usage.ts"), join(root, "containers/gymline/main.ts")];
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    XDG_CACHE_HOME: join(folder, "cache"),
    GYMLINE_USAGE_FILE: file,
  };
  const run = spawnSync(process.execPath, [...program, ...args], { cwd: folder, env, encoding: "utf8" });
  if (run.status !== 0) throw new Error(`gymline ended with ${run.status}: ${run.stderr.slice(0, 2000)}`);
  return z.object({ cpu: z.number() }).parse(JSON.parse(readFileSync(file, "utf8"))).cpu;
}
