"""Datasets of rows that a test has made."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gymline_trainer.chat import ChatFormat
from gymline_trainer.checks import Needs
from gymline_trainer.encode import Encoder
from gymline_trainer.options import EncodeOptions
from gymline_trainer.rows import Dataset, open_dataset


def opened(folder: Path, rows: Sequence[dict[str, Any]], algorithm: str = "sft", needs: Needs = Needs()) -> Dataset:
    """The rows from a file without a manifest. Raises DataError."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return open_dataset(str(path), algorithm, needs=needs)


def encoded(algorithm: str, dataset: Dataset, tokenizer: Any, options: EncodeOptions = EncodeOptions(), template: str | None = None) -> list[Any]:
    """All sequences in memory. Raises DataError with every fault, ConfigError."""
    encoder = Encoder(dataset, ChatFormat(tokenizer, template), options)
    made = list(getattr(encoder, algorithm)())
    encoder.faults.raise_if_any()
    return made
