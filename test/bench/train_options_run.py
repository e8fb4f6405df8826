"""What the trainer's options do to a tiny model on a toy task (toy_agent.py), with one seed.

  train_options_run.py FOLDER SEED [ARM …]

Every run is one of the trainer's scripts with its options. All of a seed begin with the same weights on the same rows, and go
through them as often in as many steps of the optimizer; only what an arm names is different. Each model is then measured on
tasks that were held out, without bad steps, by the trainer's own scorer. Of what the agent does after its first look,
`right` is the share that the model would do right, greedily, where all before it was done right; `probability` the mean
probability of the right; `late` as `right`, of the presses with late signals. Prints these by arm, with tokens a second of
training.
"""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "containers/trainer"), str(ROOT / "test/trainer"), str(ROOT / "test/bench")]

# Less than half of the longest trajectory, and more than it.
MAX_LENGTH, WHOLE = 40, 128
DEMONSTRATIONS, HELD_OUT, TASKS, PRESSES = 400, 200, 60, 6
SFT_STEPS, START_STEPS, GRPO_STEPS = 200, 200, 60
# Trajectories in a step.
BATCH = 10
SHARED: dict[str, Any] = {
    "export": "none", "bf16": False, "epochs": 100, "batch_size": BATCH, "gradient_accumulation_steps": 1,
    "warmup_ratio": 0.1, "logging_steps": 10, "save_steps": 1_000_000,
}  # fmt: skip
SFT_ARMS: dict[str, dict[str, Any]] = {
    "default": {},
    "observations": {"mask_observations": False},
    "weighted": {"step_weighted_loss": True},
    "apart": {"chunk_overlap": 0},
    "cut": {"chunk": False, "over_long": "cut"},
    "whole": {"max_length": WHOLE},
    # A third of the run until all are taken.
    "curriculum": {"curriculum": True, "curriculum_warmup_epochs": 2},
    # Beside `whole`: the parts of the others nearly fill their rows as they are.
    "packed": {"packing": True, "max_length": WHOLE},
}
GRPO_ARMS: dict[str, dict[str, Any]] = {
    "trajectory": {},
    "credit": {"advantage": "credit"},
    "proportional": {"advantage": "proportional"},
    "process": {"advantage": "process"},
    "unscaled": {"scale_rewards": False},
    "dapo": {"loss": "dapo", "clip_epsilon_high": 0.28, "kl_coef": 0},
    "dr_grpo": {"loss": "dr_grpo", "scale_rewards": False},
}


@dataclass(frozen=True)
class Measured:
    """speed: tokens a second of training, without padding; None of what was not trained."""

    right: float
    late: float | None
    probability: float
    speed: float | None = None


