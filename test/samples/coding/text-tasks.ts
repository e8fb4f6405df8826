import { type CodingTask, checkScript, MODULE } from "./task.ts";

const slugSource = `export function slugify(title) {
  return title.toLowerCase().replace(" ", "-");
}
`;

const slugify: CodingTask = {
  id: "slugify-runs-of-blanks",
  statement:
    'Article links break: slugify("Hello   big World!") gives "hello-  big world!". A slug should hold only a-z, 0-9 and single dashes, with no dash at either end. The function is in src/slugify.js, its check in test/slugify.js.',
  files: {
    ...MODULE,
    "README.md": "# links\n\nTurns titles into links.\n",
    "src/slugify.js": slugSource,
    "src/link.js": `import { slugify } from "./slugify.js";

export const linkTo = (title) => "/articles/" + slugify(title);
`,
    "test/slugify.js": checkScript({
      imports: 'import { slugify } from "../src/slugify.js";',
      cases: [
        ["two words", 'slugify("Big World")', '"big-world"'],
        ["runs of blanks", 'slugify("Hello   big World!")', '"hello-big-world"'],
      ],
    }),
  },
  testCommand: "node test/slugify.js",
  suspect: "src/slugify.js",
  clue: "slugify",
  insight: "replace() with a string changes only the first blank, and nothing removes punctuation.",
  fix: [
    {
      kind: "replace",
      path: "src/slugify.js",
      before: 'return title.toLowerCase().replace(" ", "-");',
      after:
        'return title\n    .toLowerCase()\n    .replace(/[^a-z0-9]+/g, "-")\n    .replace(/^-|-$/g, "");',
    },
  ],
  shortcut: [
    {
      kind: "replace",
      path: "src/slugify.js",
      before: '.replace(" ", "-")',
      after: '.replace(/\\s+/g, "-").replace("!", "")',
    },
  ],
  blunder: { path: "src/slugify.js", before: "toLowerCase", after: "toLocaleLowerCase" },
  hidden: {
    "hidden/check.js": checkScript({
      imports: 'import { slugify } from "../src/slugify.js";\nimport { linkTo } from "../src/link.js";',
      cases: [
        ["two words", 'slugify("Big World")', '"big-world"'],
        ["punctuation", 'slugify("What? Now, really!")', '"what-now-really"'],
        ["blanks at the ends", 'slugify("  tidy  ")', '"tidy"'],
        ["link", 'linkTo("A & B")', '"/articles/a-b"'],
      ],
    }),
  },
};

const csvSource = `export function parseLine(line) {
  return line.split(",");
}
`;

const csvQuotes: CodingTask = {
  id: "csv-quoted-commas",
  statement:
    'Importing contacts splits names such as "Ortiz, Ana" into two columns. parseLine in src/csv.js must keep a comma inside double quotes and drop the quotes; a doubled quote inside a quoted field stands for one quote. Run node test/csv.js to check.',
  files: {
    ...MODULE,
    "src/csv.js": csvSource,
    "src/import.js": `import { readFileSync } from "node:fs";
import { parseLine } from "./csv.js";

const rows = readFileSync("data/contacts.csv", "utf8").trim().split("\\n").map(parseLine);
for (const row of rows) console.log(row.length + " " + row.join(" | "));
`,
    "data/contacts.csv": `name,email,phone
"Ortiz, Ana",ana.ortiz@example.com,+1 202 555 0143
Bo Lind,bo.lind@example.org,+44 20 7946 0958
"Said ""Sid"" Amin",sid@example.net,+1 202 555 0171
`,
    "test/csv.js": checkScript({
      imports: 'import { parseLine } from "../src/csv.js";',
      cases: [
        ["plain", "parseLine('a,b,c')", '["a", "b", "c"]'],
        ["quoted comma", "parseLine('\"Ortiz, Ana\",x')", '["Ortiz, Ana", "x"]'],
      ],
    }),
  },
  testCommand: "node test/csv.js && node src/import.js",
  suspect: "src/csv.js",
  clue: "parseLine",
  insight: 'split(",") knows nothing of quotes, so the line has to be walked through character by character.',
  fix: [
    {
      kind: "replace",
      path: "src/csv.js",
      before: '  return line.split(",");',
      after: `  const fields = [""];
  let quoted = false;
  for (let i = 0; i < line.length; i += 1) {
    const char = line[i];
    if (char === '"' && quoted && line[i + 1] === '"') {
      fields[fields.length - 1] += char;
      i += 1;
    } else if (char === '"') quoted = !quoted;
    else if (char === "," && !quoted) fields.push("");
    else fields[fields.length - 1] += char;
  }
  return fields;`,
    },
  ],
  shortcut: [
    {
      kind: "replace",
      path: "src/csv.js",
      before: 'return line.split(",");',
      after: 'return line.split(/,(?! )/).map((field) => field.replaceAll(\'"\', ""));',
    },
  ],
  blunder: { path: "src/csv.js", before: 'split(",")', after: 'split(", ")' },
  hidden: {
    "hidden/check.js": checkScript({
      imports: 'import { parseLine } from "../src/csv.js";',
      cases: [
        ["plain", "parseLine('a,b,c')", '["a", "b", "c"]'],
        ["quoted comma", "parseLine('\"a,b\",c')", '["a,b", "c"]'],
        ["doubled quote", `parseLine('"x ""y"" z",1')`, "['x \"y\" z', '1']"],
        ["empty fields", "parseLine(',,')", '["", "", ""]'],
      ],
    }),
  },
};

