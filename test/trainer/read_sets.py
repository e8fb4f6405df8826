"""Reads exported sets as the trainer does, through a tiny tokenizer, and tells what would be learnt of them.

Argument: JSON of the sets' folders by algorithm. Prints one JSON object.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "containers/trainer"))

import tiny

from gymline_trainer.chat import ChatFormat, template_of
from gymline_trainer.encode import Encoder
from gymline_trainer.options import EncodeOptions
from gymline_trainer.rows import open_dataset


def said(dataset: Any) -> Iterator[str]:
    """What the agent wrote in the messages that are learnt."""
    for row in dataset:
        for message, is_trained in zip(row.messages, row.trained):
            if is_trained:
                yield message["content"].strip()


def read(algorithm: str, folder: str, max_length: int) -> dict[str, Any]:
    dataset = open_dataset(folder, algorithm)
    tokenizer = tiny.tokenizer(vocab_size=1000)
    format = ChatFormat(tokenizer, template_of("trl:qwen3_5_think_training"))
    encoder = Encoder(dataset, format, EncodeOptions(max_length=max_length, over_long="cut"))
    learnt: list[str] = []
    for found in getattr(encoder, algorithm)():
        for sequence in [found["chosen"], found["rejected"]] if algorithm == "dpo" else [found]:
            assert len(sequence["input_ids"]) <= max_length
            learnt.append(tokenizer.decode([label for label in sequence["labels"] if label >= 0]))
    encoder.faults.raise_if_any()
    missing = 0
    if algorithm in ("sft", "grpo") and encoder.figures.cut == 0:
        text = "".join(learnt)
        missing = sum(content not in text for content in said(dataset))
    return {**asdict(encoder.figures), "missing": missing}


if __name__ == "__main__":
    sets = json.loads(sys.argv[1])
    print(json.dumps({name: read(algorithm, folder, length) for name, (algorithm, folder, length) in sets.items()}))
