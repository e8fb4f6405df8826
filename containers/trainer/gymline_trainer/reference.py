"""Log-probabilities under the model that a run begins with: the reference of DPO and of GRPO's KL term, and the old policy
where nothing was recorded.

They are computed once, before the first step, and kept beside the checkpoints: no second model takes memory, and none is
run again in each epoch.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from numpy.typing import NDArray

from .collate import Batch, trained_places
from .schedule import shared_out

if TYPE_CHECKING:
    from .loop import Split

FOLDER = "reference"


class References:
    """values: of all trained tokens, sequence after sequence; of a pair, first those of the chosen side."""

    def __init__(self, values: NDArray[np.float32], counts: Sequence[int], sides: int) -> None:
        """counts: trained tokens of each sequence."""
        self.values = values
        self._starts = np.cumsum([0, *counts])
        self._sides = sides

    def of(self, batch: Batch) -> torch.Tensor:
        """[N], in the order of the batch."""
        slots = [index * self._sides + side for index, side in batch.keys]
        return torch.from_numpy(np.concatenate([self.values[self._starts[slot] : self._starts[slot + 1]] for slot in slots]))


def counts_of(data: Sequence[Any]) -> tuple[list[int], int]:
    """Trained tokens of each sequence, and how many sequences an entry has."""
    sides = 1
    counts = []
    for entry in data:
        own = [entry["chosen"], entry["rejected"]] if "chosen" in entry else [entry]
        sides = len(own)
        counts.extend(len(trained_places(sequence)) for sequence in own)
    return counts, sides


def compute(accelerator: Accelerator, scorer: Any, split: "Split", *, batch: int, check: Callable[[], None]) -> NDArray[np.float32]:
    """Every process does its share and gets all. check: called between batches; it may raise."""
    data = split.data
    counts, sides = split.counts
    starts = np.cumsum([0, *counts])
    values = np.zeros(int(starts[-1]), np.float32)
    process = (accelerator.process_index, accelerator.num_processes)
    found: list[tuple[int, NDArray[np.float32]]] = []
    scorer.eval()
    with torch.no_grad():
        for rows, counted in shared_out([[index] for index in range(len(data))], data.lengths, batch, process):
            check()
            made = split.collator(rows).to(accelerator.device)
            logprobs = scorer(made.inputs, made.rows, made.columns, made.targets).logprobs
            if counted:
                parts = np.split(logprobs.cpu().numpy(), np.flatnonzero(np.diff(made.sequence.cpu().numpy())) + 1)
                found.extend((index * sides + side, part) for (index, side), part in zip(made.keys, parts, strict=True))
    for slot, part in gather_object(found):
        values[starts[slot] : starts[slot + 1]] = part
    return values


def write(folder: Path, values: dict[str, NDArray[np.float32]], run: dict[str, Any]) -> None:
    for name, own in values.items():
        np.save(folder / f"{name}.npy", own)
    (folder / "run.json").write_text(json.dumps(run))


def read(folder: Path, names: Sequence[str], run: dict[str, Any]) -> dict[str, NDArray[np.float32]] | None:
    """None where they are of another run."""
    if json.loads((folder / "run.json").read_text()) != run:
        return None
    return {name: np.load(folder / f"{name}.npy") for name in names}
