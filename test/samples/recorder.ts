import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Artefact, jsonFile, jsonLines, packed } from "./artefact.ts";
import { badInputs } from "./bad-inputs.ts";
import { type Episode, recordEpisode, type Toolset } from "./coding/episode.ts";
import { recordSession } from "./crew/session.ts";
import { type CodingRun, type PlannedFile, plan, type SupportRun } from "./plan.ts";
import { type Conversation, recordConversation } from "./support/conversation.ts";
import { atifOfConversation, atifOfEpisode } from "./writers/atif.ts";
import { chatRow } from "./writers/chat.ts";
import { helpDeskLine } from "./writers/house-log.ts";
import { miniTraj } from "./writers/mini-swe-agent.ts";
import { openhandsEvents, openhandsRow } from "./writers/openhands.ts";
import { sweAgentRow, sweAgentTraj } from "./writers/swe-agent.ts";
import { zipOf } from "./writers/zip.ts";

/** Records all samples and writes them below `<folder>/drop`. Gives the paths in the order of their writing. */
export function recordSamples(folder: string): readonly string[] {
  const artefacts = recordAll();
  for (const { path, bytes } of artefacts) {
    const place = join(folder, "drop", path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, bytes);
  }
  return artefacts.map(({ path }) => path);
}

/** Each run has its ordinal in the plan as its seed and its place in time. */
function recordAll(): readonly Artefact[] {
  const runs = new Runs();
  const recorded = plan.map((file) => recordFile(file, runs));
  return [...recorded, ...badInputs(recorded)];
}

class Runs {
  #next = 0;

  ordinal(): number {
    const ordinal = this.#next;
    this.#next += 1;
    return ordinal;
  }

  coding([task, skill]: CodingRun, toolset: Toolset = "bash-and-editor"): Episode {
    return recordEpisode({ ordinal: this.ordinal(), task, skill, toolset });
  }

  support([problem, manner]: SupportRun): Conversation {
    return recordConversation({ ordinal: this.ordinal(), case: problem, manner });
  }
}

function recordFile(file: PlannedFile, runs: Runs): Artefact {
  switch (file.kind) {
    case "openhands-events":
      return jsonFile(file.path, openhandsEvents(runs.coding(file.run)));
    case "openhands-rows":
      return packed(
        jsonLines(
          file.path,
          file.runs.map((run) => openhandsRow(runs.coding(run))),
        ),
        file.packing,
      );
    case "swe-agent-traj":
      return jsonFile(file.path, sweAgentTraj(runs.coding(file.run)));
    case "swe-agent-rows":
      return packed(
        jsonLines(
          file.path,
          file.runs.map((run) => sweAgentRow(runs.coding(run))),
        ),
        file.packing,
      );
    case "swe-agent-zip":
      return { path: file.path, bytes: zipOf(file.runs.map((run) => zippedTraj(runs.coding(run)))) };
    case "mini":
      return jsonFile(file.path, miniTraj(runs.coding(file.run, "bash"), file.variant));
    case "atif-coding":
      return jsonFile(file.path, atifOfEpisode(runs.coding(file.run)));
    case "atif-support":
      return jsonFile(file.path, atifOfConversation(runs.support(file.run)));
    case "chat":
      return withBrokenLine(
        jsonLines(
          file.path,
          file.runs.map((run) => chatRow(runs.support(run))),
        ),
        file.breakAfter,
      );
    case "help-desk":
      return jsonLines(
        file.path,
        file.runs.map((run) => helpDeskLine(runs.support(run))),
      );
    case "crew": {
      const session = recordSession({ ordinal: runs.ordinal(), job: file.job, cut: file.cut === true });
      return jsonLines(`${file.folder}/${session.name}.jsonl`, session.lines);
    }
  }
}

function zippedTraj(episode: Episode): { readonly name: string; readonly bytes: Uint8Array } {
  const { path, bytes } = jsonFile(
    `week-03/${episode.task.id}/${episode.task.id}.traj`,
    sweAgentTraj(episode),
  );
  return { name: path, bytes };
}

/** Puts the first half of a line between the good ones, as a writer that was killed leaves it. */
function withBrokenLine(artefact: Artefact, after: number | undefined): Artefact {
  if (after === undefined) return artefact;
  const lines = Buffer.from(artefact.bytes).toString("utf8").split("\n");
  const half = lines[0]?.slice(0, 700) ?? "";
  return { ...artefact, bytes: Buffer.from(lines.toSpliced(after, 0, half).join("\n")) };
}
