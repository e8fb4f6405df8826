"""What a token of an attempt is worth beside the other attempts of its group.

R_i: reward of attempt i; r_ij: process reward of its step j, in [0, 1].

trajectory    A_i = (R_i - mean R) / (std R + 1e-8), std with n - 1; without the division where `scale` is off (Dr. GRPO,
              Liu et al. 2025). Every token has its attempt's.
credit        A_i spread over the steps: A_ij = A_i * w_ij / mean_j w_ij, with w_ij = r_ij where A_i >= 0 and 1 - r_ij where
              A_i < 0. So praise falls on the good steps of a good attempt, and blame on the bad steps of a bad one.
proportional  A_ij = A_i * r_ij / (mean_j r_ij + 1e-8), whatever the sign; that blames good steps most. It is there to
              compare with.
process       s_ij = (r_ij - mean r) / (std r + 1e-8) over all steps of the group; A_ij = sum of s_ik over k >= j (process
              supervision of DeepSeekMath, Shao et al. 2024, 4.1.4).

Steps without a reward have A_i; with `process`, what comes after them. Where all rewards of a group are equal (the case of
no variance), all its advantages are 0: there is nothing to be learnt, and the group is left out unless asked for.
"""

import math
from collections.abc import Sequence
from typing import Literal

Advantage = Literal["trajectory", "credit", "proportional", "process"]
EPSILON = 1e-8


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation (n - 1). The deviation is 0 for fewer than two values, and for equal ones exactly."""
    if not values:
        return 0.0, 0.0
    mean = math.fsum(values) / len(values)
    if len(values) < 2 or min(values) == max(values):
        return mean, 0.0
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def group_advantage(reward: float, rewards: Sequence[float], scale: bool = True) -> float:
    """Of one attempt, beside all rewards of its group, its own among them."""
    mean, deviation = spread(rewards)
    if deviation == 0:
        return 0.0
    return (reward - mean) / (deviation + EPSILON) if scale else reward - mean


def step_advantages(
    kind: Advantage,
    advantage: float,
    step_rewards: Sequence[float | None],
    group_steps: tuple[float, float] = (0.0, 0.0),
) -> list[float]:
    """Per step of an attempt. advantage: A_i. group_steps: mean and deviation of all step rewards of the group."""
    known = [reward for reward in step_rewards if reward is not None]
    if kind == "trajectory" or not known:
        return [0.0 if kind == "process" else advantage] * len(step_rewards)
    if kind == "process":
        return _to_go(step_rewards, group_steps)
    turned = kind == "credit" and advantage < 0
    weights = [None if reward is None else (1 - reward if turned else reward) for reward in step_rewards]
    mean = math.fsum(weight for weight in weights if weight is not None) / len(known)
    if abs(mean) < EPSILON:
        return [advantage] * len(step_rewards)
    divisor = mean + (EPSILON if kind == "proportional" else 0.0)
    return [advantage if weight is None else advantage * weight / divisor for weight in weights]


def _to_go(step_rewards: Sequence[float | None], group_steps: tuple[float, float]) -> list[float]:
    mean, deviation = group_steps
    total = 0.0
    sums = []
    for reward in reversed(step_rewards):
        if reward is not None and deviation > 0:
            total += (reward - mean) / (deviation + EPSILON)
        sums.append(total)
    return sums[::-1]


def step_weights(step_rewards: Sequence[float | None]) -> list[float]:
    """For supervised fine-tuning: w_j = r_j / mean r, so that the mean is 1.

    Steps without a reward weigh 1, and all do where the mean is not above 0. Negative rewards count as 0.
    """
    known = [max(0.0, reward) for reward in step_rewards if reward is not None]
    mean = math.fsum(known) / len(known) if known else 0.0
    if mean <= 0:
        return [1.0] * len(step_rewards)
    return [1.0 if reward is None else max(0.0, reward) / mean for reward in step_rewards]
