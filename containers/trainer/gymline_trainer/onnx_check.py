"""Compares a graph with the model that it was made of: all tokens at once and step by step, alone and in a padded batch.

What counts is the largest difference of logits. Steps are fed what the model chose, so that every step is compared with
its own; a token that the graph would have chosen otherwise counts where the model was not torn between the two.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from .errors import TrainerError
from .model import Head
from .onnx_graph import cache_names, cache_shape
from .probes import logits_alone, tolerated

T = TypeVar("T")
Floats = NDArray[np.float32]
# Tokens that are made for each probe.
STEPS = 12


class VerificationError(TrainerError):
    """An exported model does not say what the model does that it was made of."""


@dataclass(frozen=True)
class Comparison:
    """Largest differences of logits: all tokens of a prompt at once, then token by token; a prompt alone, then all padded.

    tokens: chosen step by step, over both ways. same_tokens: of those, chosen alike. torn: of those that are not, where the
    model's best two are nearer than twice the tolerance. None where there are no steps.
    """

    tolerance: float
    prompts: int
    longest: int
    alone_prefill: float
    batch_prefill: float
    alone_steps: float | None = None
    batch_steps: float | None = None
    tokens: int | None = None
    same_tokens: int | None = None
    torn: int | None = None

    @property
    def largest(self) -> float:
        found = [self.alone_prefill, self.batch_prefill, self.alone_steps, self.batch_steps]
        known = [value for value in found if value is not None]
        return float("nan") if any(value != value for value in known) else max(known)

    @property
    def is_equal(self) -> bool:
        return self.largest <= self.tolerance and (self.tokens or 0) == (self.same_tokens or 0) + (self.torn or 0)

    def record(self) -> dict[str, Any]:
        return {"max_abs_difference": self.largest, **{name: value for name, value in asdict(self).items() if value is not None}}


def compare(model: Any, path: Path, head: Head, probes: list[list[int]]) -> Comparison:
    """model: in float32, to be evaluated. path: of the graph. Raises VerificationError where it cannot be run."""
    run = _runner(path)
    if head == "steps":
        return _judged(run, model, probes)
    return _spoken(run, model, probes)


def check(found: Comparison, path: Path) -> None:
    """Raises VerificationError where the graph is not the model."""
    if not found.is_equal:
        chosen = "" if found.tokens is None else f", and {found.same_tokens} of {found.tokens} tokens are the same"
        raise VerificationError(
            f"the graph is not the model: logits differ by {found.largest:.3g}, where {found.tolerance:.3g} is rounding{chosen}; "
            "nothing was exported. Set `export: model`, and report the model's architecture",
            path.name,
        )


Run = Callable[[dict[str, Any]], dict[str, Floats]]


def _runner(path: Path) -> Run:
    import onnxruntime

    def tried(what: str, act: Callable[[], T]) -> T:
        try:
            return act()
        except Exception as error:
            # Its exceptions have no base of their own.
            raise VerificationError(f"onnxruntime cannot {what} it ({type(error).__name__}: {str(error)[:200]}); nothing was exported", path.name) from error

    session = tried("load", lambda: onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]))
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, tried("run", lambda: session.run(names, inputs))))


def _judged(run: Run, model: Any, probes: list[list[int]]) -> Comparison:
    expected = logits_alone(model, probes)
    alone = max(_difference(run(_inputs([ids]))["logits"][0], own.numpy()) for ids, own in zip(probes, expected))
    batch = run(_inputs(probes))["logits"]
    padded = max(_difference(batch[row, -len(own) :], own.numpy()) for row, own in enumerate(expected))
    return Comparison(tolerated(expected), len(probes), max(map(len, probes)), alone, padded)


@dataclass(frozen=True)
class _Spoken:
    """Of one prompt. prefill: [tokens, vocabulary]. steps: [STEPS, vocabulary], before each token was chosen. tokens: chosen."""

    prefill: Floats
    steps: Floats
    tokens: list[int]


def _spoken(run: Run, model: Any, probes: list[list[int]]) -> Comparison:
    expected = [_by_torch(model, ids) for ids in probes]
    shape = cache_shape(model.config)
    tolerance = tolerated([torch.from_numpy(own.prefill) for own in expected])
    ways = [[_by_graph(run, [ids], [own], shape) for ids, own in zip(probes, expected)], [_by_graph(run, probes, expected, shape)]]
    prefills, steps, tokens, same, torn = [], [], 0, 0, 0
    for way in ways:
        made = [one for batch in way for one in batch]
        prefills.append(max(_difference(one.prefill, own.prefill) for one, own in zip(made, expected)))
        steps.append(max(_difference(one.steps, own.steps) for one, own in zip(made, expected)))
        for one, own in zip(made, expected):
            tokens += len(own.tokens)
            for chosen, token, logits in zip(one.tokens, own.tokens, own.steps):
                same += chosen == token
                torn += chosen != token and float(logits[token] - logits[chosen]) <= 2 * tolerance
    return Comparison(tolerance, len(probes), max(map(len, probes)), *prefills, *steps, tokens, same, torn)


def _by_torch(model: Any, ids: list[int]) -> _Spoken:
    with torch.no_grad():
        found = model(input_ids=torch.tensor([ids]), use_cache=True)
        prefill = found.logits[0].float().numpy()
        steps, tokens = [prefill[-1]], [int(prefill[-1].argmax())]
        while len(tokens) < STEPS:
            found = model(input_ids=torch.tensor([tokens[-1:]]), past_key_values=found.past_key_values, use_cache=True)
            steps.append(found.logits[0, -1].float().numpy())
            tokens.append(int(steps[-1].argmax()))
    return _Spoken(prefill, np.stack(steps), tokens)


def _by_graph(run: Run, prompts: list[list[int]], expected: list[_Spoken], shape: tuple[int, int, int]) -> list[_Spoken]:
    """The prompts as one batch, padded on the left."""
    layers, heads, width = shape
    inputs = _inputs(prompts)
    empty = np.zeros((len(prompts), heads, 0, width), np.float32)
    past = {name: empty for name in cache_names(layers, "past_key_values")}
    found = run({**inputs, **past})
    prefill, steps = found["logits"], [found["logits"][:, -1]]
    mask, positions = inputs["attention_mask"], inputs["position_ids"][:, -1:]
    for step in range(STEPS - 1):
        past = {past: found[present] for past, present in zip(cache_names(layers, "past_key_values"), cache_names(layers, "present"))}
        mask = np.concatenate([mask, np.ones((len(prompts), 1), np.int64)], 1)
        positions = positions + 1
        chosen = np.array([[own.tokens[step]] for own in expected], np.int64)
        found = run({"input_ids": chosen, "attention_mask": mask, "position_ids": positions, **past})
        steps.append(found["logits"][:, -1])
    own = np.stack(steps, 1)
    return [_Spoken(prefill[row, -len(ids) :], own[row], own[row].argmax(-1).tolist()) for row, ids in enumerate(prompts)]


def _inputs(prompts: list[list[int]]) -> dict[str, NDArray[np.int64]]:
    longest = max(map(len, prompts))
    ids = np.zeros((len(prompts), longest), np.int64)
    mask = np.zeros_like(ids)
    for row, own in enumerate(prompts):
        ids[row, longest - len(own) :] = own
        mask[row, longest - len(own) :] = 1
    positions = np.maximum(mask.cumsum(-1) - 1, 0)
    return {"input_ids": ids, "attention_mask": mask, "position_ids": positions}


def _difference(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).max())
