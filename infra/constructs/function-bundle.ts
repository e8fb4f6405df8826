import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { buildSync } from "esbuild";

/** Root of the repository: a bundle's source map names its files from here, wherever it is written. */
export const REPOSITORY = resolve(import.meta.dirname, "../..");

/** What CommonJS packages inside an ES module need: without it Node refuses their `require` of built-in modules. */
const REQUIRE = 'import { createRequire } from "node:module";const require = createRequire(import.meta.url);';

export interface FunctionBundle {
  /** The handler's TypeScript file. */
  readonly entry: string;
  /** Folder to write to. */
  readonly folder: string;
  /** Text of the settings that the function finds beside its code. */
  readonly settings: string;
  /** Puts the ONNX runtime for this processor beside the code. */
  readonly onnx?: "arm64" | "x64";
}

/** Name of the settings file beside the code: `GYMLINE_SETTINGS`, relative to the task's root. */
export const SETTINGS_FILE = "settings.json";

/**
 * Writes a function's code as ES modules, `index.mjs` the first, with their source maps and settings. The same sources give the same bytes,
 * so a deployment without changes changes nothing.
 */
export function bundleFunction({ entry, folder, settings, onnx }: FunctionBundle): void {
  const { outputFiles } = buildSync({
    entryPoints: [relative(REPOSITORY, entry)],
    absWorkingDir: REPOSITORY,
    // Nothing is written there: the place only decides how the source map names the sources.
    outdir: "bundle",
    entryNames: "index",
    outExtension: { ".js": ".mjs" },
    write: false,
    bundle: true,
    // What is loaded on demand lies in files of its own, so that a function does not read it at each start.
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    mainFields: ["module", "main"],
    // Native code cannot be bundled; it is loaded only where there is a model to run.
    external: ["onnxruntime-node"],
    banner: { js: REQUIRE },
    minify: true,
    // Names of classes are names of errors, in reports and logs.
    keepNames: true,
    sourcemap: "linked",
    sourcesContent: false,
    legalComments: "none",
    logLevel: "error",
  });
  mkdirSync(folder, { recursive: true });
  for (const { path, contents } of outputFiles) writeFileSync(join(folder, basename(path)), contents);
  writeFileSync(join(folder, SETTINGS_FILE), settings);
  if (onnx !== undefined) copyRuntime(folder, onnx);
}

/** What of the runtime's packages is needed to run a model on this processor under Linux. */
function copyRuntime(folder: string, processor: "arm64" | "x64"): void {
  const modules = join(folder, "node_modules");
  const copy = (path: string): void =>
    cpSync(join(REPOSITORY, "node_modules", path), join(modules, path), {
      recursive: true,
      dereference: true,
    });
  copy("onnxruntime-common/package.json");
  copy("onnxruntime-common/dist");
  copy("onnxruntime-node/package.json");
  copy("onnxruntime-node/dist");
  copy(`onnxruntime-node/bin/napi-v6/linux/${processor}`);
}
