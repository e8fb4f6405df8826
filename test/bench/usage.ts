import { writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

/** Preloaded into a measured program: writes its processor seconds and largest resident set (bytes) when it ends. */
const file = process.env["GYMLINE_USAGE_FILE"];
if (file !== undefined && isMainThread) {
  process.on("exit", () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    writeFileSync(
      file,
      JSON.stringify({ cpu: (userCPUTime + systemCPUTime) / 1e6, resident: maxRSS * 1024 }),
    );
  });
}
