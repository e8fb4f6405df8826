"""Rows as they are once they were read and found good."""

from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]


@dataclass(frozen=True)
class Recorded:
    """What the log says of one message of the agent: tokens before it, its own, and their log-probabilities."""

    prompt: list[int] | None
    completion: list[int]
    logprobs: list[float] | None


@dataclass(frozen=True)
class Trajectory:
    """A conversation. The lists have one entry per message.

    trained: whether the message is learnt. step_rewards: in [0, 1], None where there is none.
    group, recorded: of offline GRPO.
    """

    messages: list[Message]
    tools: list[Any] | None
    trained: list[bool]
    step_rewards: list[float | None]
    reward: float | None
    id: str
    file: str
    row: int
    group: str | None = None
    recorded: list[Recorded | None] = field(default_factory=list)

    @property
    def steps(self) -> list[int]:
        """Where the agent's messages are; a step is one of them with all that comes before the next."""
        return [index for index, message in enumerate(self.messages) if message["role"] == "assistant"]


@dataclass(frozen=True)
class Pair:
    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]
    tools: list[Any] | None
    margin: float | None
    id: str
    file: str
    row: int


@dataclass(frozen=True)
class JudgedSteps:
    """Text, step by step. rewards: of each completion, in [0, 1]."""

    prompt: str
    completions: list[str]
    labels: list[bool]
    rewards: list[float]
    reward: float | None
    id: str
    file: str
    row: int


Sample = Trajectory | Pair | JudgedSteps
