"""What a run would do, before it does: for `--dry-run`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .curriculum import Curriculum
from .packing import pack


@dataclass(frozen=True)
class Plan:
    """rows: of each epoch, after packing. steps: of the optimizer, over all epochs. padded: share of a batch that is padding."""

    rows: list[int]
    steps: int
    padded: float


def plan_run(
    lengths: Sequence[int],
    curriculum: Curriculum,
    *,
    epochs: int,
    batch: int,
    accumulation: int = 1,
    processes: int = 1,
    packing: int | None = None,
) -> Plan:
    """packing: tokens of a packed row, None where rows are not packed. batch: rows of one process at a time.

    What is left at the end of an epoch makes a step too.
    """
    rows: list[int] = []
    places = tokens = steps = 0
    for epoch in range(epochs):
        order = curriculum.order(epoch)
        if packing is None:
            own = [int(lengths[index]) for index in order]
        else:
            own = [sum(int(lengths[index]) for index in row) for row in pack(lengths, packing, order)]
        rows.append(len(own))
        steps += math.ceil(len(own) / (batch * accumulation * processes))
        tokens += sum(own)
        places += sum(max(group) * len(group) for group in (own[at : at + batch] for at in range(0, len(own), batch)))
    return Plan(rows, steps, 1 - tokens / places if places else 0.0)
