import { writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

/** Preloaded into a measured program: writes its largest resident set, in bytes, when it ends. */
const file = process.env["GYMLINE_PEAK_FILE"];
if (file !== undefined && isMainThread) {
  process.on("exit", () => writeFileSync(file, String(process.resourceUsage().maxRSS * 1024)));
}
