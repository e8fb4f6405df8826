/**
 * What a shell command does to the files around it: it only looks, it runs tests, or it may change things.
 *
 * Covers: the usual readers, pagers, searchers and test runners; pipes, lists, redirections, quotes, here
 * documents, `cd`, environment assignments and wrappers such as `timeout`. Does not cover: sub-shells in
 * arguments, aliases, scripts. What is not known counts as a change, so nothing is called a repetition that
 * may not be one.
 */
export type ShellEffect = "looks" | "tests" | "changes";

const lookers: ReadonlySet<string> = new Set(
  (
    "cat ls ll grep egrep fgrep zgrep rg ag ack head tail wc pwd which whereis type file stat tree less more nl diff cmp " +
    "comm sort uniq cut tr awk gawk column echo printf env printenv whoami id date uname hostname du df ps " +
    "cd pushd popd sleep true false test [ [[ history man help basename dirname realpath readlink jq yq xxd od hexdump " +
    "strings md5sum sha1sum sha256sum locate fd seq tput : scroll_up scroll_down goto open view search_dir " +
    "search_file find_file lsof netstat free top uptime source . export set unset alias ulimit umask for done fi " +
    "case esac } return exit wait submit"
  ).split(" "),
);
const gitLookers: ReadonlySet<string> = new Set(
  (
    "status log diff show blame grep ls-files ls-tree rev-parse describe remote shortlog cat-file reflog " +
    "rev-list whatchanged version help"
  ).split(" "),
);
const testRunners: ReadonlySet<string> = new Set(
  (
    "pytest py.test tox nox nosetests jest vitest mocha ava karma rspec ctest phpunit mypy pyright flake8 " +
    "pylint unittest trial runtests.py runtests"
  ).split(" "),
);
/** Programs that run tests when their first argument says so. */
const testVerbs: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    npm: ["test", "t"],
    yarn: ["test"],
    pnpm: ["test"],
    bun: ["test"],
    deno: ["test"],
    go: ["test", "vet"],
    cargo: ["test", "check", "clippy"],
    mvn: ["test", "verify"],
    gradle: ["test", "check"],
    gradlew: ["test", "check"],
    make: ["test", "tests", "check"],
    dotnet: ["test"],
    rake: ["test", "spec"],
    swift: ["test"],
    mix: ["test"],
    sbt: ["test"],
    node: ["--test"],
  }).map(([program, verbs]) => [program, new Set(verbs)]),
);
const wrappers: ReadonlySet<string> = new Set([
  "do",
  "then",
  "else",
  "if",
  "while",
  "until",
  "!",
  "{",
  "sudo",
  "time",
  "timeout",
  "nice",
  "nohup",
  "exec",
  "command",
  "npx",
  "uv",
  "poetry",
  "pipenv",
  "bundle",
  "conda",
  "run",
  "xvfb-run",
]);

/** Longer commands carry whole files; what follows this many characters is not looked at. */
const analysed = 20_000;

export function shellEffect(command: string): ShellEffect {
  if (command.length > analysed) return "changes";
  let effect: ShellEffect = "looks";
  for (const segment of segmentsOf(command)) {
    if (segment.writesFile) return "changes";
    const each = segmentEffect(segment.words);
    if (each === "changes") return each;
    if (each === "tests") effect = "tests";
  }
  return effect;
}

interface Segment {
  readonly words: readonly string[];
  readonly writesFile: boolean;
}

/** 1 for characters that may end a word or begin something else. */
const special = new Uint8Array(128);
for (const char of " \t\r\n'\"\\;|()&<>") special[char.charCodeAt(0)] = 1;

/** Splits a command into the simple commands it consists of. One pass; quotes hide what is in them. */
function segmentsOf(command: string): readonly Segment[] {
  const segments: Segment[] = [];
  let words: string[] = [];
  let word = "";
  let inWord = false;
  let writesFile = false;
  /** 1 while the next word is the target of an output redirection. */
  let target = 0;
  const endWord = (): void => {
    if (!inWord) return;
    if (target === 1) {
      if (word !== "/dev/null" && word !== "/dev/stderr" && word !== "/dev/stdout") writesFile = true;
      target = 0;
    } else words.push(word);
    word = "";
    inWord = false;
  };
  const endSegment = (): void => {
    endWord();
    if (words.length > 0 || writesFile) segments.push({ words, writesFile });
    words = [];
    writesFile = false;
    target = 0;
  };
  let i = 0;
  while (i < command.length) {
    const char = command[i] as string;
    if (char === "'" || char === '"') {
      const from = i + 1;
      i = closingQuote(command, from, char);
      word += command.slice(from, i);
      inWord = true;
    } else if (char === "\\") {
      word += command[++i] ?? "";
      inWord = true;
    } else if (char === " " || char === "\t" || char === "\r") endWord();
    else if (char === "\n" || char === ";" || char === "|" || char === "(" || char === ")") endSegment();
    else if (char === "&") {
      if (target === 1) {
        // `>&2` and `2>&1` join streams and write no file.
        target = 0;
        while (i + 1 < command.length && /[\d-]/.test(command[i + 1] as string)) i++;
      } else if (command[i + 1] === ">") {
        // `&>` is a redirection, not the end of a command.
      } else endSegment();
    } else if (char === ">") {
      if (/^\d$/.test(word)) {
        word = "";
        inWord = false;
      }
      endWord();
      target = 1;
      if (command[i + 1] === ">") i++;
    } else if (char === "<" && command[i + 1] === "<" && command[i + 2] !== "<") {
      endWord();
      const end = hereDocument(command, i);
      if (end.bodyFrom !== null) {
        // What follows the marker on its line still belongs to the command
        // (a second document on it is not followed).
        const rest = segmentsOf(command.slice(end.lineFrom, end.bodyFrom).replaceAll("<<", " "));
        for (const each of rest) {
          if (each.writesFile) writesFile = true;
        }
        endSegment();
        i = end.bodyTo;
        continue;
      }
      i++;
    } else if (char === "#" && !inWord) {
      const newline = command.indexOf("\n", i);
      i = newline < 0 ? command.length : newline;
      continue;
    } else {
      const from = i++;
      while (i < command.length && special[command.charCodeAt(i)] !== 1) i++;
      word += command.slice(from, i);
      inWord = true;
      continue;
    }
    i++;
  }
  endSegment();
  return segments;
}

