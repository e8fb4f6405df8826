"""What a checkpoint holds besides the model: where the run is, and all that the next step depends on."""

import json
import random
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .config import TrainConfig
from .errors import ConfigError
from .metrics import Sums

# Options that may differ when a run goes on.
_FREE = (
    "data", "split", "eval_data", "eval_split", "out", "logging_steps", "save_steps", "keep_checkpoints", "checkpoints", "resume",
    "report_to", "project", "run_name", "export", "export_dtype",
)  # fmt: skip


@dataclass
class State:
    """step: steps done. epoch, position: where the next one stands. evaluated, saved: the last step at which that was done.

    best, best_step, worse: lowest loss in evaluation, its step, evaluations since. window: metrics since the last line.
    """

    step: int = 0
    epoch: int = 0
    position: int = 0
    evaluated: int = -1
    saved: int = -1
    best: float | None = None
    best_step: int | None = None
    worse: int = 0
    is_stopped: bool = False
    tokens: int = 0
    trained_tokens: int = 0
    window: Sums = field(default_factory=dict)

    @property
    def best_name(self) -> str | None:
        return None if self.best_step is None else f"best-{self.best_step:08}"


def fingerprint(config: TrainConfig, data: dict[str, str], processes: int) -> dict[str, Any]:
    """What a run is. data: names of what it reads. A checkpoint of another run must not be gone on from."""
    own = {name: value for name, value in asdict(config).items() if name not in _FREE}
    return json.loads(json.dumps({**own, **{f"data of {name}": value for name, value in data.items()}, "processes": processes}))


def check_same(saved: dict[str, Any], own: dict[str, Any], place: Path) -> None:
    """Raises ConfigError with the options that differ."""
    differing = sorted(name for name in {*saved, *own} if saved.get(name) != own.get(name))
    if differing:
        raise ConfigError(
            f"the checkpoint is of another run: {', '.join(differing)} differ; give another `out` or `checkpoints`, set them back, "
            "or set `resume: never` to begin anew there",
            str(place),
        )


def save_state(folder: Path, state: State, run: dict[str, Any]) -> None:
    (folder / "state.json").write_text(json.dumps({"run": run, "state": asdict(state)}, indent=1))


def load_state(folder: Path) -> tuple[State, dict[str, Any]]:
    value = json.loads((folder / "state.json").read_text())
    known = {of.name for of in fields(State)}
    own = {name: entry for name, entry in value["state"].items() if name in known}
    own["window"] = {name: (total, count) for name, (total, count) in own["window"].items()}
    return State(**own), value["run"]


def rng_state() -> dict[str, Any]:
    """Of every generator that this process may draw from, as plain values and tensors."""
    kind, keys, position, has_gauss, gauss = np.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": (kind, torch.from_numpy(np.asarray(keys).astype(np.int64)), int(position), int(has_gauss), float(gauss)),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_rng(state: dict[str, Any]) -> None:
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    kind, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, cached))
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
