import { originOf, type Rendering, row, type Source } from "./rendering.ts";
import { toolsText } from "./tools-text.ts";

export function verlRow(source: Source): Rendering {
  return row({
    messages: source.turns.map(({ message, trainable }) =>
      message.role === "assistant" ? { ...message, trainable } : message,
    ),
    tools: toolsText(source.trajectory),
    ...originOf(source),
  });
}

/** A dataset class for verl that stands beside the data. */
export const VERL_DATASET = `"""verl's multi-turn SFT dataset for Gymline's files: tools and arguments are JSON text, and messages may be left out of the loss.

Use it with data.custom_cls.path=<this file> data.custom_cls.name=GymlineSFTDataset.
"""

import json

from verl.utils.dataset.multiturn_sft_dataset import MultiTurnSFTDataset


def without_none(value):
    """Parquet gives each message the fields of all others, as None; chat templates want them absent."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [without_none(item) for item in value]
    return value


def with_objects(message):
    """Arguments as objects where they are: most chat templates would quote a text once more, or stop at it."""
    for call in message.get("tool_calls") or []:
        try:
            arguments = json.loads(call["function"]["arguments"] or "{}")
        except ValueError:
            continue
        if isinstance(arguments, dict):
            call["function"]["arguments"] = arguments
    return message


class GymlineSFTDataset(MultiTurnSFTDataset):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tools = [json.loads(text) or None for text in self.dataframe[self.tools_key]]

    def _build_messages(self, example):
        messages = [with_objects(message) for message in without_none(example[self.messages_key])]
        return super()._build_messages({**example, self.messages_key: messages})

    def _process_single_message(self, **kwargs):
        input_ids, loss_mask, attention_mask, inputs = super()._process_single_message(**kwargs)
        if kwargs["message"].get("trainable") is False:
            loss_mask = loss_mask * 0
        return input_ids, loss_mask, attention_mask, inputs
`;
