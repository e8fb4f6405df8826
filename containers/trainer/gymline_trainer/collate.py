"""Rows of sequences as tensors. What a loss needs stands per trained token, so that losses never see padding.

Attention goes by lengths, never by ids: the padding token may well be one that the agent wrote. In a packed row positions
begin anew in each sequence and there is no attention mask: from that, every kind of attention in Transformers keeps
sequences apart. Its padding counts as sequences of one token.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .encoded import IGNORED


@dataclass
class Batch:
    """N: trained tokens, row after row. S: sequences.

    inputs: input_ids, attention_mask or position_ids, [rows, T].
    rows, columns: [N], where the output stands that predicts (or judges) each. targets: [N], the token, or 1 and 0.
    sequence: [N], which of the S sequences it is of. keys: of each sequence, (index in the data, side).
    advantages, behaviour, soft: [N], where the data has them. reference: [N], of the model begun with.
    tokens: without padding.
    """

    inputs: dict[str, Tensor]
    rows: Tensor
    columns: Tensor
    targets: Tensor
    weights: Tensor
    sequence: Tensor
    keys: list[tuple[int, int]]
    trajectories: list[str]
    tokens: int
    pair_weights: Tensor | None = None
    advantages: Tensor | None = None
    behaviour: Tensor | None = None
    soft: Tensor | None = None
    reference: Tensor | None = None

    @property
    def sequences(self) -> int:
        return len(self.keys)

    def to(self, device: torch.device) -> "Batch":
        move = lambda value: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
        own = {of.name: move(getattr(self, of.name)) for of in fields(self)}
        return Batch(**{**own, "inputs": {name: move(value) for name, value in self.inputs.items()}})


@dataclass(frozen=True)
class _Own:
    """A sequence of a batch, and its key."""

    key: tuple[int, int]
    value: Any


class Collator:
    """Batches from rows of indices into `data` (see encoded.py): one index per row, or several where rows are packed."""

    def __init__(self, data: Sequence[Any], pad: int, *, packing: bool = False) -> None:
        """pad: id that padding has; any will do."""
        self._data = data
        self._pad = pad
        self._packing = packing

    def __call__(self, rows: Sequence[Sequence[int]]) -> Batch:
        taken = [[_Own((index, 0), self._data[index]) for index in row] for row in rows]
        if taken and "chosen" in taken[0][0].value:
            return self._pairs([own for row in taken for own in row])
        return self._batch(taken)

    def _pairs(self, pairs: Sequence[_Own]) -> Batch:
        """All chosen sides, then all rejected ones in the same order."""
        sides = [[_Own((pair.key[0], number), pair.value[side])] for number, side in enumerate(("chosen", "rejected")) for pair in pairs]
        batch = self._batch(sides)
        batch.pair_weights = torch.tensor([pair.value["weight"] for pair in pairs], dtype=torch.float32)
        return batch

    def _batch(self, rows: Sequence[Sequence[_Own]]) -> Batch:
        lengths = [sum(len(own.value["input_ids"]) for own in row) for row in rows]
        width = max(lengths)
        ids = np.full((len(rows), width), self._pad, np.int64)
        positions = np.zeros((len(rows), width), np.int64)
        parts: dict[str, list[Any]] = {name: [] for name in ("rows", "columns", "sequence", *_PER_TOKEN)}
        keys: list[tuple[int, int]] = []
        for number, row in enumerate(rows):
            at = 0
            for own in row:
                sequence = own.value
                length = len(sequence["input_ids"])
                ids[number, at : at + length] = sequence["input_ids"]
                positions[number, at : at + length] = np.arange(length)
                _add_trained(parts, sequence, (number, at, len(keys)))
                keys.append(own.key)
                at += length
        inputs = {"input_ids": torch.from_numpy(ids)}
        if self._packing:
            inputs["position_ids"] = torch.from_numpy(positions)
        else:
            inputs["attention_mask"] = torch.from_numpy((np.arange(width) < np.array(lengths)[:, None]).astype(np.int64))
        joined = {name: np.concatenate(values) if values else None for name, values in parts.items()}
        tensor = lambda name, of: None if joined[name] is None else torch.from_numpy(joined[name].astype(of))
        return Batch(
            inputs=inputs,
            rows=tensor("rows", np.int64),
            columns=tensor("columns", np.int64),
            targets=tensor("labels", np.int64),
            weights=tensor("weights", np.float32),
            sequence=tensor("sequence", np.int64),
            keys=keys,
            trajectories=[own.value["chunk"]["trajectory"] for row in rows for own in row],
            tokens=sum(lengths),
            advantages=tensor("advantages", np.float32),
            behaviour=tensor("behaviour_logprobs", np.float32),
            soft=tensor("targets", np.float32),
        )


_PER_TOKEN = ("labels", "weights", "advantages", "behaviour_logprobs", "targets")


def trained_places(sequence: Any) -> Any:
    """Where a sequence has labels. The first token of one is never predicted, so it is none of them, unless steps are judged."""
    places = np.flatnonzero(np.asarray(sequence["labels"]) != IGNORED)
    return places if "targets" in sequence else places[places > 0]


def _add_trained(parts: dict[str, list[Any]], sequence: Any, place: tuple[int, int, int]) -> None:
    """place: row, where the sequence begins in it, its number in the batch."""
    row, at, number = place
    trained = trained_places(sequence)
    # A token is predicted at the place before it; a step is judged at its last token.
    back = 0 if "targets" in sequence else 1
    parts["rows"].append(np.full(len(trained), row))
    parts["columns"].append(trained + at - back)
    parts["sequence"].append(np.full(len(trained), number))
    for name in _PER_TOKEN:
        if name in sequence:
            parts[name].append(np.asarray(sequence[name])[trained])
