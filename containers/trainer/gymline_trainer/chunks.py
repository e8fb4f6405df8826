"""Long trajectories in parts, each within the limit, at the borders of steps.

A part is the prompt, up to `overlap` steps before its own as context, and its own steps. All of it counts against the
limit. Context is not trained on, so each step is trained once. A step never splits; what the agent saw after the last
step of a part belongs to no loss and is left away.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Steps [context, first) are context, [first, last] the part's own. length: in tokens, prompt and context included."""

    context: int
    first: int
    last: int
    length: int

    def fits(self, max_length: int) -> bool:
        """Only a part of a single step that is too long by itself does not."""
        return self.length <= max_length


@dataclass(frozen=True)
class StepSize:
    """Tokens that the agent wrote in a step, and those between that and what it wrote next."""

    says: int
    sees: int


def plan_parts(prompt: int, steps: Sequence[StepSize], max_length: int, overlap: int) -> list[Part]:
    """Greedy: as many own steps as fit, then as much context as there is room for beside the first of them.

    prompt: tokens before the agent's first. Every step is in exactly one part as its own. A step that does not fit even
    without context is a part by itself, longer than `max_length`.
    """
    # Where each step starts, if all of them stood after the prompt.
    starts = [0]
    for step in steps:
        starts.append(starts[-1] + step.says + step.sees)
    length = lambda context, last: prompt + starts[last] - starts[context] + steps[last].says
    parts = []
    first = 0
    while first < len(steps):
        context = max(0, first - overlap)
        while context < first and length(context, first) > max_length:
            context += 1
        last = first
        while last + 1 < len(steps) and length(context, last + 1) <= max_length:
            last += 1
        parts.append(Part(context, first, last, length(context, last)))
        first = last + 1
    return parts
