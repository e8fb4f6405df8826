"""The loop that all algorithms share: batches, steps of the optimizer, evaluation, checkpoints, going on.

Why not `transformers.Trainer`: a step's loss must be divided by what all its batches on all devices hold, for four losses
that count different things; a checkpoint must be whole or not there; and a run that goes on must have the very bits of one
that was never stopped. All this is less code here than what would have to be overridden there.

A step's gradient is that of (sum of losses) / (sum of items) over all its batches. So accumulation, the number of devices
and the order of rows within a step change nothing but rounding, and nothing is carried from one epoch to the next.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from .collate import Batch, Collator
from .errors import TrainerError
from .metrics import Sums, add, means
from .model import Head, Scorer, Scores
from .reference import References, counts_of
from .schedule import Schedule, rate, shared_out, warmup_steps
from .signals import Stop
from .state import State, rng_state


@dataclass(frozen=True)
class Outcome:
    """Of a batch. loss: a sum. sums: what else is reported, as sums and counts."""

    loss: Tensor
    sums: dict[str, tuple[Any, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Algorithm:
    """What a script brings. items: what a step's loss is divided by, as a sum over its batches."""

    name: str
    head: Head
    loss: Callable[[Scores, Batch], Outcome]
    items: Callable[[Batch], float]
    needs_reference: bool = False


@dataclass
class Split:
    """Sequences to train on, or to evaluate on."""

    data: Any
    collator: Collator
    references: References | None = None

    @cached_property
    def counts(self) -> tuple[list[int], int]:
        """See `counts_of`, which reads all of the data."""
        return counts_of(self.data)

    def batch(self, rows: list[list[int]], device: torch.device) -> Batch:
        made = self.collator(rows)
        if self.references is not None:
            made.reference = self.references.of(made)
        return made.to(device)


