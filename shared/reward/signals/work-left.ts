import type { CallFacts } from "../call-facts.ts";
import { commandOf } from "../file-traces.ts";
import type { SignalInput, SignalRule } from "./signal.ts";

/** Files an agent makes to see for itself: reproductions, trials, notes. */
const scratch =
  /(?:^|[_.-])(?:repro\w*|replicat\w*|bug|issue|debug\w*|scratch|tmp|temp|trial|try|demo|example|simulat\w*|minimal|mwe|check|verify|investigation|findings|summary|test|tests|r|a|b|x)(?:[_.-]|$)/i;

function isScratch(path: string): boolean {
  return scratch.test(nameOf(path));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/**
 * A coding run that hands in must have changed something: a file that was there, or a new one that is no
 * trial of the agent's own. The patch that handing in printed decides, else the edits; where commands may
 * have changed files unseen, the signal does not apply.
 */
export const noChange: SignalRule = ({ facts }) => {
  if (facts.domain !== "coding" || facts.calls.length === 0) return null;
  const patched = patchOf(facts.calls);
  if (patched !== null) {
    const real = patched.some((path) => !isScratch(path));
    return real ? changed : { score: 0, message: unchanged(patched.length === 0) };
  }
  const created = new Set(facts.calls.flatMap(({ files }) => files.creates.map(nameOf)));
  const edits = facts.calls.filter(({ edit }) => edit === "applied");
  const real = edits.some(({ edited }) => !created.has(nameOf(edited)) || !isScratch(edited));
  if (real) return changed;
  if (facts.calls.some(mayChange)) return null;
  return { score: 0, message: unchanged(edits.length === 0) };
};

const changed = { score: 1, message: "files were changed" };

function unchanged(nothing: boolean): string {
  return nothing ? "nothing was changed" : "only trial files of the agent's own were changed";
}

/** Files of the patch that handing in printed; null where none was printed. */
function patchOf(calls: readonly CallFacts[]): readonly string[] | null {
  const last = calls.at(-1);
  if (last === undefined || last.role !== "submit") return null;
  const files: string[] = [];
  for (const match of last.view.at.output.slice(0, 200_000).matchAll(/^diff --git a\/(\S{1,1000}) b\//gm)) {
    files.push(match[1] ?? "");
  }
  return files.length === 0 ? null : files;
}

/** Commands that run a trial or print something change nothing that would be handed in; any other may. */
function mayChange(call: CallFacts): boolean {
  if (call.role !== "command" || call.failed === true) return false;
  const command = commandOf(call.view).slice(0, 20_000);
  const run = /^\s*(?:\w+=\S* )*(?:python[\d.]*|node|bash|sh|ruby)\s+(?:-\w+ )*(\S+\.\w+)/.exec(command)?.[1];
  if (run !== undefined) return !isScratch(run);
  if (/^\s*(?:python[\d.]*|node|ruby) (?:-c|-e|-)/.test(command))
    return /write|open\(|\bsub\(|replace\(/.test(command);
  return !/^\s*(?:pip|mkdir|touch|rm|which|export|cd \S+\s*$)/.test(command);
}

/** Trial files of the agent's own that are still there at the end: 1 for none, 1/2 for one, 1/3 for two… */
export const leftoverFiles: SignalRule = ({ facts }: SignalInput) => {
  if (facts.domain !== "coding" || facts.calls.length === 0) return null;
  const left = new Map<string, number>();
  for (const call of facts.calls) {
    if (call.edit !== "refused") {
      for (const path of call.files.creates) if (isScratch(path)) left.set(nameOf(path), call.view.at.step);
    }
    for (const path of call.files.removes) remove(left, nameOf(path));
  }
  const steps = [...left.values()];
  return {
    score: 1 / (1 + left.size),
    message:
      left.size === 0
        ? "no trial files were left behind"
        : `${left.size} trial file${left.size === 1 ? "" : "s"} of step${left.size === 1 ? "" : "s"} ${steps.slice(0, 5).join(", ")} left behind`,
  };
};

function remove(left: Map<string, number>, name: string): void {
  if (!name.includes("*")) {
    left.delete(name);
    return;
  }
  const [start = "", end = ""] = name.split("*");
  for (const each of [...left.keys()]) if (each.startsWith(start) && each.endsWith(end)) left.delete(each);
}
