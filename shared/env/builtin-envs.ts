import { z } from "zod";
import { conversationEnv } from "./conversation/conversation-env.ts";
import { householdTools } from "./conversation/household.ts";
import type { ConversationTool } from "./conversation/mock-tools.ts";
import type { MakeUser, UserModel } from "./conversation/simulated-user.ts";
import type { EnvRegistration } from "./registry.ts";
import { sandboxRegistration } from "./sandbox-registration.ts";
import { ObservationTruncate } from "./wrappers/observation-truncate.ts";

/** The second is for those who come from knowlyr-gym. */
const NAMESPACES = ["gymline", "knowlyr"] as const;

const conversationOptions = z.strictObject({
  tools: z.custom<readonly ConversationTool[]>(Array.isArray, "a list of tools is needed").exactOptional(),
  maxTurns: z.int().min(1).exactOptional(),
  user: z.custom<MakeUser>((value) => typeof value === "function", "a function is needed").exactOptional(),
  userModel: z
    .custom<UserModel>(
      (value) => typeof value === "object" && value !== null && "model" in value,
      "{ model } is needed",
    )
    .exactOptional(),
});

const CONVERSATIONS: Readonly<Record<string, string>> = {
  conversation: "Talk to a user, with tools to look things up and to write to others.",
  engineering: "Look into code and systems with mock tools, and hand in a conclusion.",
  advisory: "Gather what there is to know, and hand in a recommendation.",
  discussion: "Contribute to a discussion, with a knowledge base.",
};

/** An environment's registration but for its id, by its name without namespace and version. */
const FACTORIES: Readonly<Record<string, Omit<EnvRegistration, "id">>> = {
  sandbox: sandboxRegistration,
  ...Object.fromEntries(
    Object.entries(CONVERSATIONS).map(([domain, description]) => [domain, conversation(domain, description)]),
  ),
};

/** The environments that come with the package; those of knowlyr-gym under both namespaces. */
export function builtinEnvs(): readonly EnvRegistration[] {
  const known = NAMESPACES.flatMap((namespace) =>
    Object.entries(FACTORIES).map(([name, factory]) => ({ ...factory, id: `${namespace}/${name}-v1` })),
  );
  return [...known, HOUSEHOLD];
}

/** Small enough to be learnt in minutes by a model that knows nothing. */
const HOUSEHOLD = {
  id: "gymline/household-v1",
  domain: "conversation",
  description: "Run an errand in a house of three rooms: find somebody, switch something on.",
  options: z.strictObject({}),
  create: ({ id }) => conversationEnv({ id, domain: "conversation", tools: householdTools() }),
  wrappers: () => [(env) => new ObservationTruncate(env)],
} satisfies EnvRegistration;

function conversation(domain: string, description: string): Omit<EnvRegistration, "id"> {
  return {
    domain,
    description,
    options: conversationOptions,
    create: ({ id, options }) => conversationEnv({ id, domain, ...options }),
    wrappers: () => [(env) => new ObservationTruncate(env)],
  } satisfies Omit<EnvRegistration<z.infer<typeof conversationOptions>>, "id">;
}
