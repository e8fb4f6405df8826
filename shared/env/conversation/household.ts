import { z } from "zod";
import { defineTool } from "../define-env.ts";
import type { ConversationState } from "./conversation-state.ts";
import type { ConversationTool } from "./mock-tools.ts";

/** Rooms that devices can be switched on in. */
export const HOUSE_ROOMS = ["kitchen", "garden", "attic"] as const;
/** Who may be in one of them. */
export const HOUSE_PEOPLE = ["anna", "ben", "carla"] as const;
/** Each is a tool that switches it on, which ends the errand. */
export const HOUSE_DEVICES = ["light", "music", "heating"] as const;

/**
 * The tools of a house: one looks up where somebody is, as often as one likes; three switch something on in a room, once,
 * and that is that. Every param is one of three words, so an agent that acts at random succeeds now and then: at an errand
 * that names the room one time in nine.
 */
export function householdTools(): readonly ConversationTool[] {
  return [find, ...HOUSE_DEVICES.map(device)];
}

const find: ConversationTool = defineTool<ConversationState, z.ZodObject>({
  name: "find",
  description: "Where somebody is.",
  params: z.object({ person: z.enum(HOUSE_PEOPLE) }),
  run: ({ person }) => `${person} is out.`,
});

function device(name: (typeof HOUSE_DEVICES)[number]): ConversationTool {
  const tool = defineTool<ConversationState, z.ZodObject>({
    name,
    description: `Switches the ${name} on.`,
    params: z.object({ room: z.enum(HOUSE_ROOMS) }),
    run: ({ room }) => `The ${name} is on in the ${room}.`,
  });
  return { ...tool, ends: "always" };
}