class Loop:
    """Runs from `state` to the end. save: writes a checkpoint. best: writes the model. report: takes a line of metrics."""

    def __init__(
        self,
        *,
        accelerator: Accelerator,
        algorithm: Algorithm,
        scorer: Any,
        optimizer: Any,
        schedule: Schedule,
        train: Split,
        evaluation: Split | None,
        config: Any,
        state: State,
        stop: Stop,
        save: Callable[[State, dict[str, Any]], None],
        best: Callable[[State], None],
        report: Callable[[dict[str, Any]], None],
    ) -> None:
        self._accelerator = accelerator
        self._algorithm = algorithm
        self._scorer = scorer
        self._optimizer = optimizer
        self._schedule = schedule
        self._train = train
        self._evaluation = evaluation
        self._config = config
        self._state = state
        self._stop = stop
        self._save = save
        self._best = best
        self._report = report
        self._warmup = warmup_steps(config, schedule.total)
        self._clock = (time.monotonic(), state.tokens)

    def run(self) -> None:
        """Raises StoppedError once a signal came and a checkpoint is saved."""
        state, schedule = self._state, self._schedule
        while True:
            # Here everything a checkpoint needs is settled: this is where a run goes on.
            rng = rng_state()
            if self._stop.is_asked(self._accelerator):
                self._leave(rng)
            is_end = state.step >= schedule.total or state.is_stopped
            ends_epoch = state.step > 0 and state.position == 0
            if self._evaluation is not None and state.evaluated != state.step and self._evaluates(is_end, ends_epoch):
                if not self._evaluate():
                    self._leave(rng)
                continue
            if state.saved != state.step and state.step > 0 and (is_end or state.step % self._config.save_steps == 0):
                state.saved = state.step
                self._save(state, rng)
            if is_end:
                return
            if not self._step():
                self._leave(rng)

    def _evaluates(self, is_end: bool, ends_epoch: bool) -> bool:
        every = self._config.eval_steps
        due = ends_epoch if every is None else self._state.step > 0 and self._state.step % every == 0
        return due or is_end

    def _leave(self, rng: dict[str, Any]) -> None:
        self._state.saved = self._state.step
        self._save(self._state, rng)
        self._stop.leave(self._state.step)

    def _step(self) -> bool:
        """One step of the optimizer. False where a signal came before it: then nothing has changed."""
        state, accelerator, schedule = self._state, self._accelerator, self._schedule
        process = accelerator.process_index
        device = accelerator.device
        own = []
        for rows, counts in schedule.batches(state.epoch, state.position, process):
            batch = self._train.batch(rows, device)
            # Without items, it does not count.
            own.append((batch, self._algorithm.items(batch) if counts else None))
        counted = [(batch, count) for batch, count in own if count is not None]
        items, tokens, trained = self._summed([
            sum(count for _, count in counted),
            sum(batch.tokens for batch, _ in counted),
            sum(len(batch.targets) for batch, _ in counted),
        ])  # fmt: skip
        self._scorer.train()
        for group in self._optimizer.param_groups:
            group["lr"] = self._config.learning_rate * rate(self._config.lr_scheduler, state.step, self._warmup, schedule.total)
        sums: Sums = {}
        for number, (batch, count) in enumerate(own):
            if accelerator.num_processes == 1 and self._stop.is_set:
                self._optimizer.zero_grad()
                return False
            is_last = number == len(own) - 1
            with contextlib.nullcontext() if is_last else accelerator.no_sync(self._scorer):
                outcome = self._algorithm.loss(self._scorer(batch.inputs, batch.rows, batch.columns, batch.targets), batch)
                # Gradients are averaged over processes; the sum is wanted. What does not count still takes part.
                accelerator.backward(outcome.loss * (0.0 if count is None else accelerator.num_processes / items))
            if count is not None:
                add(sums, {"loss": (outcome.loss.detach(), count), **outcome.sums})
        norm = accelerator.clip_grad_norm_(self._scorer.parameters(), self._config.max_grad_norm or float("inf"))
        sums = over_processes(accelerator, sums)
        loss, norm = sums["loss"][0] / items, float(norm)
        if not (abs(loss) < float("inf") and norm < float("inf")):
            raise TrainerError(
                f"the loss is {loss} and the norm of the gradient {norm} at step {state.step + 1}; nothing was learnt from it. "
                "Lower `learning_rate`, or look at the data of this step"
            )
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._count(int(tokens), int(trained), {**sums, "grad_norm": (norm, 1)})
        return True

    def _count(self, tokens: int, trained: int, sums: Sums) -> None:
        state, schedule = self._state, self._schedule
        state.step += 1
        state.position += 1
        state.tokens += tokens
        state.trained_tokens += trained
        add(state.window, sums)
        epoch = state.epoch + state.position / schedule.steps_in(state.epoch)
        if state.position == schedule.steps_in(state.epoch):
            state.epoch, state.position = state.epoch + 1, 0
        if state.step % self._config.logging_steps == 0 or state.step == schedule.total:
            now, before = time.monotonic(), self._clock
            self._clock = (now, state.tokens)
            learned = self._config.learning_rate * rate(self._config.lr_scheduler, state.step - 1, self._warmup, schedule.total)
            line = {"step": state.step, "of": schedule.total, "epoch": round(epoch, 6), **means(state.window), "learning_rate": learned}
            line |= {"tokens": state.tokens, "trained_tokens": state.trained_tokens}
            line["tokens_per_second"] = round((state.tokens - before[1]) / max(1e-9, now - before[0]), 1)
            state.window = {}
            self._report(line)

    def _evaluate(self) -> bool:
        """False where a signal came: it is done anew when the run goes on."""
        state = self._state
        assert self._evaluation is not None
        measured = evaluate(self._accelerator, self._scorer, self._algorithm, self._evaluation, self._config.batch_size, self._stop)
        if measured is None:
            return False
        state.evaluated = state.step
        found = means(measured)
        self._report({"step": state.step, **{f"eval_{name}": value for name, value in found.items()}})
        if state.best is None or found["loss"] < state.best:
            state.best, state.best_step, state.worse = found["loss"], state.step, 0
            if self._config.save_best:
                self._best(state)
        else:
            state.worse += 1
            patience = self._config.early_stopping_patience
            state.is_stopped = patience is not None and state.worse >= patience
        return True

    def _summed(self, values: list[float]) -> list[float]:
        if self._accelerator.num_processes == 1:
            return values
        # In float32 large counts of tokens would not be whole.
        return self._accelerator.reduce(torch.tensor(values, dtype=torch.float64, device=self._accelerator.device)).tolist()


def over_processes(accelerator: Accelerator, sums: Sums) -> Sums:
    """The sums of all processes. One that had no batch that counts adds nothing."""
    if accelerator.num_processes == 1:
        return sums
    from accelerate.utils import gather_object

    total: Sums = {}
    for own in gather_object([sums]):
        add(total, own)
    return total


def evaluate(accelerator: Accelerator, scorer: Any, algorithm: Algorithm, split: Split, batch_size: int, stop: Stop | None = None) -> Sums | None:
    """Sums over all of a split. None where a signal came."""
    rows = [[index] for index in range(len(split.data))]
    process = (accelerator.process_index, accelerator.num_processes)
    sums: Sums = {}
    scorer.eval()
    with torch.no_grad():
        for own, counts in shared_out(rows, split.data.lengths, batch_size, process):
            if stop is not None and accelerator.num_processes == 1 and stop.is_set:
                return None
            batch = split.batch(own, accelerator.device)
            outcome = algorithm.loss(scorer(batch.inputs, batch.rows, batch.columns, batch.targets), batch)
            if counts:
                add(sums, {"loss": (outcome.loss, algorithm.items(batch)), **outcome.sums})
    return over_processes(accelerator, sums)
