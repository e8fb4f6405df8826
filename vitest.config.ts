import { configDefaults, defineConfig } from "vitest/config";
import { LongestFirst } from "./test/runner/longest-first.ts";

const slow = ["test/**/*.slow.test.ts"];
const soak = ["test/**/*.soak.test.ts"];
const exclude = [...configDefaults.exclude, "test/consumer/**"];

export default defineConfig({
  test: {
    // One more than the cores of a small machine: slow files wait for engines, time-outs and downloads, too.
    maxWorkers: 3,
    allowOnly: false,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        // Examples import the package by its name, as their readers will.
        resolve: { alias: { gymline: new URL("shared/library.ts", import.meta.url).pathname } },
        test: {
          name: "unit",
          // Functions that are tried out in this process keep their logs to themselves.
          env: { POWERTOOLS_LOG_LEVEL: "SILENT" },
          include: ["test/**/*.test.ts"],
          exclude: [...exclude, ...slow, ...soak],
          testTimeout: 30_000,
        },
      },
      // The first to ask for it installs the trainer's Python, 5.5 GB.
      { test: { name: "slow", include: slow, exclude, testTimeout: 900_000, hookTimeout: 900_000 } },
      { test: { name: "soak", include: soak, exclude, testTimeout: 3_600_000, hookTimeout: 600_000 } },
    ],
  },
});