class Bench:
    """Runs and measures within a folder."""

    def __init__(self, folder: Path, seed: int) -> None:
        import tiny
        import toy_agent

        self._folder = folder
        self._seed = seed
        os.environ["GYMLINE_TRAINER_CACHE"] = str(folder / "cache")
        weights = toy_agent.saved_model(folder, seed)
        assert weights < 1_000_000, weights
        world = toy_agent.World(seed)
        held_out = {"test": world.held_out(HELD_OUT)}
        tiny.write_dataset(folder / "demonstrations", "sft-messages", {"train": world.demonstrations(DEMONSTRATIONS), **held_out})
        rows = world.groups(TASKS, PRESSES)
        tiny.write_dataset(folder / "groups", "grpo-offline", {"train": rows})
        own = [{name: value for name, value in row.items() if not name.startswith("group")} for row in rows]
        tiny.write_dataset(folder / "attempts", "sft-messages", {"train": own, "test": world.held_out(HELD_OUT, PRESSES)})

    def arms(self, wanted: Sequence[str]) -> dict[str, Measured]:
        """wanted: names; all, if there are none."""
        is_wanted = lambda name: not wanted or name in wanted
        found = {}
        for name, options in SFT_ARMS.items():
            if is_wanted(name):
                found[name] = self._sft(name, options)
        if any(map(is_wanted, GRPO_ARMS)):
            given = {"data": "attempts", "max_length": WHOLE, "max_steps": START_STEPS, "learning_rate": 3e-3}
            start, _ = self._train("sft", "start", given)
            found["start"] = self._measured(start, "attempts")
        for name, options in GRPO_ARMS.items():
            if is_wanted(name):
                given = {"data": "groups", "model": start, "max_length": WHOLE, "max_steps": GRPO_STEPS, "learning_rate": 1e-3}
                model, speed = self._train("grpo", name, {**given, **options})
                found[name] = self._measured(model, "attempts", speed)
        return found

    def _sft(self, name: str, options: dict[str, Any]) -> Measured:
        plain = {"data": "demonstrations", "max_length": MAX_LENGTH, "max_steps": SFT_STEPS, "learning_rate": 3e-3}
        # A long trajectory may be several sequences, and sequences may share a row.
        batch = max(1, round(BATCH * self._rows({**plain, **options}) / DEMONSTRATIONS))
        model, speed = self._train("sft", name, {**plain, **options, "batch_size": batch})
        return self._measured(model, "demonstrations", speed)

    def _rows(self, options: dict[str, Any]) -> int:
        """Rows that an epoch over all of the data has."""
        from gymline_trainer.config import SftConfig
        from gymline_trainer.schedule import Schedule
        from gymline_trainer.settings import read_options

        without = {"curriculum": False, "batch_size": 1, "gradient_accumulation_steps": 1, "epochs": 1, "max_steps": None}
        config = read_options(SftConfig, {"model": str(self._folder / "model"), **options, **without})
        data = self._encoded(options["data"], "train", config.encode_options())
        return Schedule(config, data.lengths, data.difficulties).total

    def _train(self, algorithm: str, name: str, options: dict[str, Any]) -> tuple[Path, float]:
        """The trained model, and tokens a second."""
        import grpo
        import sft

        from gymline_trainer.config import GrpoConfig, SftConfig
        from gymline_trainer.program import program

        out = self._folder / name
        given = {"model": self._folder / "model", **SHARED, **options, "tokenizer": self._folder / "tokenizer", "out": out, "seed": self._seed}
        given["data"] = self._folder / options["data"]
        written = {option: json.dumps(value if isinstance(value, (bool, int, float)) else str(value)) for option, value in given.items()}
        arguments = [part for option, value in written.items() for part in ("--set", f"{option}={value}")]
        code = program(SftConfig, None, sft.main, arguments) if algorithm == "sft" else program(GrpoConfig, None, grpo.main, arguments)
        if code != 0 or json.loads((out / "run.json").read_text())["steps"] != options["max_steps"]:
            sys.exit(f"the run {name} failed, or had too few epochs")
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        shutil.rmtree(out / "checkpoints")
        tokens = lines[-1]["tokens"] - lines[0]["tokens"]
        pairs = zip(lines, lines[1:])
        return out / "trained", tokens / sum((line["tokens"] - before["tokens"]) / line["tokens_per_second"] for before, line in pairs)

    def _encoded(self, data: str, split: str, options: Any) -> Any:
        from gymline_trainer.chat import ChatFormat, tokenizer_of
        from gymline_trainer.rows import open_dataset
        from gymline_trainer.store import encoded_set

        format = ChatFormat(tokenizer_of(str(self._folder / "tokenizer"), "tokenizer"))
        return encoded_set("sft", open_dataset(str(self._folder / data), "sft", split), format, options)

    def _measured(self, model: Path, data: str, speed: float | None = None) -> Measured:
        """On what is held out, which is taken whole."""
        import torch
        import toy_agent

        from gymline_trainer.collate import Collator
        from gymline_trainer.model import Scorer, from_pretrained
        from gymline_trainer.options import EncodeOptions

        scorer = Scorer(from_pretrained(str(model), "language"), "language").eval()
        held_out = self._encoded(data, "test", EncodeOptions(max_length=WHOLE))
        collator = Collator(held_out, 0)
        # By trajectory and step: whether all its tokens are the likeliest, and the log-probability of it.
        steps: dict[tuple[int, int], tuple[bool, float]] = {}
        for first in range(0, len(held_out), 50):
            batch = collator([[index] for index in range(first, min(first + 50, len(held_out)))])
            with torch.no_grad():
                scores = scorer(batch.inputs, batch.rows, batch.columns, batch.targets)
            of = [held_out[key[0]]["step_ids"] for key in batch.keys]
            for row, column, is_top, logprob in zip(*(part.tolist() for part in (batch.rows, batch.columns, scores.is_top, scores.logprobs))):
                place = (first + row, of[row][column + 1])
                was_top, before = steps.get(place, (True, 0.0))
                steps[place] = (was_top and is_top, before + logprob)
        last = {row: step for row, step in sorted(steps)}
        acts = {place: own for place, own in steps.items() if place[1] > 0}
        late = [is_top for (row, step), (is_top, _) in acts.items() if toy_agent.LATE < step < last[row]]
        return Measured(
            right=sum(is_top for is_top, _ in acts.values()) / len(acts),
            late=sum(late) / len(late) if late else None,
            probability=sum(torch.tensor([logprob for _, logprob in acts.values()]).exp().tolist()) / len(acts),
            speed=speed,
        )


def main(argv: list[str]) -> None:
    folder, seed, *wanted = argv
    found = Bench(Path(folder), int(seed)).arms(wanted)
    print(json.dumps({name: asdict(measured) for name, measured in found.items()}))


if __name__ == "__main__":
    main(sys.argv[1:])
