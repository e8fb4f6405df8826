"""A trajectory as tokens and steps: through the chat template, or from the token ids that were recorded as it ran."""

import math
from dataclasses import dataclass, field
from typing import Any

from .chat import ChatFormat, Span
from .chunks import StepSize
from .samples import Message, Recorded, Trajectory

NAN = math.nan


@dataclass(frozen=True)
class Tokens:
    """Lists `spans`, `steps` and `trained` have one entry per step. steps: its number in the whole trajectory.

    spans: stretches of `ids` that the agent wrote in the step. logprobs: per token, NaN where unknown; empty if all are.
    """

    ids: list[int]
    spans: list[list[Span]]
    steps: list[int]
    trained: list[bool]
    logprobs: list[float] = field(default_factory=list)
    # Messages of the agent of which the template leaves something out.
    shown_in_part: int = 0

    @property
    def prompt(self) -> int:
        """Tokens before the agent's first, the header of its message included."""
        return self.start(0)

    def start(self, step: int) -> int:
        return self.spans[step][0][0]

    def end(self, step: int) -> int:
        return self.spans[step][-1][1]

    @property
    def sizes(self) -> list[StepSize]:
        last = len(self.spans) - 1
        return [
            StepSize(self.end(step) - self.start(step), self.start(step + 1) - self.end(step) if step < last else 0)
            for step in range(len(self.spans))
        ]


def conversation_tokens(format: ChatFormat, messages: list[Message], tools: list[Any] | None, trained: list[bool]) -> Tokens:
    """trained: per message. Messages of which the template shows nothing are no step. Raises ChatError."""
    chat = format.encode(messages, tools)
    own = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
    spans, steps, learnt = [], [], []
    for step, (index, found) in enumerate(zip(own, chat.spans)):
        there = [span for span in found if span[1] > span[0]]
        if there:
            spans.append(there)
            steps.append(step)
            learnt.append(trained[index])
    lost = sum(not _is_shown(messages[index], text) for index, text in zip(own, chat.texts))
    return Tokens(chat.ids, spans, steps, learnt, [], lost)


def _is_shown(message: Message, text: str) -> bool:
    """Whether all of it is in the text; templates may leave out reasoning, calls, or what is said beside a call."""
    said = [message["content"], message.get("reasoning_content") or ""]
    parts = [*said, *(call["function"]["name"] for call in message.get("tool_calls", []))]
    return all(part.strip() in text for part in parts)


def trajectory_tokens(format: ChatFormat, trajectory: Trajectory) -> tuple[list[Tokens], bool]:
    """One or more runs of tokens of an attempt, with the log-probabilities that are known; whether they are those recorded.

    Recorded ids are taken where every trained message has some and they are this tokenizer's. Otherwise the template's are,
    and a message's log-probabilities where its tokens are the same.
    """
    recorded = recorded_tokens(format.tokenizer, trajectory)
    if recorded is not None:
        return recorded, True
    tokens = conversation_tokens(format, trajectory.messages, trajectory.tools, trajectory.trained)
    if not any(trajectory.recorded):
        return [tokens], False
    logprobs = [NAN] * len(tokens.ids)
    at = trajectory.steps
    for spans, step in zip(tokens.spans, tokens.steps):
        known = trajectory.recorded[at[step]]
        if known is None or known.logprobs is None:
            continue
        start = spans[0][0]
        end = start + len(known.completion)
        if tokens.ids[start:end] == known.completion and end <= spans[-1][1]:
            logprobs[start:end] = known.logprobs
    return [Tokens(tokens.ids, tokens.spans, tokens.steps, tokens.trained, logprobs, tokens.shown_in_part)], False


def recorded_tokens(tokenizer: Any, trajectory: Trajectory) -> list[Tokens] | None:
    """The attempt in the very tokens of the policy that made it; None where they are not all known, or another model's.

    While a prompt begins with all that went before, it goes on; where it does not (the harness has rewritten the history),
    a new run begins with that prompt.
    """
    if not trajectory.recorded:
        return None
    runs: list[Tokens] = []
    for step, index in enumerate(trajectory.steps):
        known = trajectory.recorded[index]
        is_trained = trajectory.trained[index]
        if known is None or not known.prompt or not known.completion:
            if is_trained:
                return None
            continue
        if not _is_of(tokenizer, known, trajectory.messages[index]):
            return None
        run = runs[-1] if runs else None
        if run is None or known.prompt[: len(run.ids)] != run.ids:
            run = Tokens([], [], [], [])
            runs.append(run)
        seen = known.prompt[len(run.ids) :]
        run.ids.extend(seen)
        run.logprobs.extend([NAN] * len(seen))
        run.spans.append([(len(run.ids), len(run.ids) + len(known.completion))])
        run.ids.extend(known.completion)
        run.logprobs.extend(known.logprobs or [NAN] * len(known.completion))
        run.steps.append(step)
        run.trained.append(is_trained)
    return runs or None


def _is_of(tokenizer: Any, recorded: Recorded, message: Message) -> bool:
    """Whether the ids are of this tokenizer: then they spell out what the message says."""
    size = len(tokenizer)
    if any(not 0 <= token < size for token in (*(recorded.prompt or []), *recorded.completion)):
        return False
    text = tokenizer.decode(recorded.completion)
    said = [message["content"].strip(), *(call["function"]["name"] for call in message.get("tool_calls", []))]
    return all(part in text for part in said)
