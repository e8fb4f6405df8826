import type { Artefact } from "./artefact.ts";

/** A sample that a bad input is made from is not in the plan any more. */
export class MissingSampleError extends Error {
  override readonly name = "MissingSampleError";
  constructor(path: string) {
    super(`no sample named "${path}" was recorded; make the bad inputs from another one`);
  }
}

/** What a real drop folder holds beside good logs; made from the recorded files where that is possible. */
export function badInputs(recorded: readonly Artefact[]): readonly Artefact[] {
  const bytesOf = (path: string): Uint8Array => {
    const found = recorded.find((artefact) => artefact.path === path);
    if (found === undefined) throw new MissingSampleError(path);
    return found.bytes;
  };
  const session = bytesOf("coding-team/openhands/sessions/leap-year.json");
  const settings = {
    editor: { tabSize: 2, wordWrap: "on" },
    theme: "dark",
    recent: ["src/cart.js", "src/lru.js"],
  };
  return [
    {
      path: "coding-team/swe-agent/copy of duration.traj",
      bytes: bytesOf("coding-team/swe-agent/duration-with-parts.traj"),
    },
    {
      path: "coding-team/openhands/sessions/interrupted.json",
      bytes: session.subarray(0, Math.floor(session.length / 2)),
    },
    { path: "coding-team/mini/empty.traj.json", bytes: new Uint8Array() },
    {
      path: "ops-team/core.bin",
      bytes: Uint8Array.from({ length: 512 }, (_, index) => (index * 167 + 13) % 256),
    },
    {
      path: "support-team/editor-settings.json",
      bytes: Buffer.from(`${JSON.stringify(settings, null, 2)}\n`),
    },
  ];
}
