"""Steps with their rewards as tokens, for a process reward model; laid out as TRL's PRMTrainer does (TRL 1.13).

Prompt and completions are tokenised each by itself, and `separator` follows each completion; the label stands at the last
token of it. There is no chat template: the rows are text.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .chunks import StepSize, plan_parts
from .curriculum import difficulty
from .encoded import IGNORED, EncodedPrm
from .options import EncodeOptions, Figures
from .samples import JudgedSteps
from .tokens import NAN


@dataclass(frozen=True)
class OverLongSteps:
    """What becomes of what is too long. is_cut: whether it is cut, and else it is left out. report: takes a fault and its remedy."""

    is_cut: Callable[[str], bool]
    report: Callable[[str, str], None]


def judged_sequences(
    row: JudgedSteps, tokenizer: Any, options: EncodeOptions, figures: Figures, too_long: OverLongSteps
) -> Iterator[EncodedPrm]:
    """The parts of a row."""
    ids = lambda text: tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    prompt = ids(row.prompt)
    if tokenizer.bos_token_id is not None:
        prompt = [tokenizer.bos_token_id, *prompt]
    separator = ids(options.separator)
    steps = [[*ids(text), *separator] for text in row.completions]
    lengths = [len(step) for step in steps]
    limit = options.max_length
    total = len(prompt) + sum(lengths)
    overlap = options.overlap if options.chunk or total <= limit else len(steps)
    sizes = [StepSize(length, 0) for length in lengths]
    parts = plan_parts(len(prompt), sizes, limit if options.chunk else max(limit, total), overlap)
    kept = []
    for part in parts:
        if part.fits(limit):
            kept.append(part)
            continue
        what = f"step {part.first}" if options.chunk else "it"
        if too_long.is_cut(f"{what} has {part.length} tokens with its prompt, {limit} at the most"):
            kept.append(part)
    figures.chunked += len(kept) > 1
    for index, part in enumerate(kept):
        own = _laid_out(row, prompt, steps, (part.context, part.first, part.last))
        if not part.fits(limit):
            # The end, since the label stands there.
            own = {name: [*values[: len(prompt)], *values[len(prompt) :][-(limit - len(prompt)) :]] for name, values in own.items()}
            if limit <= len(prompt):
                too_long.report(f"the prompt alone takes {len(prompt)} of {limit} tokens", "raise `max_length`")
                continue
        figures.without_context += part.first > 0 and part.context == part.first
        yield {
            "input_ids": own["input_ids"],
            "labels": own["labels"],
            "targets": own["targets"],
            "step_ids": own["step_ids"],
            "weights": [0.0 if label == IGNORED else 1.0 for label in own["labels"]],
            "chunk": {"trajectory": row.id, "index": index, "of": len(kept)},
            "difficulty": difficulty(part.last - part.first + 1, row.reward),
        }


def _laid_out(row: JudgedSteps, prompt: list[int], steps: list[list[int]], part: tuple[int, int, int]) -> dict[str, list[Any]]:
    context, first, last = part
    own: dict[str, list[Any]] = {
        "input_ids": list(prompt),
        "labels": [IGNORED] * len(prompt),
        "targets": [NAN] * len(prompt),
        "step_ids": [-1] * len(prompt),
    }
    for step in range(context, last + 1):
        before = len(steps[step]) - 1
        is_own = step >= first
        own["input_ids"] += steps[step]
        own["labels"] += [IGNORED] * before + [int(row.labels[step]) if is_own else IGNORED]
        own["targets"] += [NAN] * before + [row.rewards[step] if is_own else NAN]
        own["step_ids"] += [-1] * before + [step if is_own else -1]
    return own
