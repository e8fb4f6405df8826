import { exampleApiKey, IBAN, PHONE_UK } from "../secrets.ts";
import type { Files, Workspace } from "../workspace.ts";

/** The folder that a crew of scripted workers shares. */
export const crewFiles: Files = {
  "logs/slow.txt": `312 /cart 10.0.4.17
2950 /search 10.0.4.18
88 /img 172.16.9.3
1740 /pay 10.0.4.21
3105 /search 10.0.4.17
402 /cart 10.0.4.21
`,
  "src/login.js": `const KEY = "${exampleApiKey("login")}";

export function login(user, password) {
  if (user.password == password) return { user: user.name, key: KEY };
  console.log("wrong password " + password + " for " + user.email);
  return undefined;
}
`,
  "changes/101-fix.txt": "fix: totals are exact to the cent\n",
  "changes/102-new.txt": `new: invoices show the bank account ${IBAN}\n`,
  "changes/103-fix.txt": "fix: the search answers within three seconds\n",
  "changes/104-new.txt": `new: support can be reached on ${PHONE_UK}\n`,
};

/** Does its part in the workspace and gives its report, made of what its commands printed. */
export type Worker = (workspace: Workspace, before: string) => string;

const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");

const slowestByMaximum: Worker = (workspace) => {
  const sorted = workspace.run("sort -rn logs/slow.txt").output;
  const [milliseconds, path, address] = lines(sorted)[0]?.split(" ") ?? [];
  const others = workspace.run(`grep -c ' ${path} ' logs/slow.txt`).output.trim();
  return `Slowest route: ${path} with ${milliseconds} ms, asked from ${address}. It occurs ${others} times in the log:\n${workspace.run(`grep -n ' ${path} ' logs/slow.txt`).output}`;
};

const slowestByFirstLine: Worker = (workspace) => {
  const [milliseconds, path] = workspace.run("head -n 1 logs/slow.txt").output.trim().split(" ");
  return `Slowest route: ${path} with ${milliseconds} ms.`;
};

const reviewLineByLine: Worker = (workspace) => {
  const findings = [
    ["a loose comparison", workspace.run("grep -nE '[^=!]==[^=]' src/login.js")],
    ["a key in the source", workspace.run("grep -nE '(KEY|TOKEN) *= *\"' src/login.js")],
    ["a secret in the log output", workspace.run("grep -nE 'console.*password' src/login.js")],
  ] as const;
  const found = findings.filter(([, { exitCode }]) => exitCode === 0);
  return `${found.length} findings in src/login.js.\n${found.map(([what, { output }]) => `- ${what}: line ${output}`).join("")}`;
};

const reviewAtAGlance: Worker = (workspace) => {
  const count = workspace.run("grep -c '' src/login.js").output.trim();
  return `I read src/login.js (${count} lines). Looks good to me.`;
};

const collectFrom =
  (folder: string): Worker =>
  (workspace) =>
    workspace.run(`cat ${folder}/*.txt`).output;

const writeNotes: Worker = (_workspace, before) => {
  const parts = [
    ["New", "new: "],
    ["Fixed", "fix: "],
  ] as const;
  return parts
    .map(([title, mark]) => {
      const items = lines(before).filter((line) => line.startsWith(mark));
      return `${title} (${items.length})\n${items.map((line) => `- ${line.slice(mark.length)}`).join("\n")}`;
    })
    .join("\n\n");
};

const checkNotes: Worker = (workspace, before) => {
  const inFiles = workspace.run("ls changes | grep -c ''").output.trim();
  const inNotes = lines(before).filter((line) => line.startsWith("- ")).length;
  const verdict = Number(inFiles) === inNotes ? "The notes are complete." : "The notes are NOT complete.";
  return `${inFiles} changes in the folder, ${inNotes} in the notes. ${verdict}`;
};

export interface Part {
  readonly worker: string;
  readonly prompt: string;
  readonly args: Readonly<Record<string, string>>;
  readonly work: Worker;
}

/** One job for the crew: a single worker's, or a pipeline's. */
export interface Job {
  readonly kind: "employee" | "pipeline";
  readonly subject: string;
  readonly parts: readonly [Part, ...Part[]];
  /** Decides on the last report whether the job is done. */
  readonly accepts: (report: string) => boolean;
}

const logJob = (work: Worker): Job => ({
  kind: "employee",
  subject: "log-reader",
  parts: [
    {
      worker: "log-reader",
      prompt:
        "You read logs. Each line of logs/slow.txt has milliseconds, route and address. Name the slowest route.",
      args: { target: "logs/slow.txt", goal: "Name the slowest route and say how often it occurs" },
      work,
    },
  ],
  accepts: (report) => report.includes("/search") && report.includes("3105"),
});

const reviewJob = (work: Worker): Job => ({
  kind: "employee",
  subject: "code-reviewer",
  parts: [
    {
      worker: "code-reviewer",
      prompt: "You review code before it is merged. Name each problem with its line.",
      args: { target: "src/login.js", goal: "Find problems before the merge" },
      work,
    },
  ],
  accepts: (report) => report.includes("4:") && report.includes("5:"),
});

const notesJob = (folder: string): Job => ({
  kind: "pipeline",
  subject: "release-notes",
  parts: [
    {
      worker: "change-collector",
      prompt: "Collect the changes of this release.",
      args: { folder },
      work: collectFrom(folder),
    },
    { worker: "note-writer", prompt: "Write release notes, grouped by kind.", args: {}, work: writeNotes },
    {
      worker: "fact-checker",
      prompt: "Check the notes against the folder changes.",
      args: { folder: "changes" },
      work: checkNotes,
    },
  ],
  accepts: (report) => report.endsWith("The notes are complete."),
});

export const jobs = {
  "log, by maximum": logJob(slowestByMaximum),
  "log, by first line": logJob(slowestByFirstLine),
  "review, line by line": reviewJob(reviewLineByLine),
  "review, at a glance": reviewJob(reviewAtAGlance),
  "notes, right folder": notesJob("changes"),
  "notes, wrong folder": notesJob("changelog"),
} as const satisfies Readonly<Record<string, Job>>;

export type JobName = keyof typeof jobs;