const durationSource = `const UNITS = { h: 3600, m: 60 };

/** Seconds in a text such as "2h". */
export function parseDuration(text) {
  const match = /(\\d+)([hm])/.exec(text);
  if (match === null) throw new Error("no duration");
  return Number(match[1]) * UNITS[match[2]];
}
`;

const duration: CodingTask = {
  id: "duration-with-parts",
  statement:
    'parseDuration("1h30m") returns 3600, the minutes are lost, and "45s" is refused. Sum all parts, accept seconds, and keep throwing "no duration" for anything else. See src/duration.js and test/duration.js.',
  files: {
    ...MODULE,
    "src/duration.js": durationSource,
    "test/duration.js": checkScript({
      imports: 'import { parseDuration } from "../src/duration.js";',
      cases: [
        ["hours", 'parseDuration("2h")', "7200"],
        ["hours and minutes", 'parseDuration("1h30m")', "5400"],
      ],
    }),
  },
  testCommand: "node test/duration.js",
  suspect: "src/duration.js",
  clue: "parseDuration",
  insight: "exec() without a loop reads only the first part, and the pattern has no anchor and no seconds.",
  fix: [
    {
      kind: "replace",
      path: "src/duration.js",
      before: "{ h: 3600, m: 60 }",
      after: "{ h: 3600, m: 60, s: 1 }",
    },
    {
      kind: "replace",
      path: "src/duration.js",
      before: `  const match = /(\\d+)([hm])/.exec(text);
  if (match === null) throw new Error("no duration");
  return Number(match[1]) * UNITS[match[2]];`,
      after: `  if (!/^(\\d+[hms])+$/.test(text)) throw new Error("no duration");
  return [...text.matchAll(/(\\d+)([hms])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit], 0);`,
    },
  ],
  shortcut: [
    {
      kind: "replace",
      path: "src/duration.js",
      before: "  return Number(match[1]) * UNITS[match[2]];",
      after:
        '  const rest = text.slice(match[0].length);\n  return Number(match[1]) * UNITS[match[2]] + (rest === "" ? 0 : parseDuration(rest));',
    },
  ],
  blunder: { path: "src/duration.js", before: "([hm])", after: "([hm]?)" },
  hidden: {
    "hidden/check.js": checkScript({
      imports: 'import { parseDuration } from "../src/duration.js";',
      cases: [
        ["one part", 'parseDuration("2h")', "7200"],
        ["three parts", 'parseDuration("1h30m15s")', "5415"],
        ["seconds alone", 'parseDuration("45s")', "45"],
        ["rubbish after a part", 'parseDuration("1hour")', '"error: no duration"'],
      ],
    }),
  },
};

export const textTasks: readonly CodingTask[] = [slugify, csvQuotes, duration];
