"""Several sequences in one row, without one seeing another.

Rows are filled best fit, longest first (as in TRL's `bfd`). Positions begin anew in each sequence, which is what flash
attention goes by; for other kinds `block_mask` gives the attention mask. The first token of a sequence is never a label:
it would be predicted from the last token of another.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from .encoded import IGNORED, Encoded, Packed
from .errors import ConfigError

_PER_TOKEN = ("input_ids", "labels", "step_ids", "weights", "advantages", "behaviour_logprobs")


def pack(lengths: Sequence[int], max_length: int, order: Sequence[int] | None = None) -> list[list[int]]:
    """Indices of the sequences of each row. Every index of `order` (all, if not given) is in exactly one row.

    Rows come in the order of their first sequence in `order`, so that a shuffle or a curriculum still acts. O(n log n) and,
    for each sequence, at most `max_length` moves. Raises ConfigError where a sequence is longer than a row.
    """
    taken = range(len(lengths)) if order is None else order
    place = {index: number for number, index in enumerate(taken)}
    rows: list[list[int]] = []
    # Rows by the room they have left.
    by_room: dict[int, list[int]] = {}
    rooms: list[int] = []
    for index in sorted(taken, key=lambda index: (-lengths[index], place[index])):
        length = lengths[index]
        if length > max_length:
            raise ConfigError(f"a sequence of {length} tokens does not fit into a row of {max_length}", "max_length")
        at = bisect_left(rooms, length)
        if at == len(rooms):
            row, room = len(rows), max_length
            rows.append([])
        else:
            room = rooms[at]
            row = by_room[room].pop()
            if not by_room[room]:
                rooms.pop(at)
                del by_room[room]
        rows[row].append(index)
        left = room - length
        if left > 0:
            if left not in by_room:
                by_room[left] = []
                insort(rooms, left)
            by_room[left].append(row)
    for row in rows:
        row.sort(key=place.__getitem__)
    return sorted(rows, key=lambda row: place[row[0]])


def packed(sequences: Sequence[Encoded]) -> Packed:
    """One row of these sequences, one after the other."""
    row: dict[str, Any] = {name: [] for name in _PER_TOKEN if all(name in sequence for sequence in sequences)}
    row |= {"position_ids": [], "sequence_ids": []}
    for number, sequence in enumerate(sequences):
        length = len(sequence["input_ids"])
        for name in _PER_TOKEN:
            if name in row:
                row[name].extend(sequence[name])  # type: ignore[literal-required]
        if length:
            row["labels"][-length] = IGNORED
            row["weights"][-length] = 0.0
            row["step_ids"][-length] = -1
        row["position_ids"].extend(range(length))
        row["sequence_ids"].extend([number] * length)
    return cast(Packed, row)


def block_mask(sequence_ids: Sequence[int]) -> NDArray[np.bool_]:
    """[T, T]; true where the token of the row may look at the token of the column: its own sequence, and not later.

    Padding, whose id is -1, looks at itself alone, so that no row of the mask is empty.
    """
    ids = np.asarray(sequence_ids)
    same = (ids[:, None] == ids[None, :]) & (ids[:, None] >= 0)
    mask = np.tril(same)
    np.fill_diagonal(mask, True)
    return mask


def cumulative_lengths(sequence_ids: Sequence[int]) -> list[int]:
    """Where sequences begin, and the end: `cu_seqlens` of variable-length attention kernels."""
    starts = [index for index, own in enumerate(sequence_ids) if index == 0 or own != sequence_ids[index - 1]]
    return [*starts, len(sequence_ids)]
