"""Encoded sequences on disk, so that a hundred thousand rows need no memory and are encoded once.

They are written as an Arrow file, a few at a time, and read through a memory map. The folder's name is the hash of
everything that shapes them: the data's hashes, tokenizer, template, options. It appears whole or not at all. Nothing takes
old ones away: remove the folder `encoded` of the cache to be rid of them.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .chat import ChatFormat, PlainText
from .encode import Encoder
from .options import EncodeOptions, Figures
from .rows import Dataset
from .sources import cache_folder

# Raised whenever the same rows give other sequences.
REVISION = 1
_BATCH_TOKENS = 1 << 18

_TOKENS = pa.list_(pa.int32())
_NUMBERS = pa.list_(pa.float64())
_CHUNK = pa.struct([("trajectory", pa.string()), ("index", pa.int32()), ("of", pa.int32())])
_BASE = [
    ("input_ids", _TOKENS), ("labels", _TOKENS), ("step_ids", _TOKENS), ("weights", _NUMBERS),
    ("chunk", _CHUNK), ("difficulty", pa.float64()),
]  # fmt: skip
_GRPO = [
    ("advantages", _NUMBERS), ("behaviour_logprobs", _NUMBERS), ("group", pa.string()), ("trajectory", pa.string()),
    ("reward", pa.float64()),
]  # fmt: skip
_SCHEMAS = {
    "sft": pa.schema(_BASE),
    "grpo": pa.schema([*_BASE, *_GRPO]),
    "dpo": pa.schema([("chosen", pa.struct(_BASE)), ("rejected", pa.struct(_BASE)), ("weight", pa.float64())]),
    "prm": pa.schema([*_BASE, ("targets", _NUMBERS)]),
}


class EncodedSet(Sequence[dict[str, Any]]):
    """Sequences of one algorithm, read when they are asked for: as encoded.py says, pairs for DPO.

    It may be handed to the workers of a DataLoader: each opens the file for itself.
    """

    def __init__(self, folder: Path, algorithm: str) -> None:
        self.folder = folder
        self.algorithm = algorithm
        self.figures = Figures(**json.loads((folder / "complete.json").read_text()))
        self._open()

    def _open(self) -> None:
        self._reader = pa.ipc.open_file(pa.memory_map(str(self.folder / "sequences.arrow")))
        counts = [self._reader.get_batch(index).num_rows for index in range(self._reader.num_record_batches)]
        self._starts = np.cumsum([0, *counts])

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "algorithm": self.algorithm, "figures": self.figures}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(index)
        batch = int(np.searchsorted(self._starts, place, side="right")) - 1
        return self._reader.get_batch(batch).slice(place - int(self._starts[batch]), 1).to_pylist()[0]

    def _column(self, name: str) -> Iterator[Any]:
        for index in range(self._reader.num_record_batches):
            batch = self._reader.get_batch(index)
            sides = [batch.column(side) for side in ("chosen", "rejected")] if self.algorithm == "dpo" else [batch]
            yield [pc.struct_field(side, [name]) if self.algorithm == "dpo" else side.column(name) for side in sides]

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each sequence; of a pair, those of its longer side."""
        parts = [np.max([pc.list_value_length(side) for side in sides], axis=0) for sides in self._column("input_ids")]
        return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, np.int64)

    @cached_property
    def difficulties(self) -> NDArray[np.float64]:
        parts = [np.mean([np.asarray(side) for side in sides], axis=0) for sides in self._column("difficulty")]
        return np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)


def encoded_set(
    algorithm: str,
    dataset: Dataset,
    format: ChatFormat | PlainText,
    options: EncodeOptions,
    cache: Path | None = None,
) -> EncodedSet:
    """The sequences of a dataset, from the cache where they are there. Raises DataError with every fault."""
    home = (cache or cache_folder()) / "encoded"
    folder = home / _key(algorithm, dataset, format, options)
    if not (folder / "complete.json").exists():
        home.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=home, prefix=".tmp-"))
        try:
            _write(beside, algorithm, Encoder(dataset, format, options))
            try:
                os.rename(beside, folder)
            except OSError:
                # Another process was first, with the same.
                if not (folder / "complete.json").exists():
                    raise
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return EncodedSet(folder, algorithm)


def _write(folder: Path, algorithm: str, encoder: Encoder) -> None:
    schema = _SCHEMAS[algorithm]
    with pa.OSFile(str(folder / "sequences.arrow"), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        batch: list[Any] = []
        tokens = 0
        for sequence in getattr(encoder, algorithm)():
            batch.append(sequence)
            tokens += sum(len(side["input_ids"]) for side in (sequence.get("chosen", sequence), sequence.get("rejected", sequence)))
            if tokens >= _BATCH_TOKENS:
                writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=schema))
                batch, tokens = [], 0
        if batch:
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=schema))
    encoder.faults.raise_if_any()
    (folder / "complete.json").write_text(json.dumps(asdict(encoder.figures)))


def _key(algorithm: str, dataset: Dataset, format: ChatFormat | PlainText, options: EncodeOptions) -> str:
    tokenizer = format.tokenizer
    shaping = {
        "revision": REVISION,
        "algorithm": algorithm,
        "files": [file.sha256 for file in dataset.version.files],
        "tokenizer": hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode()).hexdigest(),
        "special": {name: str(token) for name, token in tokenizer.special_tokens_map.items()},
        "template": format.template,
        "options": asdict(options),
    }
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:32]