function closingQuote(command: string, from: number, quote: string): number {
  let i = from;
  while (i < command.length && command[i] !== quote) {
    if (command[i] === "\\" && quote === '"') i++;
    i++;
  }
  return Math.min(i, command.length);
}

interface HereDocument {
  readonly lineFrom: number;
  readonly bodyFrom: number | null;
  readonly bodyTo: number;
}

/** Finds the body of the here document whose `<<` stands at `at`. */
export function hereDocument(command: string, at: number): HereDocument {
  const marker = /^<<-?[ \t]*(['"]?)([A-Za-z_]\w{0,40})\1/.exec(command.slice(at, at + 64));
  const tag = marker?.[2];
  const newline = command.indexOf("\n", at);
  if (marker === null || tag === undefined || newline < 0) {
    return { lineFrom: at, bodyFrom: null, bodyTo: command.length };
  }
  const lineFrom = at + marker[0].length;
  let lineStart = newline + 1;
  while (lineStart <= command.length) {
    const next = command.indexOf("\n", lineStart);
    const lineEnd = next < 0 ? command.length : next;
    if (lineEnd - lineStart < 64 && command.slice(lineStart, lineEnd).trim() === tag) {
      return { lineFrom, bodyFrom: newline + 1, bodyTo: lineEnd };
    }
    if (next < 0) break;
    lineStart = next + 1;
  }
  return { lineFrom, bodyFrom: newline + 1, bodyTo: command.length };
}

function segmentEffect(all: readonly string[]): ShellEffect {
  let at = 0;
  while (at < all.length) {
    const word = all[at] as string;
    if (/^[A-Za-z_]\w*=/.test(word)) at++;
    else if (wrappers.has(word)) {
      at++;
      while (at < all.length && /^(-|\d+[smh]?$)/.test(all[at] as string)) at++;
    } else break;
  }
  const name = baseName(all[at] ?? "");
  const words = all.slice(at + 1);
  if (name === "") return "looks";
  if (testRunners.has(name)) return "tests";
  if (lookers.has(name)) return "looks";
  const first = words.find((word) => !word.startsWith("-")) ?? "";
  if (testVerbs.get(name)?.has(name === "node" ? (words[0] ?? "") : first) === true) return "tests";
  if (name === "npm" || name === "yarn" || name === "pnpm" || name === "bun") {
    return words.some((word) => word === "test" || word.startsWith("test:")) ? "tests" : "changes";
  }
  if (name === "git") return gitEffect(words);
  if (name === "sed")
    return words.some((word) => /^-[a-zA-Z]*i|^--in-place/.test(word)) ? "changes" : "looks";
  if (name === "find") {
    return words.some((word) => /^-(delete|fprint|ok|exec)/.test(word)) && !findOnlyLooks(words)
      ? "changes"
      : "looks";
  }
  if (name === "xargs") return segmentEffect(words.filter((word) => !word.startsWith("-")));
  if (name === "str_replace_editor") return first === "view" ? "looks" : "changes";
  if (/^python[\d.]*$/.test(name)) return pythonEffect(words);
  if (/^pip[\d.]*$/.test(name)) return /^(list|show|freeze|index|check)$/.test(first) ? "looks" : "changes";
  return words.length === 1 && /^(--version|-V|--help|-h)$/.test(words[0] ?? "") ? "looks" : "changes";
}

function gitEffect(words: readonly string[]): ShellEffect {
  let at = 0;
  while (at < words.length && (words[at] as string).startsWith("-")) {
    at += words[at] === "-C" || words[at] === "-c" ? 2 : 1;
  }
  const verb = words[at] ?? "";
  if (gitLookers.has(verb)) return "looks";
  const rest = words.slice(at + 1);
  if (verb === "branch" || verb === "tag")
    return rest.every((word) => /^-[avrl]/.test(word)) ? "looks" : "changes";
  if (verb === "stash") return rest[0] === "list" || rest[0] === "show" ? "looks" : "changes";
  if (verb === "config") return rest.some((word) => /^(--get|--list|-l)/.test(word)) ? "looks" : "changes";
  return verb === "" ? "looks" : "changes";
}

function findOnlyLooks(words: readonly string[]): boolean {
  const at = words.findIndex((word) => /^-exec(dir)?$/.test(word));
  if (at < 0 || words.includes("-delete")) return false;
  return lookers.has(baseName(words[at + 1] ?? ""));
}

function pythonEffect(words: readonly string[]): ShellEffect {
  const module = words[0] === "-m" ? (words[1] ?? "") : "";
  if (testRunners.has(module)) return "tests";
  const script = words.find((word) => !word.startsWith("-")) ?? "";
  if (testRunners.has(baseName(script))) return "tests";
  if (baseName(script) === "manage.py" && words.includes("test")) return "tests";
  return words.length === 1 && /^(--version|-V)$/.test(words[0] ?? "") ? "looks" : "changes";
}

function baseName(word: string): string {
  return word.slice(word.lastIndexOf("/") + 1);
}
