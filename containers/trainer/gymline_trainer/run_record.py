"""What a run leaves about itself: `run.json` when it is trained, `training.json` when all else stands."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config import DpoConfig, GrpoConfig, PrmConfig, SftConfig, TrainConfig
from .errors import TrainerError
from .provenance import program_commit, sha256, versions
from .settings import read_options

RUN_SCHEMA = "gymline.training-run.v1"
TRAINING_SCHEMA = "gymline.training.v1"
KINDS: dict[str, type[TrainConfig]] = {"sft": SftConfig, "dpo": DpoConfig, "grpo": GrpoConfig, "prm": PrmConfig}
# What of a run's folder is its result. Checkpoints are not.
RESULT = ("model", "onnx", "trained", "README.md", "metrics.jsonl", "run.json")


class RunError(TrainerError):
    """A folder that holds no run that is done."""


@dataclass(frozen=True)
class RunRecord:
    """folder: `out` of the run. value: run.json as it stands. config: its options."""

    folder: Path
    value: dict[str, Any]
    config: TrainConfig

    @property
    def algorithm(self) -> str:
        return self.value["algorithm"]

    @property
    def base_model(self) -> str:
        """As people know it: the model begun with."""
        return self.value.get("base_model", self.config.model)


def read_run(folder: Path) -> RunRecord:
    """Raises RunError."""
    path = folder / "run.json"
    remedy = "name the `out` of a run that was trained to its end"
    if not path.exists():
        raise RunError(f"there is no run.json in it; {remedy}", str(folder))
    try:
        value = json.loads(path.read_text())
        if value["schema"] != RUN_SCHEMA:
            raise ValueError(f"its schema is not {RUN_SCHEMA}")
        kind, config = KINDS[value["algorithm"]], value["config"]
        for name in ("dataset", "data", "metrics", "packages"):
            if not isinstance(value[name], dict):
                raise ValueError(f"`{name}` is no object")
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"`{error.args[0]}` is missing or unknown" if isinstance(error, KeyError) else str(error)[:200]
        raise RunError(f"it is no record of a run ({reason}); {remedy}", str(path)) from error
    # What it needed to train is not needed any more.
    return RunRecord(folder, value, read_options(kind, config, str(path), lambda _: None))


def write_training(run: RunRecord, export: dict[str, Any]) -> None:
    """training.json, last of all: where it stands, all that it lists does. export: what was exported, and how it was checked."""
    value = run.value
    kept = ("steps", "of", "stopped_early", "best_step", "tokens", "trained_tokens", "processes")
    record = {
        "schema": TRAINING_SCHEMA,
        "algorithm": run.algorithm,
        "dataset": value["dataset"],
        "data": value["data"],
        "base_model": run.base_model,
        "options": value["config"],
        "seeds": {"seed": run.config.seed},
        **{name: value[name] for name in kept if name in value},
        "metrics": value["metrics"],
        "export": export,
        "commit": value.get("commit"),
        "packages": value["packages"],
        "exported_with": {"commit": program_commit(), "packages": versions()},
        "files": listed(run.folder),
    }
    beside = run.folder / ".tmp-training.json"
    beside.write_text(json.dumps(record, indent=1) + "\n")
    os.replace(beside, run.folder / "training.json")


def listed(folder: Path) -> list[dict[str, Any]]:
    """Every file of the result, with its size and hash."""
    places = [folder / name for name in RESULT if (folder / name).exists()]
    paths = [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*"))) if path.is_file()]
    return [{"path": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": sha256(path)} for path in paths]
