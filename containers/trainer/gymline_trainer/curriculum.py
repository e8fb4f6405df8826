"""Which sequences an epoch takes, and in what order.

The easy ones first: an epoch takes the share `start + (1 - start) * epoch / warmup` of them, the easiest, and from epoch
`warmup` on all. Difficulty is that of a sequence after long trajectories were cut up: own steps less reward.

Nothing is drawn from a global generator: seed and epoch alone say the order, so a run that is taken up again at (seed,
epoch, position) goes on with `order(epoch)[position:]`, and it sees what the first would have seen.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class CurriculumConfig:
    """start: share of the first epoch, kept within [0.1, 1]. warmup: epochs until all are taken, at least 1."""

    enabled: bool = False
    start: float = 0.3
    warmup: int = 1


class Curriculum:
    def __init__(self, difficulties: Sequence[float], config: CurriculumConfig = CurriculumConfig(), seed: int = 0) -> None:
        self._config = config
        self._seed = seed
        self._count = len(difficulties)
        # Equal ones in the order of the data.
        self._easiest = sorted(range(self._count), key=difficulties.__getitem__) if config.enabled else list(range(self._count))

    def ratio(self, epoch: int) -> float:
        """Share of the sequences that an epoch (from 0) takes."""
        if not self._config.enabled:
            return 1.0
        start = min(1.0, max(0.1, self._config.start))
        warmup = max(1, self._config.warmup)
        return 1.0 if epoch >= warmup else start + (1 - start) * epoch / warmup

    def size(self, epoch: int) -> int:
        """How many sequences an epoch takes: at least one, where there are any."""
        return min(self._count, max(1, math.ceil(self._count * self.ratio(epoch))))

    def order(self, epoch: int) -> list[int]:
        """Indices of the sequences of an epoch, shuffled."""
        taken = self._easiest[: self.size(epoch)]
        random.Random(f"{self._seed}:{epoch}").shuffle(taken)
        return taken

    def steps(self, epochs: int, per_step: int) -> int:
        """Steps of the optimizer over all epochs; per_step: sequences in one. What is left of an epoch is a step too."""
        return sum(math.ceil(self.size(epoch) / per_step) for epoch in range(epochs))


def difficulty(steps: int, reward: float | None) -> float:
    """1 for each own step, less the reward (0 where there is none)."""
    return float(steps) - (0.0 if reward is None else reward)
