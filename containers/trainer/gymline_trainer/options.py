"""How rows become sequences, and what came of it."""

from dataclasses import dataclass, fields
from typing import Literal, get_args

from .advantages import Advantage
from .errors import ConfigError

OverLong = Literal["error", "cut", "skip"]


@dataclass(frozen=True)
class EncodeOptions:
    """Raises ConfigError where a value cannot be used.

    max_length: tokens of a sequence at the most, context included.
    chunk: trajectories that are longer are cut up at the borders of steps.
    overlap: steps before a part's own that it has as context.
    over_long: what cannot be cut up to fit (a single step; a trajectory with `chunk` off; a side of a pair): `error` names
    it, `cut` cuts its end off, `skip` leaves it out.
    mask_observations: off, all after the first prompt is trained on.
    step_weights: steps weigh in the loss by their rewards (SFT).
    advantage, scale, keep_flat: see advantages.py (GRPO). keep_flat: groups without variance stay in.
    margin_weights: pairs weigh by their margin, with a mean of 1 (DPO).
    separator: after each completion (PRM), as in TRL's PRMTrainer.
    """

    max_length: int = 2048
    chunk: bool = True
    overlap: int = 1
    over_long: OverLong = "error"
    mask_observations: bool = True
    step_weights: bool = False
    advantage: Advantage = "trajectory"
    scale: bool = True
    keep_flat: bool = False
    margin_weights: bool = False
    separator: str = "\n"

    def __post_init__(self) -> None:
        if self.max_length < 2:
            raise ConfigError("it must be at least 2", "max_length")
        if self.overlap < 0:
            raise ConfigError("it must be at least 0", "overlap")
        for name, of in (("over_long", OverLong), ("advantage", Advantage)):
            if getattr(self, name) not in get_args(of):
                raise ConfigError(f"it must be one of {', '.join(get_args(of))}", name)


@dataclass
class Figures:
    """What came of the rows.

    rows: that were read. sequences, tokens, trained_tokens, longest: of what is trained on; of pairs, both sides count.
    chunked: trajectories in more than one part. without_context: parts that begin in the middle of a trajectory and had no
    room for the step before. cut, skipped: too long, by `over_long`. flat_groups: without variance. recorded: trajectories
    whose recorded token ids were taken. shown_in_part: messages of the agent of which the chat template leaves something
    out, such as reasoning or calls: the model does not learn that.
    """

    rows: int = 0
    sequences: int = 0
    tokens: int = 0
    trained_tokens: int = 0
    longest: int = 0
    chunked: int = 0
    without_context: int = 0
    cut: int = 0
    skipped: int = 0
    flat_groups: int = 0
    recorded: int = 0
    shown_in_part: int = 0

    def lines(self) -> list[str]:
        """For people: what is 0 and says nothing by it is left out."""
        shown = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value or field.name in ("rows", "sequences", "tokens", "trained_tokens"):
                shown.append(f"{field.name.replace('_', ' ')}: {value:,}")
        return shown
