"""Rows become sequences of tokens. Everything that is too long, or that the template does not take, is named at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar, cast

from .advantages import group_advantage, spread, step_advantages, step_weights
from .chat import ChatError, ChatFormat, PlainText
from .chunks import Part, plan_parts
from .curriculum import difficulty
from .encoded import IGNORED, Encoded, EncodedGrpo, EncodedPair, EncodedPrm
from .errors import Fault, Faults
from .options import EncodeOptions, Figures
from .prm import OverLongSteps, judged_sequences
from .rows import Dataset
from .samples import JudgedSteps, Message, Pair, Sample, Trajectory
from .tokens import NAN, Tokens, conversation_tokens, trajectory_tokens

T = TypeVar("T")


@dataclass(frozen=True)
class Window:
    """Tokens [0, prompt) and [start, end) of a run, one after the other, at most `limit` of them."""

    prompt: int
    start: int
    end: int
    limit: int

    @property
    def shift(self) -> int:
        """From a token's place in the run, in its second part, to that in the window."""
        return self.prompt - self.start

    def of(self, values: Sequence[T]) -> list[T]:
        return [*values[: self.prompt], *values[self.start : self.end]][: self.limit]


LONGER = "raise `max_length`, or set `over_long` to cut or skip"


class Encoder:
    """Sequences of a dataset, one row at a time. `faults` and `figures` are complete once all rows were taken."""

    def __init__(self, dataset: Dataset, format: ChatFormat | PlainText, options: EncodeOptions, only: int | None = None) -> None:
        """only: number of the one row to take, from 1."""
        self.faults = Faults()
        self.figures = Figures()
        self._dataset = dataset
        self._format = format
        self._options = options
        self._only = only

    def sft(self) -> Iterator[Encoded]:
        for row in self._rows(Trajectory):
            tokens = self._tried(row, lambda row=row: conversation_tokens(self._format, row.messages, row.tools, row.trained))
            if tokens is None:
                continue
            rewards = [row.step_rewards[index] for index in row.steps]
            weights = step_weights(self._trained_only(row, rewards)) if self._options.step_weights else [1.0] * len(rewards)
            for sequence, _, _ in self._parts(row, [tokens], weights):
                yield sequence

    def grpo(self) -> Iterator[EncodedGrpo]:
        values = {name: self._group_values(name) for name in self._dataset.groups}
        for row in self._rows(Trajectory):
            group = self._dataset.groups[row.group or ""]
            is_flat, spread_of_steps = values[row.group or ""]
            if is_flat and not self._options.keep_flat:
                continue
            found = self._tried(row, lambda row=row: trajectory_tokens(self._format, row))
            if found is None:
                continue
            runs, is_recorded = found
            self.figures.recorded += is_recorded
            advantage = group_advantage(row.reward or 0.0, group.rewards, self._options.scale)
            rewards = self._trained_only(row, [row.step_rewards[index] for index in row.steps])
            by_step = step_advantages(self._options.advantage, advantage, rewards, spread_of_steps)
            for sequence, tokens, window in self._parts(row, runs, [1.0] * len(rewards)):
                steps = sequence["step_ids"]
                logprobs = window.of(tokens.logprobs) if tokens.logprobs else [NAN] * len(steps)
                yield cast(
                    EncodedGrpo,
                    {
                        **sequence,
                        "advantages": [by_step[step] if step >= 0 else 0.0 for step in steps],
                        "behaviour_logprobs": [value if step >= 0 else NAN for value, step in zip(logprobs, steps)],
                        "group": row.group or "",
                        "trajectory": row.id,
                        "reward": row.reward or 0.0,
                    },
                )

    def dpo(self) -> Iterator[EncodedPair]:
        mean = self._dataset.mean_margin if self._options.margin_weights else None
        for row in self._rows(Pair):
            sides = [self._side(row, side) for side in (row.chosen, row.rejected)]
            if sides[0] is None or sides[1] is None:
                continue
            if sides[0]["input_ids"] == sides[1]["input_ids"]:
                self._fault(row, "the two sides are the same tokens", "raise `max_length`, or leave the row out")
                continue
            for side in sides:
                self._count(cast(Encoded, side))
            weight = 1.0 if mean is None or row.margin is None else row.margin / mean
            yield {"chosen": sides[0], "rejected": sides[1], "weight": weight}

    def prm(self) -> Iterator[EncodedPrm]:
        for row in self._rows(JudgedSteps):
            too_long = OverLongSteps(lambda what, row=row: self._is_cut(row, what), self._reporter(row))
            for sequence in judged_sequences(row, self._format.tokenizer, self._options, self.figures, too_long):
                self._count(sequence)
                yield sequence

    def _rows(self, kind: type[T]) -> Iterator[T]:
        rows = iter(self._dataset) if self._only is None else islice(self._dataset, self._only - 1, self._only)
        for row in rows:
            self.figures.rows += 1
            if isinstance(row, kind):
                yield row

    def _group_values(self, name: str) -> tuple[bool, tuple[float, float]]:
        """Whether a group has no variance in what its advantages are made of, and the spread of its step rewards."""
        group = self._dataset.groups[name]
        of_steps = spread(group.steps)
        is_flat = (of_steps if self._options.advantage == "process" else spread(group.rewards))[1] == 0
        self.figures.flat_groups += is_flat
        return is_flat, of_steps

    @staticmethod
    def _trained_only(row: Trajectory, rewards: Sequence[float | None]) -> list[float | None]:
        """A step that is not trained on must not shift the mean of those that are."""
        return [reward if row.trained[index] else None for index, reward in zip(row.steps, rewards)]

    def _tried(self, row: Sample, encode: Callable[[], T]) -> T | None:
        try:
            return encode()
        except ChatError as error:
            self._fault(row, error.what, error.remedy)
            return None

    def _parts(self, row: Trajectory, runs: Iterable[Tokens], weights: Sequence[float]) -> list[tuple[Encoded, Tokens, Window]]:
        """The sequences of a trajectory, each with its run of tokens and what it is of that."""
        made: list[tuple[Encoded, Tokens, Window]] = []
        for tokens in runs:
            self.figures.shown_in_part += tokens.shown_in_part
            for part in self._plan(row, tokens):
                window = _window(tokens, part, self._options.max_length)
                labels, step_ids = self._labels(tokens, part, window)
                if not any(step >= 0 for step in step_ids):
                    if any(tokens.trained[part.first : part.last + 1]):
                        self._fault(row, f"the prompt alone takes {tokens.prompt} of {self._options.max_length} tokens", "raise `max_length`")
                    continue
                sequence: Encoded = {
                    "input_ids": window.of(tokens.ids),
                    "labels": labels,
                    "step_ids": step_ids,
                    "weights": [weights[step] if step >= 0 else 0.0 for step in step_ids],
                    "chunk": {"trajectory": row.id, "index": 0, "of": 0},
                    "difficulty": difficulty(part.last - part.first + 1, row.reward),
                }
                self.figures.without_context += part.first > 0 and part.context == part.first
                made.append((sequence, tokens, window))
        for index, (sequence, _, _) in enumerate(made):
            sequence["chunk"].update(index=index, of=len(made))
            self._count(sequence)
        self.figures.chunked += len(made) > 1
        return made

    def _plan(self, row: Trajectory, tokens: Tokens) -> list[Part]:
        if not tokens.spans:
            self._fault(row, "the chat template shows nothing of what the agent wrote", "give another `chat_template`")
            return []
        limit, last = self._options.max_length, len(tokens.spans) - 1
        whole = Part(0, 0, last, len(tokens.ids))
        if whole.fits(limit):
            return [whole]
        if self._options.chunk:
            planned = plan_parts(tokens.prompt, tokens.sizes, limit, self._options.overlap)
        else:
            planned = [Part(0, 0, last, tokens.end(last))]
        kept = []
        for part in planned:
            if part.fits(limit):
                kept.append(part)
            elif any(tokens.trained[part.first : part.last + 1]):
                steps = f"step {tokens.steps[part.first]}" if self._options.chunk else "it"
                kept.extend([part] if self._is_cut(row, f"{steps} has {part.length} tokens with its prompt, {limit} at the most") else [])
        return kept

    def _is_cut(self, row: Sample, what: str) -> bool:
        """Whether something too long is to be cut; if not, it is left out, or a fault."""
        if self._options.over_long == "error":
            self._fault(row, what, LONGER)
        self.figures.cut += self._options.over_long == "cut"
        self.figures.skipped += self._options.over_long == "skip"
        return self._options.over_long == "cut"

    def _labels(self, tokens: Tokens, part: Part, window: Window) -> tuple[list[int], list[int]]:
        """Labels and step numbers of the tokens of a window."""
        length = len(window.of(tokens.ids))
        labels, step_ids = [IGNORED] * length, [-1] * length
        for step in range(part.first, part.last + 1):
            if not tokens.trained[step]:
                continue
            spans = tokens.spans[step]
            if not self._options.mask_observations:
                until = tokens.start(step + 1) if step < len(tokens.spans) - 1 else window.end
                spans = [(spans[0][0], until)]
            for start, end in spans:
                own = tokens.ids[start : min(end, window.end)][: max(0, length - start - window.shift)]
                at = slice(start + window.shift, start + window.shift + len(own))
                labels[at] = own
                step_ids[at] = [tokens.steps[step]] * len(own)
        # Nothing comes before the first token, so nothing predicts it.
        if labels:
            labels[0], step_ids[0] = IGNORED, -1
        return labels, step_ids

    def _side(self, row: Pair, side: list[Message]) -> Encoded | None:
        """One way to go on, the prompt masked."""
        messages = [*row.prompt, *side]
        trained = [index >= len(row.prompt) and message["role"] == "assistant" for index, message in enumerate(messages)]
        tokens = self._tried(row, lambda: conversation_tokens(self._format, messages, row.tools, trained))
        if tokens is None:
            return None
        if not any(tokens.trained):
            self._fault(row, "the chat template shows nothing of what the agent wrote", "give another `chat_template`")
            return None
        limit = self._options.max_length
        # What was seen after the last message has no part in it.
        length = max(tokens.end(step) for step, is_trained in enumerate(tokens.trained) if is_trained)
        if length > limit and not self._is_cut(row, f"a side has {length} tokens, {limit} at the most"):
            return None
        whole = Part(0, 0, len(tokens.spans) - 1, length)
        window = Window(0, 0, len(tokens.ids), limit)
        labels, step_ids = self._labels(tokens, whole, window)
        if not any(step >= 0 for step in step_ids):
            first = next(step for step, is_trained in enumerate(tokens.trained) if is_trained)
            self._fault(row, f"the prompt alone takes {tokens.start(first)} of {limit} tokens", "raise `max_length`")
            return None
        return {
            "input_ids": window.of(tokens.ids),
            "labels": labels,
            "step_ids": step_ids,
            "weights": [1.0 if step >= 0 else 0.0 for step in step_ids],
            "chunk": {"trajectory": row.id, "index": 0, "of": 1},
            "difficulty": difficulty(len(side), row.margin),
        }

    def _count(self, sequence: Encoded | EncodedPrm) -> None:
        length = len(sequence["input_ids"])
        self.figures.sequences += 1
        self.figures.tokens += length
        self.figures.trained_tokens += sum(label != IGNORED for label in sequence["labels"])
        self.figures.longest = max(self.figures.longest, length)

    def _reporter(self, row: Sample) -> Callable[[str, str], None]:
        return lambda what, remedy: self._fault(row, what, remedy)

    def _fault(self, row: Sample, what: str, remedy: str) -> None:
        own = None if row.id.startswith(f"{row.file}:") else row.id
        self.faults.add(Fault(row.file, row.row, what, remedy, own))


def _window(tokens: Tokens, part: Part, max_length: int) -> Window:
    """The prompt, then from the part's first context step to its last; everything where that fits."""
    if part.context == 0 and part.length >= len(tokens.ids):
        return Window(0, 0, len(tokens.ids), max_length)
    return Window(tokens.prompt, tokens.start(part.context), tokens.end(part.last), max_length)
