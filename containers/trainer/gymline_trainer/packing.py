"""Several sequences in one row, without one seeing another.

Rows are filled best fit, longest first (as in TRL's `bfd`). What keeps their sequences apart is in collate.py.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence

from .errors import ConfigError


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
