"""Runs of the scripts in this process, on tiny models and sets, and what came of them."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import dpo
import grpo
import prm
import sft
import tiny
import torch
from accelerate.state import AcceleratorState

from gymline_trainer.config import DpoConfig, GrpoConfig, PrmConfig, SftConfig
from gymline_trainer.program import program

# One thread sums in one order.
torch.set_num_threads(1)

SCRIPTS: dict[str, tuple[ModuleType, type[Any]]] = {
    "sft": (sft, SftConfig),
    "dpo": (dpo, DpoConfig),
    "grpo": (grpo, GrpoConfig),
    "prm": (prm, PrmConfig),
}
FORMATS = {"sft": "sft-messages", "dpo": "trl-dpo", "grpo": "grpo-offline", "prm": "trl-prm"}


def rows_of(algorithm: str) -> list[dict[str, Any]]:
    """Some rows that differ in length and in what is to be learnt."""
    if algorithm == "sft":
        return [tiny.sft_row(number, steps=1 + number % 3, rewards=[0.2, 0.9, 0.5]) for number in range(7)]
    if algorithm == "dpo":
        return [tiny.dpo_row(number, chosen=f"I ran {number} tests.") for number in range(7)]
    if algorithm == "grpo":
        rewards = [0.1, 0.9, 0.5]
        groups = (tiny.grpo_rows(f"g{at}", rewards, step_rewards=[[0.1, 0.8, 0.3]] * 3, first=3 * at) for at in range(3))
        return [row for group in groups for row in group]
    return [tiny.prm_row(number, rewards=[0.9, 0.2, 0.6][: 2 + number % 2]) for number in range(7)]


def dataset(folder: Path, algorithm: str, rows: Sequence[dict[str, Any]] | None = None, test: Sequence[dict[str, Any]] = ()) -> Path:
    splits = {"train": rows_of(algorithm) if rows is None else rows}
    return tiny.write_dataset(folder, FORMATS[algorithm], {**splits, "test": test} if test else splits)


def train(algorithm: str, is_fresh: bool = True, **options: Any) -> int:
    """The exit code. A few steps of two rows in two batches, unless said otherwise. is_fresh: accelerate is set up anew."""
    script, kind = SCRIPTS[algorithm]
    given = {"batch_size": 1, "gradient_accumulation_steps": 2, "epochs": 2, "learning_rate": 1e-3, "logging_steps": 1, **options}
    if is_fresh:
        AcceleratorState._reset_state(True)
    arguments = [part for name, value in given.items() for part in ("--set", f"{name}={json.dumps(_plain(value))}")]
    return program(kind, script.__doc__, script.main, arguments)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def lines(out: Path) -> list[dict[str, Any]]:
    """Metrics, without what the clock says."""
    read = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "tokens_per_second"} for line in read]


def result(out: Path) -> dict[str, Any]:
    """All that two runs must have in common to the bit."""
    files = {path.name: path.read_bytes() for path in sorted((out / "trained").glob("*.safetensors"))}
    assert files
    return {"weights": files, "metrics": lines(out)}


def in_child(act: Callable[[], int]) -> int:
    """In a process of its own, which may kill itself: its exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = act()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
