"""What is measured as a run goes: sums and counts, so that batches, devices and steps add up to true means."""

import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# Name: (sum, count).
Sums = dict[str, tuple[float, float]]


def add(into: Sums, more: Mapping[str, tuple[Any, Any]]) -> None:
    for name, (total, count) in more.items():
        old = into.get(name, (0.0, 0.0))
        into[name] = (old[0] + float(total), old[1] + float(count))


def means(sums: Sums) -> dict[str, float]:
    return {name: total / count for name, (total, count) in sums.items() if count > 0}


def perplexity(nll: float) -> float:
    """nll: mean per token, in nats. Bounded, so that a broken model's is still a number."""
    return math.exp(min(nll, 100.0))


class MetricsFile:
    """Lines of JSON. A run that goes on from a step first takes away what came after it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rewind(self, step: int, lines: Iterable[str]) -> None:
        """Begins with those of `lines`, which a checkpoint has brought along, that are of no later step."""
        kept = []
        for line in lines:
            try:
                if json.loads(line)["step"] <= step:
                    kept.append(f"{line.strip()}\n")
            except (ValueError, KeyError, TypeError):
                # The last line of a run that was killed.
                continue
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f".tmp-{self.path.name}")
        beside.write_text("".join(kept))
        os.replace(beside, self.path)

    def write(self, line: Mapping[str, Any]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
