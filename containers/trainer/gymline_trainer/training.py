"""A run from its sequences to its model: begins, or goes on from the newest whole checkpoint.

  out/trained/        the model, or the adapter, with its tokenizer
  out/metrics.jsonl   a line every `logging_steps`, and one per evaluation
  out/run.json        options, data, versions and the last figures (gymline.training-run.v1)
  out/checkpoints/    see checkpoints.py

What is made of it then, for those who serve it, is in exporting.py.
"""

import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, gather_object, set_seed

from . import reference, sharded
from .checkpoints import Checkpoint, Checkpoints
from .collate import Collator
from .errors import TrainerError
from .exported_model import write_tokenizer
from .exporting import ExportPlan, export_run
from .loop import Algorithm, Loop, Split
from .metrics import MetricsFile
from .model import Scorer, check_packing, check_vocabulary, load_model, uses_bf16
from .prepare import Prepared
from .provenance import program_commit, versions
from .reference import References
from .run_record import RUN_SCHEMA
from .s3_folder import S3Folder
from .schedule import Schedule
from .signals import Stop
from .sources import known_as
from .state import State, check_same, fingerprint, load_state, restore_rng, save_state

_NAMES = ("training", "evaluation")


class Run:
    """One run in one process; with several devices, each process has its own."""

    def __init__(self, prepared: Prepared, algorithm: Algorithm) -> None:
        self.prepared = prepared
        self.algorithm = algorithm
        self.config = prepared.config
        self.stop = Stop()
        if self.config.deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True, warn_only=True)
        self.out = Path(self.config.out)
        self.accelerator = Accelerator(
            mixed_precision="bf16" if uses_bf16(self.config) else "no",
            log_with=list(self.config.report_to) or None,
            project_dir=str(self.out),
        )
        self.is_main = self.accelerator.is_main_process
        self.schedule = Schedule(self.config, prepared.train.lengths, prepared.train.difficulties, self.accelerator.num_processes)
        data = {name: split.folder.name for name, split in zip(_NAMES, (prepared.train, prepared.evaluation)) if split is not None}
        self.identity = fingerprint(self.config, data, self.accelerator.num_processes)
        self.checkpoints = _checkpoints(self.config, self.say)
        self.metrics = MetricsFile(self.out / "metrics.jsonl")

    def say(self, line: str) -> None:
        if self.is_main:
            print(line, file=sys.stderr, flush=True)

    def train(self) -> None:
        """Raises TrainerError; StoppedError once a signal came."""
        found = self._found()
        splits = self._splits()
        model = self._model(None) if self.algorithm.needs_reference and not self._has_references(splits) else None
        if model is not None:
            self._make_references(splits, model[0])
            if found is not None:
                model = None
                self.accelerator.free_memory()
        scorer, optimizer = model or self._model(None if found is None else found.path / "model")
        state = State()
        if found is not None:
            state = self._restore(found, scorer, optimizer)
            self.say(f"going on from step {state.step} of {self.schedule.total} ({found.path})")
        else:
            set_seed(self.config.seed + self.accelerator.process_index)
            self.say(f"{self.schedule.total} steps, {self.schedule.rows_per_step} rows in each")
        if self.is_main:
            self.metrics.rewind(state.step, [] if found is None else (found.path / "metrics.jsonl").read_text().splitlines())
        if self.config.report_to:
            self.accelerator.init_trackers(self.config.project, config=tracked(asdict(self.config)), init_kwargs=_named(self.config.run_name))
        Loop(
            accelerator=self.accelerator,
            algorithm=self.algorithm,
            scorer=scorer,
            optimizer=optimizer,
            schedule=self.schedule,
            train=splits[0],
            evaluation=splits[1] if len(splits) > 1 else None,
            config=self.config,
            state=state,
            stop=self.stop,
            save=lambda state, rng: self._save(state, rng, scorer, optimizer),
            best=lambda state: self._save_best(state, scorer),
            report=self._report,
        ).run()
        self._finish(state, scorer)
        if self.config.report_to:
            self.accelerator.end_training()

    def _found(self) -> Checkpoint | None:
        """The main process looks; all go on from the same. Raises ConfigError where it is of another run."""
        if self.config.resume == "never":
            if self.is_main:
                self.checkpoints.clear()
            self.accelerator.wait_for_everyone()
            return None
        newest: list[Any] = [self.checkpoints.newest() if self.is_main else None]
        broadcast_object_list(newest)
        found: Checkpoint | None = newest[0]
        if found is not None:
            check_same(load_state(found.path)[1], self.identity, found.path)
        return found

    def _splits(self) -> list[Split]:
        pad = self.prepared.tokenizer.pad_token_id or 0
        sets = [own for own in (self.prepared.train, self.prepared.evaluation) if own is not None]
        packing = self.config.row_tokens is not None
        return [Split(own, Collator(own, pad, packing=packing)) for own in sets]

    def _has_references(self, splits: list[Split]) -> bool:
        """Takes those of an earlier process, from beside the checkpoints."""
        values: list[Any] = [None]
        if self.is_main:
            folder = self.checkpoints.get(reference.FOLDER)
            values = [None if folder is None else reference.read(folder, list(_NAMES[: len(splits)]), self.identity)]
        broadcast_object_list(values)
        if values[0] is not None:
            self._set_references(splits, values[0])
        return values[0] is not None

    def _make_references(self, splits: list[Split], scorer: Any) -> None:
        """scorer: of the model that the run begins with."""
        self.say("log-probabilities of the model begun with …")
        batch, check = self.config.batch_size, self.stop.check
        found = {name: reference.compute(self.accelerator, scorer, split, batch=batch, check=check) for name, split in zip(_NAMES, splits)}
        if self.is_main:
            self.checkpoints.put(reference.FOLDER, lambda folder: reference.write(folder, found, self.identity))
        self._set_references(splits, found)

    def _set_references(self, splits: list[Split], values: dict[str, Any]) -> None:
        for name, split in zip(_NAMES, splits):
            split.references = References(values[name], *split.counts)

    def _scorer(self, saved: Path | None) -> Scorer:
        model = load_model(self.config, self.algorithm.head, saved)
        check_vocabulary(model, self.prepared.tokenizer)
        model.to(self.accelerator.device)
        half = uses_bf16(self.config)
        if self.config.row_tokens is not None:
            check_packing(model, half)
        return Scorer(model, self.algorithm.head, half)

    def _model(self, saved: Path | None) -> tuple[Any, Any]:
        scorer = self._scorer(saved)
        trained = [parameter for parameter in scorer.parameters() if parameter.requires_grad]
        groups = [
            {"params": [one for one in trained if one.ndim >= 2], "weight_decay": self.config.weight_decay},
            {"params": [one for one in trained if one.ndim < 2], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=self.config.learning_rate,
            betas=(self.config.adam_beta1, self.config.adam_beta2),
            eps=self.config.adam_epsilon,
            fused=self.accelerator.device.type == "cuda" or None,
        )
        count = sum(parameter.numel() for parameter in trained)
        self.say(f"{count:,} of {sum(parameter.numel() for parameter in scorer.parameters()):,} weights are trained")
        prepared: Any = self.accelerator.prepare(scorer, optimizer)
        return prepared[0], prepared[1]

    def _restore(self, found: Checkpoint, scorer: Any, optimizer: Any) -> State:
        state, _ = load_state(found.path)
        # They are many: no copy goes to the device before the optimizer takes its own.
        own = torch.load(found.path / "optimizer.pt", map_location="cpu", weights_only=True)
        sharded.load_optimizer(self.accelerator, scorer, optimizer, own)
        every = torch.load(found.path / "rng.pt", map_location="cpu", weights_only=True)
        restore_rng(every[self.accelerator.process_index])
        return state

    def _save(self, state: State, rng: dict[str, Any], scorer: Any, optimizer: Any) -> None:
        """Sharded weights are put together by all processes; the main one writes."""
        weights = sharded.weights(self.accelerator, scorer)
        own = sharded.optimizer_state(self.accelerator, scorer, optimizer)
        every = gather_object([rng])

        def write(folder: Path) -> None:
            self._write_model(folder / "model", scorer, weights)
            torch.save(own, folder / "optimizer.pt")
            torch.save(every, folder / "rng.pt")
            save_state(folder, state, self.identity)
            shutil.copyfile(self.metrics.path, folder / "metrics.jsonl")

        if self.is_main:
            self.checkpoints.save(state.step, write)
            self.checkpoints.keep_only("best-", state.best_name)
        self.accelerator.wait_for_everyone()

    def _save_best(self, state: State, scorer: Any) -> None:
        weights = sharded.weights(self.accelerator, scorer)
        if self.is_main:
            self.checkpoints.put(str(state.best_name), lambda folder: self._write_model(folder, scorer, weights))
        self.accelerator.wait_for_everyone()

    def _write_model(self, folder: Path, scorer: Any, weights: dict[str, Any] | None) -> None:
        model = self.accelerator.unwrap_model(scorer).model
        model.save_pretrained(str(folder), **({} if weights is None else {"state_dict": weights}))
        write_tokenizer(self.prepared.tokenizer, folder, self.prepared.template)

    def _report(self, line: dict[str, Any]) -> None:
        if not self.is_main:
            return
        self.metrics.write(line)
        self.say(" · ".join(f"{name} {value:,.6g}" if isinstance(value, (int, float)) else f"{name} {value}" for name, value in line.items()))
        if self.config.report_to:
            self.accelerator.log({name: value for name, value in line.items() if name != "step"}, step=line["step"])

    def _finish(self, state: State, scorer: Any) -> None:
        weights = sharded.weights(self.accelerator, scorer)
        if not self.is_main:
            return
        best = self.checkpoints.get(state.best_name) if self.config.save_best and state.best_name else None
        if self.config.save_best and best is None:
            raise TrainerError("the best model is no longer there; set `resume: never` to train anew", str(self.checkpoints.folder))
        beside, trained = self.out / ".tmp-trained", self.out / "trained"
        shutil.rmtree(beside, ignore_errors=True)
        if best is None:
            self._write_model(beside, scorer, weights)
        else:
            shutil.copytree(best, beside, ignore=shutil.ignore_patterns("complete.json"))
        shutil.rmtree(trained, ignore_errors=True)
        os.replace(beside, trained)
        (self.out / "run.json").write_text(json.dumps(self._summary(state), indent=1))
        self.say(f"done: {trained}")
        export_run(self.out, ExportPlan(self.config.export, self.config.export_dtype), self.say)

    def _summary(self, state: State) -> dict[str, Any]:
        dataset = self.prepared.dataset
        lines = [json.loads(line) for line in self.metrics.path.read_text().splitlines()]
        last: dict[str, Any] = {}
        for line in lines:
            last |= line
        return {
            "schema": RUN_SCHEMA,
            "algorithm": self.algorithm.name,
            "config": _plain(asdict(self.config)),
            "dataset": {"name": dataset.version.name, "version": dataset.version.version, "split": dataset.split, "rows": dataset.rows, "manifest_sha256": dataset.version.manifest_sha256},
            "data": asdict(self.prepared.train.figures),
            "steps": state.step,
            "of": self.schedule.total,
            "stopped_early": state.is_stopped,
            "best_step": state.best_step,
            "tokens": state.tokens,
            "trained_tokens": state.trained_tokens,
            "metrics": {name: value for name, value in last.items() if name not in ("step", "of", "tokens", "trained_tokens")},
            "processes": self.accelerator.num_processes,
            "base_model": known_as(self.config.model),
            "base_dtype": _dtype_of(self.config.model),
            "commit": program_commit(),
            "packages": versions(),
        }


def _checkpoints(config: Any, say: Any) -> Checkpoints:
    place = config.checkpoints or str(Path(config.out) / "checkpoints")
    if place.startswith("s3://"):
        return Checkpoints(Path(config.out) / "checkpoints", keep=config.keep_checkpoints, remote=S3Folder(place), warn=say)
    return Checkpoints(Path(place), keep=config.keep_checkpoints, warn=say)


def _dtype_of(model: str) -> str:
    """That its configuration names: float32 where it names none."""
    from transformers import AutoConfig

    return str(AutoConfig.from_pretrained(model).dtype or torch.float32).removeprefix("torch.")


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(values))


def tracked(values: dict[str, Any]) -> dict[str, Any]:
    """As trackers take options: TensorBoard knows numbers, switches and text alone."""
    return {name: value if isinstance(value, (bool, int, float, str)) else json.dumps(value) for name, value in values.items()}


def _named(name: str | None) -> dict[str, Any]:
    return {} if name is None else {"wandb": {"name": name}}


