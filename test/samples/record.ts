import process from "node:process";
import { recordSamples } from "./recorder.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write(
    "usage: node test/samples/record.ts FOLDER   (the samples are written below FOLDER/drop)\n",
  );
  process.exitCode = 2;
} else {
  const paths = recordSamples(folder);
  process.stdout.write(
    `${paths.map((path) => `drop/${path}`).join("\n")}\n${paths.length} files recorded in ${folder}\n`,
  );
}
