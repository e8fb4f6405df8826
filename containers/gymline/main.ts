#!/usr/bin/env node
// Checks the version before anything is loaded that an older Node does not have.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 15)) {
  const { startLean } = await import("./lean-start.ts");
  startLean();
  const { keepCompiled } = await import("./compile-cache.ts");
  keepCompiled(process.env);
  const { main } = await import("./cli.ts");
  await main(process.argv);
} else {
  process.stderr.write(`gymline needs Node.js 22.15 or newer; this is ${process.versions.node}\n`);
  process.exitCode = 1;
}
