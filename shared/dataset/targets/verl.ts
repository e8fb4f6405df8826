import { originOf, type Rendering, row, type Source } from "./rendering.ts";
import { toolsText } from "./tools-text.ts";

export function verlRow(source: Source): Rendering {
  return row({
    messages: source.messages.map(({ message, trainable }) =>
      message.role === "assistant" ? { ...message, trainable } : message,
    ),
    tools: toolsText(source.trajectory),
    ...originOf(source),
  });
}

/** A dataset class for verl that stands beside the data. */
export const VERL_DATASET = `"""verl's multi-turn SFT dataset for Gymline's files, whose column \`tools\` is JSON text.

Use it with data.custom_cls.path=<this file> data.custom_cls.name=GymlineSFTDataset.
"""

import json

from verl.utils.dataset.multiturn_sft_dataset import MultiTurnSFTDataset


def without_none(value):
    """Parquet gives each message the fields of all others, as None; chat templates want them absent."""
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [without_none(item) for item in value]
    return value


class GymlineSFTDataset(MultiTurnSFTDataset):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tools = [json.loads(text) or None for text in self.dataframe[self.tools_key]]

    def _build_messages(self, example):
        return [without_none(message) for message in super()._build_messages(example)]
`;
