// Runs a command of the project on any Node 20 or newer with nothing installed: it installs the locked
// dependencies where they are missing, then goes on under the Node 24 that is one of them.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const modules = join(root, "node_modules");
const stampFile = join(modules, ".gymline-lock");
const cli = "containers/gymline/main.ts";

/** What each command runs under Node 24, in order; what the user adds goes to the last. */
const COMMANDS = {
  start: [
    [
      cli,
      "run",
      "shared/samples/drop",
      "--out",
      "out",
      "--mapping",
      "shared/samples/mappings/help-desk.json",
    ],
  ],
  gymline: [[cli]],
  local: [["infra/local/main.ts"]],
  test: [["test/run-all.ts"]],
  "test:fast": [["test/run-all.ts", "--fast"]],
  "test:soak": [["test/run-all.ts", "--soak"]],
  bench: [["test/bench/main.ts"]],
  "bench:train": [["test/bench/main.ts", "train", "train-options"]],
  "demo:loop": [["test/demo/main.ts"]],
  cdk: [["node_modules/aws-cdk/bin/cdk"]],
  "trainer:setup": [["infra/local/trainer-setup.ts"]],
  build: [["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"]],
};

/** Exit code of a run that is done but rejected some inputs. */
const REJECTED = 2;

class SetupError extends Error {}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`gymline: ${error.message}`);
  process.exitCode = 1;
}

async function main([command = "", ...extra]) {
  if (!Object.hasOwn(COMMANDS, command)) {
    throw new SetupError(`unknown command "${command}"; there are ${Object.keys(COMMANDS).join(", ")}`);
  }
  install();
  const node = pinnedNode();
  // What an older build left behind must not get into the package.
  if (command === "build") rmSync(join(root, "dist"), { recursive: true, force: true });
  for (const [index, args] of COMMANDS[command].entries()) {
    const last = index === COMMANDS[command].length - 1;
    const status = await run(node, last ? [...args, ...extra] : args);
    // Some of the samples are bad on purpose; that they are rejected is no failure of `npm start`.
    if (command === "start" && status === REJECTED) return 0;
    if (status !== 0) return status;
  }
  if (command === "build") copyAssets();
  return 0;
}

/** What the program reads beside its code. */
function copyAssets() {
  const samples = "shared/samples";
  if (existsSync(join(root, samples))) {
    cpSync(join(root, samples), join(root, "dist", samples), { recursive: true });
  }
  // Scripts, the package beside them and ready configurations; not what Python and its tools leave behind.
  cpSync(join(root, "containers/trainer"), join(root, "dist/containers/trainer"), {
    recursive: true,
    filter: (path) =>
      statSync(path).isDirectory()
        ? !/^(?:\..+|__pycache__|.+\.egg-info|build)$/.test(basename(path))
        : /\.(?:py|toml|yaml)$/.test(path),
  });
}

/** Installs what package-lock.json names, unless exactly that is installed already. */
function install() {
  const lock = readFileSync(join(root, "package-lock.json"));
  const stamp = createHash("sha256").update(lock).digest("hex");
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8").trim() === stamp) return;
  if (!isInstalled(JSON.parse(lock.toString("utf8")))) {
    console.error("gymline: installing the dependencies named in package-lock.json (once)…");
    // Development dependencies hold the pinned Node; a production setting of the user must not leave them out.
    npm(["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"], root);
  }
  writeFileSync(stampFile, `${stamp}\n`);
}

/** Has somebody run npm here? npm notes what it installed, and installing anew would pull it from under them. */
function isInstalled(lock) {
  const note = join(modules, ".package-lock.json");
  if (!existsSync(note)) return false;
  const { packages } = JSON.parse(readFileSync(note, "utf8"));
  return Object.entries(lock.packages).every(
    ([path, { version, optional }]) =>
      path === "" || optional === true || packages[path]?.version === version,
  );
}

/** The Node 24 that package-lock.json pins: a path to its binary. */
function pinnedNode() {
  const home = join(modules, "node");
  const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  const suffix = process.platform === "win32" ? ".exe" : "";
  const system = process.platform === "win32" ? "win" : process.platform;
  const prefix = system === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  const name = `${prefix}-${system}-${process.arch}`;
  const candidates = [
    join(home, "bin", `node${suffix}`),
    join(home, "node_modules", name, "bin", `node${suffix}`),
    join(modules, name, "bin", `node${suffix}`),
  ];
  const found = () => candidates.find((path) => versionOf(path) === `v${version}`);
  const first = found();
  if (first !== undefined) return first;
  // The package fetches its binary in an install script; where scripts are off, fetch it without one.
  console.error(`gymline: fetching Node ${version} for ${system}-${process.arch}…`);
  npm(["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", `${name}@${version}`], home);
  const second = found();
  if (second !== undefined) return second;
  throw new SetupError(
    `Node ${version} is installed but does not run on this machine (${system}-${process.arch}). It needs a ` +
      "system for which nodejs.org has binaries (glibc on Linux). Looked at:\n  " +
      candidates.join("\n  "),
  );
}

function versionOf(binary) {
  if (!existsSync(binary)) return undefined;
  const { status, stdout } = spawnSync(binary, ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** Runs npm quietly; its output is shown only where it fails. */
function npm(args, cwd) {
  // The npm that runs this script, if one does: it need not be on the PATH.
  const own = process.env["npm_execpath"];
  const [program, first] =
    own !== undefined && basename(own) === "npm-cli.js" ? [process.execPath, [own]] : ["npm", []];
  const result = spawnSync(program, [...first, ...args], {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    shell: program === "npm" && process.platform === "win32",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status === 0) return;
  const output = `${result.stdout ?? ""}${result.stderr ?? ""}`.trim();
  if (output !== "") console.error(output);
  if (result.error !== undefined && "code" in result.error && result.error.code === "ENOENT") {
    throw new SetupError(
      "npm is not on the PATH: install Node.js together with npm, then run the command again.",
    );
  }
  const offline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED|network/i.test(output);
  const reason = result.error === undefined ? `exit status ${result.status}` : result.error.message;
  throw new SetupError(
    `npm ${args[0]} failed (${reason}). ` +
      (offline
        ? "The package registry cannot be reached: connect this machine to the network, or point npm at a " +
          "mirror (npm config set registry …), and run the command again."
        : "Its output stands above; mend the cause and run the command again."),
  );
}

/** Runs a script under the pinned Node with this process's terminal and signals. */
function run(node, args) {
  const child = spawn(node, args, { cwd: root, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child as well; twice would mean "at once".
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  return new Promise((settle, fail) => {
    child.once("error", fail);
    child.once("exit", (code, signal) => settle(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}
