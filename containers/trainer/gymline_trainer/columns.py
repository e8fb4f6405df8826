"""The columns of the datasets that can be trained on, as `gymline export --target …` writes them (docs/TARGETS.md)."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

ORIGIN = (
    "reward", "success", "id", "content_id", "task_id", "domain", "agent", "model", "format", "scorer", "tokens",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """required: a row without them is no row. optional: may be missing, in files that were not exported."""

    name: str
    # `format` in the manifest.
    format: str
    required: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.required, *self.optional)


TARGETS = {
    target.name: target
    for target in (
        Target("trl", "sft-messages", ("messages",), ("tools", "weights", "step_rewards", *ORIGIN)),
        Target("trl-prompt-completion", "trl-prompt-completion", ("prompt", "completion"), ("tools", *ORIGIN)),
        Target(
            "trl-dpo",
            "trl-dpo",
            ("prompt", "chosen", "rejected"),
            ("tools", "margin", "chosen_reward", "rejected_reward", "preferred_by", "task", "task_id", "chosen_id", "rejected_id", "tokens"),
        ),
        Target(
            "grpo-offline",
            "grpo-offline",
            ("group", "messages", "reward"),
            (
                "group_size", "group_mean", "group_std", "tools", "weights", "step_rewards",
                "prompt_token_ids", "completion_token_ids", "logprobs", *(name for name in ORIGIN if name != "reward"),
            ),
        ),
        Target("trl-prm", "trl-prm", ("prompt", "completions", "labels"), ("soft_labels", *ORIGIN)),
    )
}  # fmt: skip

# The first of each is what a message tells the user to export.
ALGORITHMS: dict[str, tuple[str, ...]] = {
    "sft": ("trl", "trl-prompt-completion"),
    "dpo": ("trl-dpo",),
    "grpo": ("grpo-offline",),
    "prm": ("trl-prm",),
}


def target_of_format(format: str) -> Target | None:
    return next((target for target in TARGETS.values() if target.format == format), None)


def target_of_columns(columns: Iterable[str]) -> Target | None:
    """The target whose required columns are all there; the one that asks for most of them, where there are several."""
    there = set(columns)
    fitting = [target for target in TARGETS.values() if there.issuperset(target.required)]
    return max(fitting, key=lambda target: len(target.required), default=None)


def unknown_columns(columns: Iterable[str], target: Target) -> list[str]:
    """Each column that the target does not have, with the one that may be meant."""
    named = []
    for column in columns:
        if column in target.columns:
            continue
        near = get_close_matches(column, target.columns, n=1)
        named.append(f"`{column}`" + (f" (did you mean `{near[0]}`?)" if near else ""))
    return named
