"""Which rows each step of the optimizer takes, and at what rate it learns. Both follow from the options, the seed and the
number of the step alone, so a run that goes on needs nothing but that number.
"""

import math
from collections.abc import Sequence

from .config import Scheduler, TrainConfig
from .curriculum import Curriculum, CurriculumConfig
from .packing import pack

# Indices of the sequences of a row: one, or several where rows are packed.
Row = list[int]


class Schedule:
    """lengths, difficulties: of each sequence. processes: devices that share a step. total: steps of the whole run."""

    def __init__(self, config: TrainConfig, lengths: Sequence[int], difficulties: Sequence[float], processes: int = 1) -> None:
        self._lengths = [int(length) for length in lengths]
        self._packed = config.row_tokens
        self._batch = config.batch_size
        self._processes = processes
        self.rows_per_step = config.batch_size * config.gradient_accumulation_steps * processes
        own = CurriculumConfig(config.curriculum, config.curriculum_start_ratio, config.curriculum_warmup_epochs)
        self.curriculum = Curriculum([float(value) for value in difficulties], own, config.seed)
        self._epoch: tuple[int, list[Row]] = (-1, [])
        steps = sum(self.steps_in(epoch) for epoch in range(config.epochs))
        self.total = steps if config.max_steps is None else min(steps, config.max_steps)

    def _rows(self, epoch: int) -> list[Row]:
        if self._epoch[0] != epoch:
            order = self.curriculum.order(epoch)
            rows = [[index] for index in order] if self._packed is None else pack(self._lengths, self._packed, order)
            self._epoch = (epoch, rows)
        return self._epoch[1]

    def steps_in(self, epoch: int) -> int:
        """What is left at the end of an epoch is a step too."""
        count = self.curriculum.size(epoch) if self._packed is None else len(self._rows(epoch))
        return math.ceil(count / self.rows_per_step)

    def rows(self, epoch: int, position: int) -> list[Row]:
        start = position * self.rows_per_step
        return self._rows(epoch)[start : start + self.rows_per_step]

    def batches(self, epoch: int, position: int, process: int = 0) -> list[tuple[list[Row], bool]]:
        return shared_out(self.rows(epoch, position), self._lengths, self._batch, (process, self._processes))


def shared_out(rows: Sequence[Row], lengths: Sequence[int], batch: int, process: tuple[int, int]) -> list[tuple[list[Row], bool]]:
    """The batches of one process, each with whether it counts. process: its number, and how many there are.

    Rows of like length come together: there is less padding, and the sum over a step is the same. All processes have as
    many batches; where there are too few, the longest stands in and does not count.
    """
    ordered = sorted(rows, key=lambda row: -sum(lengths[index] for index in row))
    groups = [ordered[at : at + batch] for at in range(0, len(ordered), batch)]
    number, count = process
    own = [(group, True) for group in groups[number::count]]
    missing = math.ceil(len(groups) / count) - len(own)
    return own + [(groups[0], False)] * missing


def warmup_steps(config: TrainConfig, total: int) -> int:
    return config.warmup_steps if config.warmup_steps is not None else math.ceil(total * config.warmup_ratio)


def rate(kind: Scheduler, step: int, warmup: int, total: int) -> float:
    """Share of the learning rate at a step, from 0. Rises to 1 at the last step of warm-up and falls towards 0 at `total`.

    As Transformers' schedules, but the first step of warm-up is not one of rate 0.
    """
    if step < warmup:
        return (step + 1) / warmup
    if kind == "constant":
        return 1.0
    progress = (step - warmup) / max(1, total - warmup)
    return max(0.0, 1 - progress) if kind == "linear" else 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
