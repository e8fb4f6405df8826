import type { Format } from "../format.ts";
import { atif } from "./atif.ts";
import { crew } from "./crew.ts";
import { miniSweAgent } from "./mini-swe-agent.ts";
import { openaiMessages } from "./openai-messages.ts";
import { openhands } from "./openhands.ts";
import { sweAgent } from "./swe-agent.ts";

/** The formats that come with Gymline; mappings and registered formats stand beside them. */
export const builtinFormats: readonly Format[] = [
  openhands,
  sweAgent,
  miniSweAgent,
  openaiMessages,
  atif,
  crew,
];
