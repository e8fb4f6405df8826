import { iso, uuidOf } from "../clock.ts";
import { type Conversation, INSTRUCTIONS, type Utterance } from "../support/conversation.ts";
import { toolDefinitions } from "../support/shop.ts";

/**
 * The log of a made-up in-house help desk: a shape that no framework writes, so that it takes a mapping file
 * (`shared/samples/mappings/help-desk.json`) to read it. One line per case.
 */
export function helpDeskLine(conversation: Conversation): unknown {
  const { problem, checks, resolved } = conversation;
  return {
    desk: {
      product: "help-desk-bot",
      release: "5.2",
      brain: conversation.model,
      brief: INSTRUCTIONS,
      buttons: toolDefinitions(),
    },
    case: problem.id,
    thread: uuidOf(conversation.dice),
    opened: iso(conversation.startedAt),
    talk: conversation.utterances.flatMap(entries),
    closed: {
      happy: resolved ? "yes" : "no",
      points: checks.filter(({ holds }) => holds).length / checks.length,
    },
  };
}

function entries(utterance: Utterance): readonly unknown[] {
  const when = iso(utterance.at);
  if (utterance.kind === "customer") return [{ who: "customer", when, words: utterance.text }];
  if (utterance.kind === "agent") return [{ who: "bot", when, words: utterance.text }];
  const { id, tool, args, thought, answer } = utterance;
  const back = { who: "shop", when: iso(utterance.answeredAt), ref: id, words: JSON.stringify(answer.value) };
  return [
    { who: "bot", when, why: thought, words: "", pressed: [{ ref: id, button: tool, with: args }] },
    answer.ok ? back : { ...back, refused: "yes" },
  ];
}
